"""A proxy in front of a model server that counts what passes: every request's body, and which replies went out whole.

with counting("http://127.0.0.1:8080") as proxy: ...    # proxy.base_url, proxy.asked, proxy.answered
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Counted:
    """What passed. `content` of a body names what decides its reply."""

    base_url: str = ""
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)


def content(body: dict[str, Any]) -> str:
    return json.dumps([body["model"], body["messages"], body["seed"], body["temperature"]], ensure_ascii=False)


@contextmanager
def counting(upstream: str) -> Iterator[Counted]:
    """Pass every POST on to `upstream` (no trailing slash) and its stream back."""
    counted = Counted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            name = content(json.loads(data))
            counted.asked.append(name)
            request = urllib.request.Request(upstream + self.path, data, {"content-type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=120) as reply:
                    self.send_response(reply.status)
                    self.send_header("content-type", reply.headers["content-type"])
                    self.end_headers()
                    for line in reply:
                        self.wfile.write(line)
                        self.wfile.flush()
            except OSError:  # the other side was killed
                return
            counted.answered.append(name)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    counted.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield counted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
