"""A study without a server: a blinded file of items, who judged which, and where their verdicts go.

    study = Study(Path("study.jsonl"), Path("runs/study-verdicts.jsonl"))
    code = study.enter("پ۱۲")                                # the judge's pseudonym, tidied; RefusalError for no code
    place = study.place(code)                                # the next item, how many are done, of how many
    saved = study.submit(code, place.item.id, given, seconds=41.5)     # on the disk when it returns

A study file is JSON lines: a head (`StudyHead`) and items (`StudyItem`). It names no model and no gold, so neither can
what is shown of it. `python -m annotation study-file` makes one; the ledger it is made from is refused here.

The order is each code's own, fixed by the study's name and the code. Nothing is remembered but the file of verdicts,
which is read again at every look: several pages, tabs and processes may serve one study, and any of them may be killed.
A verdict sent twice is kept once; one that differs replaces the former, which stays in the file.

Not covered: who may know a code, showing (`ui.study`), reading what was sent (`study_answers`).
"""

from __future__ import annotations

import logging
import random
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gaokerena.append_only import whole_lines
from gaokerena.comparisons import Side
from gaokerena.expert_verdicts import ExpertVerdict, VerdictFile
from gaokerena.intake import RefusalError
from gaokerena.persian import ascii_digits, tidy
from gaokerena.questions import Question
from gaokerena.study_answers import made

log = logging.getLogger(__name__)

_CODE = re.compile(r"[\w-]{2,40}")


class StudyError(OSError):
    """A study's file cannot be used; the text names the file, the line and the next step."""


class StudyHead(BaseModel):
    """The first line. `guidelines` is Markdown; with `codes` only these judges may enter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["gaokerena-study"] = "gaokerena-study"
    schema_version: int = 1
    name: str = Field(min_length=1)
    guideline_version: str = Field(min_length=1)
    guidelines: str = ""
    codes: tuple[str, ...] = ()


class StudyAnswer(BaseModel):
    """One answer as it is shown; whose it is stands nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasoning: str = ""
    steps: tuple[str, ...] = ()
    conclusion: str = ""


class StudyItem(BaseModel):
    """One comparison to judge. Items of a lower `part` come first, whatever the code (a repeated one comes late)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_-]+$")
    question: Question
    sides: dict[Side, StudyAnswer] = Field(min_length=2)
    part: int = Field(default=0, ge=0)

    @field_validator("question")
    @classmethod
    def _without_gold(cls, question: Question) -> Question:
        if question.gold:
            raise ValueError("a study's question must not name its gold letter")
        return question


@dataclass(frozen=True, slots=True)
class Place:
    """Where a judge stands. `item` None: all are done."""

    item: StudyItem | None
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Saved:
    """A verdict on the disk. `replaced`: it took the place of one that said something else."""

    verdict: ExpertVerdict
    replaced: bool


def read_study(path: Path) -> tuple[StudyHead, dict[str, StudyItem]]:
    """The head and the items by id, in the file's order. Raises StudyError."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise StudyError(f"study {path} cannot be read ({error.strerror}); name a study file") from error
    remake = "make the file again with `python -m annotation study-file`"
    if len(lines) < 2:
        raise StudyError(f"study {path} has {len(lines)} lines and needs a head and an item; {remake}")
    number = 1
    try:
        head = StudyHead.model_validate_json(lines[0])
        items: dict[str, StudyItem] = {}
        for number, line in enumerate(lines[1:], 2):
            item = StudyItem.model_validate_json(line)
            if items.setdefault(item.id, item) is not item:
                raise StudyError(f"study {path}:{number}: item {item.id} stands there twice; {remake}")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or "line"
        raise StudyError(f"study {path}:{number}: {place}: {fault['msg']}; {remake}") from error
    return head, items


