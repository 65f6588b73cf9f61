"""Talk to a server through its HTTP API, as programs do, and listen to its webhooks."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from annotation.server.launch import Running

TEXT = "آیا تب ۳۹ درجه در نوزاد خطرناک است؟"


def talk(server: Running, key: str | None = None) -> httpx.Client:
    """A client of the API with the key of the owner, or of another user."""
    headers = {"X-Argilla-Api-Key": key or server.owner_key}
    return httpx.Client(base_url=f"{server.url}/api/v1/", headers=headers, timeout=60, trust_env=False)


def sign_in(server: Running, name: str, password: str | None) -> httpx.Response:
    """What signing in answers."""
    return httpx.post(
        f"{server.url}/api/v1/token", data={"username": name, "password": password}, timeout=60, trust_env=False
    )


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """The answer to a POST that must succeed."""
    answer = client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def make_dataset(client: httpx.Client, name: str, min_submitted: int = 1) -> str:
    """A published dataset with one text and one question; its id."""
    workspace = post(client, "workspaces", {"name": name})["id"]
    distribution = {"strategy": "overlap", "min_submitted": min_submitted}
    dataset = post(client, "datasets", {"name": name, "workspace_id": workspace, "distribution": distribution})["id"]
    text = {"name": "text", "title": "text", "required": True, "settings": {"type": "text", "use_markdown": False}}
    post(client, f"datasets/{dataset}/fields", text)
    options = [{"value": value, "text": value} for value in ("yes", "no")]
    label = {"type": "label_selection", "options": options}
    post(client, f"datasets/{dataset}/questions", {"name": "ok", "title": "ok", "required": True, "settings": label})
    assert client.put(f"datasets/{dataset}/publish").is_success
    return str(dataset)


def log(client: httpx.Client, dataset: str, count: int, start: int = 0) -> list[str]:
    """Log `count` records; their ids."""
    items = [{"external_id": f"item-{number}", "fields": {"text": TEXT}} for number in range(start, start + count)]
    answer = client.put(f"datasets/{dataset}/records/bulk", json={"items": items})
    assert answer.is_success, answer.text
    return [item["id"] for item in answer.json()["items"]]


def answer(client: httpx.Client, record: str, status: str = "submitted") -> None:
    """Answer a record."""
    post(client, f"records/{record}/responses", {"status": status, "values": {"ok": {"value": "yes"}}})


def statuses(client: httpx.Client, records: list[str]) -> list[str]:
    """The status of each record, as the server tells it."""
    return [client.get(f"records/{record}").raise_for_status().json()["status"] for record in records]


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return true()


class Listener:
    """A webhook's receiver: what came, and a gate that can hold answers back."""

    def __init__(self) -> None:
        self.came: queue.Queue[dict[str, Any]] = queue.Queue()
        self.arrived = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.url = ""

    def next(self, seconds: float = 20) -> dict[str, Any]:
        """The next event."""
        return self.came.get(timeout=seconds)


@contextmanager
def listening() -> Iterator[Listener]:
    """A receiver on a free port."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            listener.arrived.set()
            listener.gate.wait(30)
            listener.came.put(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # type: ignore[method-assign] - a killed server hangs up
    threading.Thread(target=http.serve_forever, daemon=True).start()
    listener.url = f"http://127.0.0.1:{http.server_port}/"
    try:
        yield listener
    finally:
        listener.gate.set()
        http.shutdown()
        http.server_close()
