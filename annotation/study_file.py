"""A study without a server: the ledger's items as a blinded file that the page reads (`gaokerena.study`).

    made = study_file(Ledger(folder).items.values(), head, seed=1)
    write(Path("study.jsonl"), made)

What leaves is built field by field: question without gold, suite and subject, two answers by nobody, the opaque id. No
model, kind, twin, reason or grade has a place in that schema. Texts are cleaned as for Argilla, and an item that cannot
be clean is left out and counted. The order in the file is drawn anew, so it says nothing; a repeated item stands two
parts behind its twin, whatever a judge's own order (`StudyItem.part`).

Verdicts carry the same item ids and the same schema as Argilla's: on one machine the setting `study_out` may name the
workspace's own verdicts.jsonl, else append the lines to it. Not covered: choosing items (`push`, `queue`).
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from annotation.cleaning import Cleaner
from annotation.items import Item, ItemError, Shown
from gaokerena.comparisons import SIDES
from gaokerena.files import atomic
from gaokerena.questions import Question
from gaokerena.reasoning import steps
from gaokerena.study import StudyAnswer, StudyHead, StudyItem, lines, read_study

LETTERS, CODE_LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 6
"""Of codes: nobody mistakes one of these for another, and a slip of typing hardly gives another judge's code."""
PARTS = 3
"""Twins lie in the first and the last part; the middle one keeps them apart."""


@dataclass
class Made:
    """The file's contents, and what was left out and why."""

    head: StudyHead
    items: list[StudyItem] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    repeated: int = 0


def study_file(items: Iterable[Item], head: StudyHead, *, seed: int = 1) -> Made:
    """The blinded items in a drawn order. Raises ItemError where nothing is left."""
    known = {item.id: item for item in items}
    cleaner = Cleaner({shown.model for item in known.values() for shown in item.sides.values()})
    made = Made(head)
    clean: dict[str, Item] = {}
    for item in known.values():
        found = _clean(item, cleaner)
        if isinstance(found, str):
            made.refused[found] += 1
        else:
            clean[item.id] = found
    if not clean:
        raise ItemError(
            f"no item for a study ({dict(made.refused) or 'an empty ledger'}); fill the ledger: push --help"
        )
    parts = _parts(clean, random.Random(f"study:{seed}"))
    made.items = [_blinded(clean[name], part) for name, part in parts.items()]
    made.repeated = sum(item.twin in clean for item in clean.values())
    return made


def drawn_codes(path: Path, name: str, count: int) -> tuple[str, ...]:
    """Codes of `count` judges: those of the study of this name at `path`, whose verdicts they carry, then new ones.

    Raises StudyError where something else stands at `path`.
    """
    head = read_study(path)[0] if path.exists() else None
    codes = list(head.codes) if head and head.name == name else []
    while len(codes) < count:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        if code not in codes:
            codes.append(code)
    return tuple(codes)


def write(path: Path, made: Made) -> None:
    """The study's file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as half:
        half.write_text("".join(f"{line}\n" for line in lines(made.head, iter(made.items))), "utf-8")


def _clean(item: Item, cleaner: Cleaner) -> Item | str:
    """The item with clean texts, or why it cannot be shown."""
    question = cleaner.question(item.question)
    sides = {side: cleaner.shown(item.sides[side]) for side in SIDES}
    fault = cleaner.fault(question, sides["left"], sides["right"])
    return fault or item.model_copy(update={"question": question, "sides": sides})


def _parts(items: Mapping[str, Item], rng: random.Random) -> dict[str, int]:
    """The part of each item, in a drawn order."""
    names = sorted(items)
    rng.shuffle(names)
    late = {name for name in names if items[name].twin in items}
    early = {items[name].twin for name in late}
    if not late:
        return dict.fromkeys(names, 0)
    rest = [name for name in names if name not in late | early]
    spread = {name: place % PARTS for place, name in enumerate(rest)}
    return {name: 0 if name in early else PARTS - 1 if name in late else spread[name] for name in names}


def _blinded(item: Item, part: int) -> StudyItem:
    asked = Question(text=item.question.text, options=item.question.options)
    return StudyItem(id=item.id, question=asked, sides={side: _answer(item.sides[side]) for side in SIDES}, part=part)


def _answer(shown: Shown) -> StudyAnswer:
    return StudyAnswer(
        reasoning=shown.reasoning,
        steps=shown.steps or steps(shown.reasoning),
        conclusion=shown.conclusion.strip() or ("" if shown.reasoning.strip() else shown.text),
    )
