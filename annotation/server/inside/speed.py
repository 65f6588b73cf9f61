"""What makes the unmodified server fast enough on SQLite: wrapped from outside, each with its reason.

    make_fast()               # after `import argilla_server`, before it serves

* events nobody wants are not built (events.py);
* a question's settings are parsed by one parser and not by one built anew for each value of each answer (the stock
  server spends half its time on an answer there);
* whether a user belongs to a workspace is read from the workspaces loaded with the user, not asked again;
* JSON is stored as UTF-8 and not as six bytes for every Persian letter;
* short SQL statements run without a change of thread, and writers wait in line (at_once.py);
* the header with a request's time is added without a task and two queues for each request;
* what was loaded at the start is kept out of garbage collections, which walked 260 MB now and then;
* a record's status is written in one statement (statuses.py).

Measured by benchmarks/annotation.py against the same server without this. Not covered: what would need the wheel to be
edited (its ORM loads, two look-ups of the user for every request).
"""

from __future__ import annotations

import gc
import inspect
import json
import time
from typing import Any

from . import at_once
from .events import skip_unwanted
from .statuses import update_at_once
from .wrap import Function, WheelChangedError


def make_fast() -> None:
    """Wrap argilla-server; it must be imported and not yet serving."""
    at_once.install()
    update_at_once(skip_unwanted())
    _keep_parsers()
    _look_at_loaded_workspaces()
    _store_utf8()
    _tell_time_plainly()
    gc.collect()
    gc.freeze()


def to_json(value: Any) -> str:
    """JSON with its letters as they are; escaped when half a surrogate pair, which UTF-8 lacks, is among them."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _keep_parsers() -> None:
    from argilla_server.api.schemas.v1.questions import QuestionSettings
    from argilla_server.models import MetadataProperty, Question
    from argilla_server.models.metadata_properties import MetadataPropertySettings
    from pydantic import TypeAdapter

    for model, kind in ((Question, QuestionSettings), (MetadataProperty, MetadataPropertySettings)):
        if not isinstance(vars(model).get("parsed_settings"), property):
            raise WheelChangedError(f"{model.__name__}.parsed_settings is no property; install the pinned release")
        model.parsed_settings = property(_parsing(TypeAdapter(kind)))


def _parsing(parser: Any) -> Function:
    def parsed_settings(self: Any) -> Any:
        return parser.validate_python(self.settings)

    return parsed_settings


def _look_at_loaded_workspaces() -> None:
    from argilla_server.models import User

    stock = vars(User).get("is_member")
    if stock is None or tuple(inspect.signature(stock).parameters) != ("self", "workspace_id"):
        raise WheelChangedError("User.is_member does not take a workspace's id; install the pinned release")

    async def is_member(self: Any, workspace_id: Any) -> bool:
        if self.is_relationship_loaded("workspaces"):
            return any(workspace.id == workspace_id for workspace in self.workspaces)
        return bool(await stock(self, workspace_id))

    User.is_member = is_member


def _store_utf8() -> None:
    from argilla_server.database import async_engine, sync_engine

    for engine in (async_engine.sync_engine, sync_engine):
        engine.dialect._json_serializer = to_json  # what `create_engine(json_serializer=)` sets


class ServerTiming:
    """Argilla's `Server-Timing` header, as a plain ASGI layer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on; the answer's first message gets the header."""
        start = time.perf_counter()

        async def timed(message: Any) -> None:
            if message["type"] == "http.response.start":
                took = f"total;dur={(time.perf_counter() - start) * 1000}"
                message = {**message, "headers": [*message["headers"], (b"server-timing", took.encode())]}
            await send(message)

        await self.app(scope, receive, timed if scope["type"] == "http" else send)


def _tell_time_plainly() -> None:
    import argilla_server
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware

    layers = argilla_server.app.user_middleware
    slow = [layer for layer in layers if layer.cls is BaseHTTPMiddleware]
    if [layer.kwargs["dispatch"].__name__ for layer in slow] != ["add_server_timing_header"]:
        raise WheelChangedError("argilla-server has other middleware than expected; install the pinned release")
    layers[layers.index(slow[0])] = Middleware(ServerTiming)
