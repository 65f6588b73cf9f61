"""Start the unmodified argilla-server on a home folder, in this one process.

    ENVIRONMENT/bin/python -P -m inside.main --home DIR --port 6900     (../launch.py does it)

In order: the port is taken, settings are set, the database is brought up to date, the search engine and the queue are
put in place, stale statuses are repaired, the owner is made; then the server answers, and one announcement is printed.
It stops on SIGINT or SIGTERM. Trouble its user can mend ends it with status 2 and a line on standard error. Not
covered: several processes (the queue and the status lock are of one process).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from . import owner, settings
from .job_store import JobStore
from .jobs import Runner
from .places import OWNER, Places
from .queues import answer_for_jobs, stand_in
from .schema import SchemaError, bring_up_to_date
from .wrap import WheelChangedError

_STARTED = time.monotonic()


class StartError(Exception):
    """The server cannot start; the text says what to do."""


def main() -> None:
    """Run the server until it is told to stop."""
    given = _arguments()
    places = Places(Path(given.home))
    try:
        _run(given, places)
    except (StartError, SchemaError, WheelChangedError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a program's own voice
        sys.exit(2)
    finally:
        places.address.unlink(missing_ok=True)
        settings.remove_tmp(places)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inside.main", description=__doc__)
    parser.add_argument("--home", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6900)
    parser.add_argument("--origin", action="append", default=[], help="a page elsewhere that may use the API")
    parser.add_argument("--new-password", action="store_true", help="make and show a new password of the owner")
    parser.add_argument("--plain", action="store_true", help="without speed.py, to compare")
    parser.add_argument("--json", action="store_true", help="announce in one line of JSON")
    return parser.parse_args()


def _run(given: argparse.Namespace, places: Places) -> None:
    listening = _listen(given.host, given.port)
    os.umask(0o077)
    settings.own_tmp(places)
    settings.log_to_file(places)
    settings.apply(places, given.origin)
    runner = Runner(JobStore(places.jobs))
    stand_in(runner)
    import argilla_server
    import uvicorn

    bring_up_to_date(places)
    _put_in_place(places, runner, plain=given.plain)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn stops on them and then raises them again
    config = uvicorn.Config(argilla_server.app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    config.setup_event_loop()
    asyncio.run(_serve(given, places, runner, _announcing(uvicorn.Server)(config), listening))


def _listen(host: str, port: int) -> socket.socket:
    """The address taken, so that nobody else gets it while the server is loaded."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen()  # a socket that is bound and no more can be bound again
    except (OSError, OverflowError) as error:
        taken.close()
        raise StartError(f"{host}:{port} cannot be listened on ({error}); name another with --port or --host") from None
    return taken


def _put_in_place(places: Places, runner: Runner, *, plain: bool) -> None:
    import argilla_server
    from argilla_server.api.routes import api_v1

    from .engine import prepare, register
    from .privacy import remove_documentation
    from .speed import make_fast
    from .statuses import repair

    register()
    prepare(places.database_url)
    answer_for_jobs(runner)
    remove_documentation(argilla_server.app, api_v1)
    if not plain:
        make_fast()
    repair()


def _announcing(server: type[Any]) -> type[Any]:
    """uvicorn's server with a word when it answers."""

    class Announcing(server):  # type: ignore[misc]
        ready = asyncio.Event()

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                self.ready.set()

    return Announcing


async def _serve(
    given: argparse.Namespace, places: Places, runner: Runner, server: Any, listening: socket.socket
) -> None:
    password = await owner.ensure_owner(places, new_password=given.new_password)
    tasks = [
        asyncio.create_task(runner.work()),
        asyncio.create_task(_announce(given, places, server.ready, listening.getsockname()[1], password)),
    ]
    await server.serve(sockets=[listening])
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    if not server.started:
        raise StartError(f"the server did not start; its log is {places.log}")


async def _announce(
    given: argparse.Namespace, places: Places, ready: asyncio.Event, port: int, password: str | None
) -> None:
    await ready.wait()
    name = "127.0.0.1" if given.host in ("0.0.0.0", "::") else given.host
    url = f"http://{f'[{name}]' if ':' in name else name}:{port}"
    settings.write_private(places.address, json.dumps({"url": url, "pid": os.getpid()}))
    seconds = round(time.monotonic() - _STARTED, 2)
    print(_announcement(given, places, url, password, seconds), flush=True)  # noqa: T201 - a program's own voice
    if password is not None:
        owner.say_shown(places)


def _announcement(given: argparse.Namespace, places: Places, url: str, password: str | None, seconds: float) -> str:
    if given.json:
        told = {"url": url, "owner": OWNER, "password": password, "home": str(places.path), "pid": os.getpid()}
        return json.dumps({**told, "seconds": seconds, "owner_file": str(places.owner)})
    shown = (
        f"password  {password}   (shown this once)" if password else "password  as before (--new-password makes one)"
    )
    return f"Argilla answers at {url} after {seconds:.1f} s; stop it with Ctrl-C\nuser      {OWNER}\n{shown}"


if __name__ == "__main__":
    main()
