"""A hub on this machine that takes uploads as huggingface_hub 1 sends them: small files in the commit, weights by LFS.

with hub() as taken:                     # HF_ENDPOINT=taken.address
    ...
taken.files["owner/name"]["README.md"]   # bytes
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.local_http import serving

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Taken:
    """What was sent: repositories made, files by repository, every request's method and path."""

    address: str = ""
    made: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    refuse: int = 0
    """Status to answer the commit with, once; 0 takes it."""


class Handler(BaseHTTPRequestHandler):
    """Takes what huggingface_hub sends; `taken` is set by `hub`."""

    taken: Taken

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        body = self._body()
        path = self.path.partition("?")[0]
        self.taken.requests.append(f"POST {path}")
        if path == "/api/repos/create":
            self.taken.made.append(json.loads(body))
            self._say({"url": f"{self.taken.address}/{_repository(self.taken)}", "id": _repository(self.taken)})
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = {name: "lfs" if name.endswith(".safetensors") else "regular" for name in names}
            self._say({"files": [{"path": n, "uploadMode": m, "shouldIgnore": False} for n, m in modes.items()]})
        elif path.endswith("/objects/batch"):
            objects = json.loads(body)["objects"]
            actions = [
                each | {"actions": {"upload": {"href": f"{self.taken.address}/blob/{each['oid']}"}}} for each in objects
            ]
            self._say({"transfer": "basic", "objects": actions})
        elif "/commit/" in path:
            self._commit(path, body)
        else:
            self._say({"errors": [], "warnings": []})

    def do_PUT(self) -> None:
        self.taken.requests.append(f"PUT {self.path}")
        self.taken.blobs[self.path.rpartition("/")[2]] = self._body()
        self._say({})

    def do_GET(self) -> None:
        self.taken.requests.append(f"GET {self.path}")
        self._say({"id": _repository(self.taken), "sha": COMMIT, "siblings": [], "tags": []})

    def _commit(self, path: str, body: bytes) -> None:
        if self.taken.refuse:
            status, self.taken.refuse = self.taken.refuse, 0
            self._say({"error": "no right to write there"}, status)
            return
        files = self.taken.files.setdefault("/".join(path.split("/")[3:5]), {})
        for line in map(json.loads, body.decode().splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.taken.blobs[value["oid"]]
                assert hashlib.sha256(files[value["path"]]).hexdigest() == value["oid"]
        self._say({"commitUrl": f"{self.taken.address}/{_repository(self.taken)}/commit/{COMMIT}", "commitOid": COMMIT})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _say(self, value: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def hub() -> Iterator[Taken]:
    """Take uploads until the `with` ends."""
    taken = Taken()
    with serving(type("Handler", (Handler,), {"taken": taken})) as taken.address:
        yield taken


def _repository(taken: Taken) -> str:
    made = taken.made[-1]
    return f"{made.get('organization', 'me')}/{made['name']}" if "/" not in made["name"] else str(made["name"])