class Study:
    """One study. Safe from several threads and processes. Raises StudyError, OSError."""

    def __init__(self, path: Path, out: Path) -> None:
        self.head, self.items = read_study(path)
        self._out = VerdictFile(out)
        self._lock = threading.Lock()
        self._read_to = 0
        self._rows = 0
        self._given: dict[str, dict[str, ExpertVerdict]] = {}
        self._look(strict=True)

    def close(self) -> None:
        self._out.close()

    def enter(self, typed: object) -> str:
        """The code typed, as it is kept. Raises RefusalError for one that is empty, odd or not of this study."""
        code = ascii_digits(tidy(str(typed))).casefold() if isinstance(typed, str) else ""
        if not _CODE.fullmatch(code):
            raise RefusalError(
                "کد باید ۲ تا ۴۰ حرف یا رقم باشد، بدون فاصله. کدی را که به شما داده‌اند بنویسید.",
                "A code has 2 to 40 letters or digits, no blanks. Type the code you were given.",
            )
        if self.head.codes and code not in {ascii_digits(tidy(known)).casefold() for known in self.head.codes}:
            raise RefusalError(
                "این کد در این پژوهش نیست. آن را دوباره بخوانید یا از برگزارکننده بپرسید.",
                "This code is not part of the study. Read it again, or ask whoever runs the study.",
            )
        return code

    def order(self, code: str) -> list[StudyItem]:
        """All items in the order this judge meets them."""
        items = list(self.items.values())
        random.Random(f"{self.head.name}:{code}").shuffle(items)
        return sorted(items, key=lambda item: item.part)

    def place(self, code: str) -> Place:
        """The first item this judge has not judged, and how many are done."""
        given = self.given(code)
        left = [item for item in self.order(code) if item.id not in given]
        return Place(left[0] if left else None, len(self.items) - len(left), len(self.items))

    def given(self, code: str) -> Mapping[str, ExpertVerdict]:
        """This judge's verdicts that stand, by item, in the order of the first saying."""
        with self._lock:
            self._look()
            return dict(self._given.get(code, {}))

    def before(self, code: str, item_id: str) -> ExpertVerdict | None:
        """The verdict given before the one on `item_id`, or the last one where that is not judged yet."""
        given = list(self.given(code).values())
        places = [place for place, verdict in enumerate(given) if verdict.item_id == item_id]
        earlier = given[: places[0]] if places else given
        return earlier[-1] if earlier else None

    def submit(self, code: str, item_id: object, given: object, seconds: object) -> Saved:
        """Keep a verdict; it has reached the disk on return. `given` may be anything a page or a program sent.

        Raises RefusalError for what is no verdict or no item of this study, OSError where it cannot be written.
        """
        item = self.items.get(item_id) if isinstance(item_id, str) else None
        if not item:
            raise RefusalError(
                "این مورد در این پژوهش نیست. صفحه را تازه کنید؛ نوشته‌های شما می‌ماند.",
                f"Item {str(item_id)[:40]!r} is not part of the study. Reload the page; what you wrote stays.",
            )
        steps = {side: len(answer.steps) for side, answer in item.sides.items()}
        verdict = made(item.id, self.enter(code), given, seconds, steps, self.head.guideline_version)
        with self._lock:
            self._look()
            former = self._given.get(verdict.judge, {}).get(item.id)
            if former is None or not _same(former, verdict):
                self._out.append(verdict)
        return Saved(verdict, former is not None and not _same(former, verdict))

    def _look(self, *, strict: bool = False) -> None:
        """Take in the rows appended since the last look, by whomever; called with the lock held.

        A line that is no verdict stops the start of a study, but no doctor in the middle of one.
        """
        for line in whole_lines(self._out.path, self._read_to):
            self._rows += 1
            self._read_to += len(line)
            try:
                verdict = ExpertVerdict.model_validate_json(line)
            except ValidationError as error:
                told = error.errors(include_url=False, include_input=False)[0]["msg"]
                complaint = f"{self._out.path}:{self._rows}: {told}; mend or delete that line"
                if strict:
                    raise StudyError(complaint) from error
                log.error("a row of the study was passed over: %s", complaint)
                continue
            if verdict.status == "submitted" and verdict.item_id in self.items:
                self._given.setdefault(verdict.judge, {})[verdict.item_id] = verdict


def _same(one: ExpertVerdict, other: ExpertVerdict) -> bool:
    """Whether two verdicts say the same, whenever and however fast."""
    times = {"at": "", "seconds": None}
    return one.model_copy(update=times) == other.model_copy(update=times)


def open_study(path: Path | None, out: Path) -> Study | None:
    """The study of the settings `study` and `study_out`; None where it is not set."""
    return Study(path, out) if path else None


def lines(head: StudyHead, items: Iterator[StudyItem]) -> Iterator[str]:
    """The lines of a study file."""
    yield head.model_dump_json()
    yield from (item.model_dump_json() for item in items)
