"""A hub on this machine for data sets: serves folders the way huggingface_hub asks for them, or refuses.

    with dataset_hub({"owner/name": folder}, refused={"owner/hidden": 401}, gated={"owner/name"}) as address:
        ...                                                                             # HF_ENDPOINT=address

A gated repository shows what it holds to everybody and refuses its files, as the Hub does.
Models are served by tests/engines/hub_server.py.
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

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
_ERRORS = {401: "RepoNotFound", 403: "GatedRepo", 404: "RepoNotFound"}


@contextmanager
def dataset_hub(
    repositories: Mapping[str, Path], refused: Mapping[str, int] | None = None, gated: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Serve `repositories` until the `with` ends, answer `refused` with their status; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path).strip("/").removeprefix("api/").removeprefix("datasets/")
            owner, _, rest = path.partition("/")
            name, _, rest = rest.partition("/")
            repository = f"{owner}/{name}"
            status = (refused or {}).get(repository, 200 if repository in repositories else 404)
            content = b""
            if repository in gated and rest.startswith("resolve/"):
                status = 403
            if status == 200:
                found = _content(repositories[repository], rest, repository)
                status, content = (404, b"") if found is None else (200, found)
            self.send_response(status)
            if status in _ERRORS:
                self.send_header("X-Error-Code", _ERRORS[status])
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

    with serving(Handler) as address:
        yield address


def _content(folder: Path, rest: str, repository: str) -> bytes | None:
    """What stands behind a path inside a repository: a file, the tree, or the description."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    if rest.startswith("resolve/"):
        file = folder / rest.split("/", 2)[2]
        return file.read_bytes() if file.is_file() else None
    if rest.startswith("tree/"):
        sizes = [path.stat().st_size for path in files]
        tree = [
            {"type": "file", "path": name, "size": size, "oid": COMMIT} for name, size in zip(names, sizes, strict=True)
        ]
        return json.dumps(tree).encode()
    if rest.startswith("revision/") and rest.split("/", 1)[1] not in ("main", COMMIT):
        return None
    siblings = [{"rfilename": name} for name in names]
    return json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()
