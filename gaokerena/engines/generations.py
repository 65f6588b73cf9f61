"""Fresh answers kept for the next time: an append-only file of JSON lines in the schema of `transcripts`.

    kept = Generations(Path("generations.jsonl"))
    name = key(request, revision)
    kept.find(name) or kept.add(record(request, ...))

A line is on the disk before `add` returns. A last line cut off by a crash is passed over, and cut away by the next
`add`; several threads and processes may write to one file. Every text that is kept is scrubbed of personal identifiers
first, yet it is kept: put no visitor's question here who has not agreed to that.

Not covered: throwing old answers out; systems without POSIX file locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from gaokerena.answers import FinishReason, Usage
from gaokerena.bidi import strip
from gaokerena.comparisons import now
from gaokerena.engines.base import Request, Sampling
from gaokerena.messages import Message
from gaokerena.prompts import asked
from gaokerena.scrub import scrub
from gaokerena.transcripts import Transcript, TranscriptsError


class Generation(Transcript):
    """One fresh answer. The first `reasoning_chars` characters of `response` are its chain of thought.

    `suite` is empty and `question_index` 0: `question_id` is what joins it to a suite. `run` is the seed, `history`
    the turns before the question.
    """

    key: str
    question_id: str
    history: tuple[Message, ...] = ()
    sampling: Sampling
    seed: int
    revision: str
    usage: Usage
    finish_reason: FinishReason
    reasoning_chars: int
    at: str


def key(request: Request, revision: str) -> str:
    """SHA-256 of all that decides an answer. A greedy answer does not depend on its seed, so neither does its key."""
    deciding = {
        "model": request.model,
        "revision": revision,
        "prompting": request.prompting,
        "messages": [[turn.role, turn.content] for turn in request.messages],
        "sampling": asdict(request.sampling),
        "seed": request.seed if request.sampling.temperature > 0 else 0,
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def record(
    request: Request, reasoning: str, text: str, usage: Usage, finish_reason: FinishReason, revision: str
) -> Generation:
    """The row that keeps one answer to `request`, clean of personal identifiers and of bidi marks."""
    turn, earlier = request.messages[-1], request.messages[:-1]
    question, options = asked(turn.content)
    a, b, c, d = (_clean(option) for option in options or ("",) * 4)
    reasoning = _clean(reasoning)
    return Generation(
        suite="",
        subject="",
        question_index=0,
        question=_clean(question),
        option_a=a,
        option_b=b,
        option_c=c,
        option_d=d,
        gold=None,
        model=request.model,
        prompting=request.prompting,
        run=request.seed,
        prompt=_clean(turn.content),
        response=reasoning + _clean(text),
        annotated_choice=None,
        key=key(request, revision),
        question_id=request.question_id,
        history=tuple(Message(turn.role, _clean(turn.content)) for turn in earlier),
        sampling=request.sampling,
        seed=request.seed,
        revision=revision,
        usage=usage,
        finish_reason=finish_reason,
        reasoning_chars=len(reasoning),
        at=now(),
    )


def _clean(text: str) -> str:
    return scrub(strip(text)).text


class Generations:
    """The file: `find` by key, `add` a row. In memory are only the keys and where their lines begin.

    Raises TranscriptsError for a line that is not a generation, OSError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._places: dict[str, int] = {}
        self._seen = 0
        self._lines = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass  # an unwritable place is an error now, not after the first long answer
        with self._lock, path.open("rb") as file:
            self._catch_up(file)

    def __len__(self) -> int:
        return len(self._places)

    def find(self, name: str) -> Generation | None:
        """The newest row with this key, also one that another process has added since."""
        with self._lock, self.path.open("rb") as file:
            self._catch_up(file)
            if name not in self._places:
                return None
            file.seek(self._places[name])
            return Generation.model_validate_json(file.readline())

    def add(self, generation: Generation) -> None:
        """Keep one row; it has reached the disk on return."""
        line = generation.model_dump_json().encode() + b"\n"
        with self._lock, self.path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file closes
            self._catch_up(file)
            file.truncate(self._seen)  # nobody else writes now: what follows the last whole line was torn
            file.seek(self._seen)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            self._note(line)

    def _catch_up(self, file: BinaryIO) -> None:
        """Take in the whole lines that were written since the last look."""
        if os.fstat(file.fileno()).st_size < self._seen:  # the file was replaced by a shorter one
            self._places, self._seen, self._lines = {}, 0, 0
        file.seek(self._seen)
        while (line := file.readline()).endswith(b"\n"):
            self._note(line)

    def _note(self, line: bytes) -> None:
        try:
            row = Generation.model_validate_json(line)
        except ValidationError as error:
            place = f"{self.path}:{self._lines + 1}"
            raise TranscriptsError(f"{place}: not a generation; delete that line, or name another file") from error
        self._places[row.key] = self._seen
        self._seen += len(line)
        self._lines += 1
