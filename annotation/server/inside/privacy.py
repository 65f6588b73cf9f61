"""Take the API's documentation pages out of the server.

Argilla's setting for it (`ARGILLA_DOCS_ENABLED`) is read nowhere in 2.8.0, and the pages load scripts from another
host. The paths then answer with the web page, as every path it does not know. Not covered: `GET /api/v1/status`, which
tells versions and memory to anybody who reaches the port.
"""

from __future__ import annotations

from typing import Any

PAGES = {"/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/api"}


def remove_documentation(*apps: Any) -> None:
    """Remove those pages from each of Argilla's FastAPI `apps`."""
    for app in apps:
        app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) not in PAGES]
