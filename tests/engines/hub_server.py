"""A hub on this machine: serves folders as model repositories the way huggingface_hub asks for them.

    with hub({"owner/name": folder}) as address:      # HF_ENDPOINT=address

Only what loading a model needs: file metadata by HEAD, files by GET, the repository's listing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.local_http import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(repositories: Mapping[str, Path]) -> Iterator[str]:
    """Serve `repositories` until the `with` ends; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            content = _listing(path, repositories) or _file(path, repositories)
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header(
                "Content-Type", "application/json" if path.startswith("api/") else "application/octet-stream"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

    with serving(Handler) as address:
        yield address


def _file(path: str, repositories: Mapping[str, Path]) -> bytes | None:
    owner, _, rest = path.partition("/")
    name, _, rest = rest.partition("/resolve/")
    folder = repositories.get(f"{owner}/{name}")
    file = folder / rest.partition("/")[2] if folder else None
    return file.read_bytes() if file and file.is_file() else None


def _listing(path: str, repositories: Mapping[str, Path]) -> bytes | None:
    parts = path.removeprefix("api/models/").split("/")
    folder = repositories.get("/".join(parts[:2])) if path.startswith("api/models/") else None
    if folder is None:
        return None
    names = sorted(file.name for file in folder.iterdir())
    if "tree" in parts:
        sizes = [
            {"type": "file", "path": name, "size": (folder / name).stat().st_size, "oid": COMMIT} for name in names
        ]
        return json.dumps(sizes).encode()
    about = {"id": "/".join(parts[:2]), "sha": COMMIT, "siblings": [{"rfilename": name} for name in names], "tags": []}
    return json.dumps(about).encode()
