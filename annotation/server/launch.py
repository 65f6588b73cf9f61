"""Start the server: in the foreground for a person, or under a handle for programs and tests.

    with running(Path("home"), port=0) as server:
        server.url, server.owner_key, server.password      # then server.kill9(), server.restart(), server.stop()

`become` turns the calling process into the server, so that there is no second one. Not covered: a service manager's
unit (run `python -m annotation serve` under it), Windows.
"""

from __future__ import annotations

import ipaddress
import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import environment, home
from .errors import ServerError
from .inside.places import Places

START_SECONDS = 90.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Start:
    """How to start: `port` 0 takes a free one, `origins` are pages elsewhere that may use the API."""

    port: int = 6900
    host: str = "127.0.0.1"
    origins: tuple[str, ...] = ()
    new_password: bool = False
    plain: bool = False
    as_json: bool = False


def become(path: Path, start: Start, say: Callable[[str], None], folder: Path | None = None) -> None:
    """Turn this process into the server of the home `path`; returns only by raising.

    Raises:
        ServerError: a server runs there, or its environment cannot be made.
    """
    places = home.make(path)
    lock = home.hold(places)
    try:
        python = environment.ready(folder or environment.default_folder(places.path), say=say)
        if not _is_local(start.host):
            say(
                f"anybody who reaches {start.host} can try to sign in, and plain HTTP lets passwords be read on the way"
            )
        os.set_inheritable(lock, True)
        command, variables = _command(python, places, start)
        os.execve(command[0], command, variables)
    finally:
        os.close(lock)


@dataclass
class Running:
    """A server that was started by this process."""

    places: Places
    python: Path
    start: Start
    url: str = ""
    password: str | None = None
    seconds: float = 0.0
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def owner_key(self) -> str:
        """The owner's API key (header `X-Argilla-Api-Key`)."""
        return home.credentials(self.places.path).api_key

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def begin(self) -> None:
        """Start it and wait until it answers; `url`, `seconds` and, the first time, `password` are set.

        Raises:
            ServerError: it ended before it answered, with what it said, or did not answer in 90 s.
        """
        lock = home.hold(self.places)
        try:
            command, variables = _command(self.python, self.places, self.start)
            with self._said.open("w") as said:
                self._process = subprocess.Popen(
                    command, env=variables, pass_fds=(lock,), stdout=subprocess.PIPE, stderr=said, text=True
                )
        finally:
            os.close(lock)
        told = json.loads(self._first_line())
        self.url, self.seconds = told["url"], told["seconds"]
        self.password = told["password"] or self.password
        # A restart answers at the same address.
        self.start = Start(**{**vars(self.start), "port": int(self.url.rsplit(":", 1)[1]), "new_password": False})

    def stop(self) -> int:
        """Stop it as Ctrl-C does, and kill it if it has not stopped in time; its exit status."""
        try:
            return self._end("terminate")
        except subprocess.TimeoutExpired:
            return self._end("kill")

    def kill9(self) -> None:
        """Kill it without a chance to clean up."""
        self._end("kill")

    def restart(self) -> None:
        """Start it again at the same address, stopping it first if it runs."""
        self.stop()
        self.begin()

    def log(self) -> str:
        """What it logged and said on standard error."""
        return "".join(path.read_text() for path in (self.places.log, self._said) if path.exists())

    @property
    def _said(self) -> Path:
        return self.places.path / "stderr.log"

    def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if select.select([self._process.stdout], [], [], 0.5)[0]:
                if line := self._process.stdout.readline():
                    return line
                self._process.wait()
                raise ServerError(
                    f"the server in {self.places.path} ended at its start: {self._said.read_text().strip()}"
                )
        self.kill9()
        raise ServerError(
            f"the server in {self.places.path} did not answer in {START_SECONDS:g} s; see {self.places.log}"
        )

    def _end(self, how: str) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            getattr(self._process, how)()
        try:
            return self._process.wait(timeout=STOP_SECONDS)
        finally:
            if self._process.stdout:
                self._process.stdout.close()


@contextmanager
def running(path: Path, port: int = 0, *, folder: Path | None = None, **settings: object) -> Iterator[Running]:
    """A server on the home `path` for the length of the block; `settings` are those of `Start`.

    Its environment is taken from `folder`, or as `serve` takes it, and made when missing.

    Raises:
        ServerError: it could not be started.
    """
    places = home.make(path)
    python = environment.ready(folder or environment.default_folder(places.path))
    server = Running(places, python, Start(port=port, **{**settings, "as_json": True}))  # type: ignore[arg-type]
    try:
        server.begin()
        yield server
    finally:
        server.stop()


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _command(python: Path, places: Places, start: Start) -> tuple[list[str], dict[str, str]]:
    """The server's command line and environment variables."""
    flags = {"--new-password": start.new_password, "--plain": start.plain, "--json": start.as_json}
    command = [str(python), "-P", "-m", "inside.main", "--home", str(places.path)]
    command += ["--host", start.host, "--port", str(start.port)]
    command += [part for origin in start.origins for part in ("--origin", origin)]
    command += [flag for flag, given in flags.items() if given]
    return command, {**environment.clean_variables(), "PYTHONPATH": str(Path(__file__).parent), "PYTHONUTF8": "1"}
