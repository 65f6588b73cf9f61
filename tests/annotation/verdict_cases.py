"""Items and verdicts made by hand, and doctors who err at known rates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from annotation.items import Item, Shown
from annotation.judged import OUTCOMES, Judged
from gaokerena.expert_verdicts import ExpertVerdict, Grade, SideVerdict
from gaokerena.questions import Question

BEGAN = datetime(2026, 11, 1, 8, tzinfo=UTC)
STEPS = ("گام ۱: تب سه‌روزه است.", "گام ۲: سفتی گردن دارد.", "گام ۳: پس مننژیت را باید رد کرد.")
SAID: dict[str, Grade] = {"left": "left", "right": "right", "neither": "equal"}


def item(name: str, **more: Any) -> Item:
    """A question answered straight on the left and with three steps on the right."""
    straight = Shown(model="v", revision="v1", text=f"استراحت کنید و مایعات بنوشید ({name}).")
    reasoning, conclusion = "\n".join(STEPS), "به اورژانس بروید."
    cot = Shown(
        model="r",
        revision="r1",
        text=f"{reasoning}\n{conclusion}",
        reasoning=reasoning,
        steps=STEPS,
        conclusion=conclusion,
    )
    fields: dict[str, Any] = {
        "id": name, "origin": "store", "question": Question(text=f"کودکم تب دارد، چه کنم؟ ({name})"),
        "sides": {"left": straight, "right": cot}, "seed": 1, "at": "2026-11-01T00:00:00.000+00:00",
    } | more  # fmt: skip
    return Item(**fields)


def twin_of(original: Item, name: str) -> Item:
    """The item with its sides exchanged."""
    sides = {"left": original.sides["right"], "right": original.sides["left"]}
    return original.model_copy(update={"id": name, "kind": "duplicate", "twin": original.id, "sides": sides})


def verdict(judge: str, about: str, grade: Grade | None, minute: float = 0, **more: Any) -> ExpertVerdict:
    """A submitted verdict of fixed id and time."""
    fields: dict[str, Any] = {
        "id": f"d/{judge}-{about}", "item_id": about, "judge": judge, "grade": grade, "status": "submitted",
        "at": (BEGAN + timedelta(minutes=minute)).isoformat(timespec="milliseconds"), "where": "argilla",
        "guideline_version": "fa-1",
    } | more  # fmt: skip
    return ExpertVerdict(**fields)


def judged(judge: str, about: Item, grade: Grade | None, minute: float = 0, **more: Any) -> Judged:
    return Judged(about, verdict(judge, about.id, grade, minute, **more))


def steps_said(left: int | None = None, right: int | None = None) -> dict[str, Any]:
    """What was said of both sides, first wrong steps alone."""
    return {
        "sides": {"left": SideVerdict(first_wrong_step=left), "right": SideVerdict(first_wrong_step=right)},
    }


def confusion(accuracy: float) -> np.ndarray[Any, Any]:
    """A doctor who errs either way alike."""
    return np.full((3, 3), (1 - accuracy) / 2) + np.eye(3) * (accuracy - (1 - accuracy) / 2)


def simulated(
    errors: dict[str, np.ndarray[Any, Any]], count: int, seed: int, *, gold: int = 0, duplicates: int = 0
) -> tuple[list[Judged], list[int]]:
    """(verdicts of doctors with these confusions on `count` items, the true outcomes).

    The first `gold` items are gold; the next `duplicates` come a second time with their sides exchanged.
    """
    generator = np.random.default_rng(seed)
    truths = generator.choice(3, size=count, p=[0.4, 0.4, 0.2]).tolist()
    rows, minute = [], 0.0
    for place, truth in enumerate(truths):
        kind = {"kind": "gold", "gold": SAID[OUTCOMES[truth]]} if place < gold else {}
        shown = item(f"i{place:04}", **kind)
        for judge, rates in errors.items():
            said = SAID[OUTCOMES[int(generator.choice(3, p=rates[truth]))]]
            rows.append(judged(judge, shown, said, minute := minute + 1))
            if gold <= place < gold + duplicates:
                turned = (1, 0, 2)[truth]
                again = SAID[OUTCOMES[int(generator.choice(3, p=rates[turned]))]]
                rows.append(judged(judge, twin_of(shown, f"t{place:04}"), again, minute := minute + 1))
    return rows, truths
