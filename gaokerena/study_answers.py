"""From what a doctor's page sent to an `ExpertVerdict`, or a refusal that says what is missing or wrong.

    made("i3f…", "p12", {"grade": "left", "right": {"scales": {"safety": 3}, "step": 2}}, 41.5, {...}, "fa-1")

`given`: grade, corrected, confidence, cannot_judge, personal_data, and for `left` and `right`: scales, faults, step.
All but the grade may be left out; without it the doctor must say that they cannot judge (which takes a grade back) or
that there is personal data. Figures may come as text, as forms send them. The corrected answer is scrubbed of personal
identifiers and bidi marks.

Not covered: whether the item exists, and keeping the verdict (`study`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from gaokerena.bidi import strip
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import (
    FAULTS,
    GRADES,
    SCALE_HIGH,
    SCALE_LOW,
    SCALES,
    STEPS,
    ExpertVerdict,
    Fault,
    Grade,
    Scale,
    SideVerdict,
)
from gaokerena.intake import RefusalError
from gaokerena.persian import persian_digits
from gaokerena.scrub import scrub

CORRECTED_LIMIT = 20_000
CONFIDENCES = (1, 2, 3)
LONGEST_SECONDS = 86_400.0
"""A day over one item is a page left open, not time spent."""


def made(
    item_id: str, judge: str, given: object, seconds: object, steps: Mapping[Side, int], guideline_version: str
) -> ExpertVerdict:
    """The verdict; `given` and `seconds` may be of any type and value, `steps` counts each side's chain of thought.

    Raises RefusalError.
    """
    sent = _mapping(given)
    cannot, personal = sent.get("cannot_judge") is True, sent.get("personal_data") is True
    sides = {side: _side(sent.get(side) or {}, steps.get(side, 0)) for side in SIDES}
    return ExpertVerdict(
        id=f"page.{item_id}.{judge}",
        item_id=item_id,
        judge=judge,
        status="submitted",
        where="page",
        guideline_version=guideline_version,
        seconds=_seconds(seconds),
        grade=None if cannot else _grade(sent.get("grade"), needed=not personal),
        sides={side: said for side, said in sides.items() if said != SideVerdict()},
        corrected=_corrected(sent.get("corrected") or ""),
        confidence=_figure("confidence", sent.get("confidence"), CONFIDENCES),
        cannot_judge=cannot,
        personal_data=personal,
    )


def step_choices(steps: int) -> range:
    """What may be said of a chain of `steps` steps: 0 none is wrong, 1 to 20, and 21 a later one."""
    return range(min(steps, STEPS + 1) + 1)


def _grade(given: object, *, needed: bool) -> Grade | None:
    if given in (None, ""):
        if needed:
            raise RefusalError(
                "نخست بگویید کدام پاسخ بهتر است، یا «نمی‌توانم داوری کنم» را برگزینید.",
                "Say first which answer is better, or choose “I cannot judge”.",
            )
        return None
    if not (isinstance(given, str) and given in GRADES):
        raise _unknown("grade", given, GRADES)
    return given


def _side(given: object, steps: int) -> SideVerdict:
    sent = _mapping(given)
    scales = _mapping(sent.get("scales") or {})
    if wrong := [name for name in scales if name not in SCALES]:
        raise _unknown("scale", wrong[0], SCALES)
    marks = {name: _figure(name, scales.get(name), range(SCALE_LOW, SCALE_HIGH + 1)) for name in SCALES}
    return SideVerdict(
        scales=cast(dict[Scale, int], {name: mark for name, mark in marks.items() if mark is not None}),
        faults=_faults(sent.get("faults") or ()),
        first_wrong_step=_figure("step", sent.get("step"), step_choices(steps)) if steps else None,
    )


def _faults(given: object) -> tuple[Fault, ...]:
    if not isinstance(given, list | tuple):
        raise _unknown("faults", given, FAULTS)
    if wrong := [fault for fault in given if not (isinstance(fault, str) and fault in FAULTS)]:
        raise _unknown("fault", wrong[0], FAULTS)
    return tuple(fault for fault in FAULTS if fault in given)


def _corrected(given: object) -> str:
    if not isinstance(given, str):
        raise _unknown("corrected", given, ("a text",))
    if len(given) > CORRECTED_LIMIT:
        raise RefusalError(
            f"پاسخ اصلاح‌شده {persian_digits(len(given))} نویسه دارد و بیش از {persian_digits(CORRECTED_LIMIT)} نویسه "
            "پذیرفته نمی‌شود. کوتاه‌ترش کنید.",
            f"The corrected answer has {len(given)} characters, more than {CORRECTED_LIMIT}. Shorten it.",
        )
    clean = strip(given).replace("\r\n", "\n").encode("utf-8", "ignore").decode()
    return scrub(clean.strip()).text


def _figure(name: str, given: object, allowed: Sequence[int]) -> int | None:
    """One of the `allowed` whole numbers, None where nothing was said."""
    if given in (None, ""):
        return None
    text = str(given) if isinstance(given, int | str) else ""
    if text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in allowed:
        return int(text)
    raise _unknown(name, given, [str(figure) for figure in allowed])


def _seconds(given: object) -> float | None:
    """Seconds spent, None where they are not known or cannot be meant."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return round(float(given), 1) if math.isfinite(given) and 0 <= given <= LONGEST_SECONDS else None


def _mapping(given: object) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise _unknown("verdict", given, ("a table of answers",))
    return given


def _unknown(name: str, given: object, allowed: Sequence[str]) -> RefusalError:
    return RefusalError(
        "پاسخ یکی از پرسش‌ها شناخته نشد. صفحه را تازه کنید و دوباره ثبت کنید؛ نوشته‌های شما می‌ماند.",
        f"{name} {repr(given)[:40]} is none of {', '.join(allowed)}. Reload the page and submit again.",
    )
