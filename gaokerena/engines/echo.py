"""An engine that plays a script: given text at a given pace. For demos without models, for tests, for timing work.

    engine = EchoEngine({"v": Script("پاسخ کوتاه"), "r": Script("فکر…", thought="گام ۱", seconds=5)})

Every row has a thread of its own, so rows never wait for one another. Not covered: anything about content.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gaokerena.answers import Usage
from gaokerena.engines.base import Event, Failed, Finished, Reasoning, Request, Stop, Text, drain

DEFAULT_THOUGHT = "۱. نخست پرسش را دوباره می‌خوانم.\n۲. سپس آنچه پرسیده شده را از آنچه گفته شده جدا می‌کنم.\n"


@dataclass(frozen=True, slots=True)
class Script:
    """What a model says: `thought` first (under `cot`), then `text`, evenly over `seconds`, after `delay` seconds.

    With `error` the row fails after its text, with that message.
    """

    text: str
    thought: str = ""
    seconds: float = 0.0
    delay: float = 0.0
    error: str = ""


Scripted = Script | Callable[[Request], Script]


def _repeat(request: Request) -> Script:
    said = request.messages[-1].content.split("\n")[0]
    return Script(f"شما پرسیدید: «{said}»", thought=DEFAULT_THOUGHT, seconds=1.0)


class EchoEngine:
    """Plays one `Script` per model; a model without one repeats the question."""

    def __init__(self, scripts: Mapping[str, Scripted] | None = None) -> None:
        self._scripts: dict[str, Scripted] = {"v": _repeat, "r": _repeat, **(scripts or {})}
        self._closed = threading.Event()

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self._scripts)

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`: every row plays on its own clock."""
        stop = stop or Stop()
        events: queue.Queue[tuple[int, Event]] = queue.Queue()
        for row, request in enumerate(requests):
            threading.Thread(target=self._play, args=(row, request, stop, events), daemon=True).start()
        yield from drain(events, len(requests), stop)

    def close(self) -> None:
        self._closed.set()

    def _play(self, row: int, request: Request, stop: Stop, events: queue.Queue[tuple[int, Event]]) -> None:
        if request.model not in self._scripts:
            detail = f"no script for model {request.model!r}"
            events.put((row, Failed("این مدل در دسترس نیست.", detail, "This model is not available.")))
            return
        scripted = self._scripts[request.model]
        script = scripted if isinstance(scripted, Script) else scripted(request)
        pieces: list[Event] = [Reasoning(word) for word in _words(script.thought if request.prompting == "cot" else "")]
        pieces += [Text(word) for word in _words(script.text)]
        said = 0
        self._wait(script.delay, row, stop)
        for piece in pieces:
            if stop.stopped(row) or self._closed.is_set():
                break
            events.put((row, piece))
            said += 1
            self._wait(script.seconds / len(pieces), row, stop)
        usage = Usage(prompt_tokens=sum(len(_words(turn.content)) for turn in request.messages), completion_tokens=said)
        if stop.stopped(row) or self._closed.is_set():
            events.put((row, Finished(usage, "stopped", "echo")))
        elif script.error:
            events.put((row, Failed(script.error)))
        else:
            events.put((row, Finished(usage, "stop", "echo")))

    def _wait(self, seconds: float, row: int, stop: Stop) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not stop.stopped(row) and not self._closed.is_set():
            time.sleep(min(left, 0.02))


def _words(text: str) -> list[str]:
    """`text` cut after each blank, so that the pieces joined are the text."""
    *heads, last = text.split(" ")
    return [word for word in (*(f"{head} " for head in heads), last) if word]
