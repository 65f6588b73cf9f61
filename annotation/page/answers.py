"""A doctor's answers: Argilla's response values to the parts of an `ExpertVerdict`, and back.

    from_values({"grade": {"value": "left"}, "safety_left": {"value": "4"}})["grade"]      # "left"
    to_values(verdict)                                      # what a scripted doctor sends over HTTP

The two are inverses: `from_values(to_values(verdict))` are the verdict's own parts. Values of unknown names or shapes
are refused, not skipped: they mean that the dataset is not this page's.

A corrected answer is stored with a word joiner behind each «<» and «$» that could begin something: Argilla pastes it
into the page as script when its doctor opens it again, where `</script>` would run.

Not covered: who answered, when and under which status, which `annotation.pull` knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from annotation.page import questions as asked
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import FAULTS, SCALES, ExpertVerdict, Fault, Grade, SideVerdict

Values = dict[str, dict[str, Any]]
"""As Argilla's HTTP API takes and gives them: {question name: {"value": …}}."""
JOINER = "\u2060"
_BEGINS = re.compile(rf"(?<=[<$])(?=[A-Za-z/!?$&`'{JOINER}])")
_JOINED = re.compile(rf"(?<=[<$]){JOINER}")
_BY_NAME = {question.name: question for question in asked.QUESTIONS}


class Parts(TypedDict):
    """The parts of an ExpertVerdict that a doctor fills in; `ExpertVerdict(**parts, id=…, …)`."""

    grade: Grade | None
    sides: dict[Side, SideVerdict]
    corrected: str
    confidence: int | None
    cannot_judge: bool
    personal_data: bool


class AnswerError(ValueError):
    """Stored values that are not this page's answers, or a verdict that they cannot say."""


def from_values(values: Mapping[str, Any] | None) -> Parts:
    """What `values` say; None or empty (a draft, a discard) says nothing. Raises AnswerError."""
    plain = {name: _checked(name, entry) for name, entry in (values or {}).items()}
    grade = plain.get(asked.GRADE)
    judged = {side: _side(plain, side) for side in SIDES}
    return Parts(
        grade=cast(Grade, grade) if grade not in (None, asked.CANNOT_JUDGE) else None,
        sides={side: verdict for side, verdict in judged.items() if verdict != SideVerdict()},
        corrected=_JOINED.sub("", plain.get(asked.CORRECTED) or ""),
        confidence=_number(plain.get(asked.CONFIDENCE)),
        cannot_judge=grade == asked.CANNOT_JUDGE,
        personal_data=plain.get(asked.PERSONAL_DATA) == asked.YES,
    )


def to_values(verdict: ExpertVerdict) -> Values:
    """`verdict` as Argilla stores it. Raises AnswerError for a grade given by somebody who cannot judge."""
    if verdict.cannot_judge and verdict.grade is not None:
        raise AnswerError(
            f"verdict {verdict.id!r}: cannot_judge with grade {verdict.grade!r}; the page asks for one or the other"
        )
    plain: dict[str, Any] = {
        asked.GRADE: asked.CANNOT_JUDGE if verdict.cannot_judge else verdict.grade,
        asked.CONFIDENCE: _text(verdict.confidence),
        asked.CORRECTED: _BEGINS.sub(JOINER, verdict.corrected) or None,
        asked.PERSONAL_DATA: asked.YES if verdict.personal_data else None,
    }
    for side, judged in verdict.sides.items():
        plain |= {asked.scale_name(scale, side): str(value) for scale, value in judged.scales.items()}
        plain[asked.step_name(side)] = _text(judged.first_wrong_step)
        plain[asked.faults_name(side)] = list(judged.faults) or None
    return {question.name: {"value": plain[question.name]} for question in asked.QUESTIONS if plain.get(question.name)}


def _checked(name: str, entry: Any) -> Any:
    """The value of one question, of its kind and among its choices."""
    question = _BY_NAME.get(name)
    if question is None:
        raise AnswerError(f"question {name!r} is not one of this page's; is this dataset's page another version?")
    if not isinstance(entry, Mapping) or "value" not in entry:
        raise AnswerError(f'question {name!r}: {str(entry)[:80]!r} is not {{"value": …}}; look at the response')
    value = entry["value"]
    if value is None or (question.kind == "text" and isinstance(value, str)):
        return value
    known = dict(question.choices)
    given = value if question.kind == "multi_label_selection" and isinstance(value, list) else [value]
    if not all(isinstance(one, str) and one in known for one in given) or question.kind == "text":
        raise AnswerError(f"question {name!r}: {str(value)[:80]!r} is none of {', '.join(known) or 'text'}")
    return value


def _side(plain: Mapping[str, Any], side: Side) -> SideVerdict:
    found = {scale: plain.get(asked.scale_name(scale, side)) for scale in SCALES}
    marked: list[Fault] = plain.get(asked.faults_name(side)) or []
    return SideVerdict(
        scales={scale: int(value) for scale, value in found.items() if value is not None},
        faults=tuple(fault for fault in FAULTS if fault in marked),
        first_wrong_step=_number(plain.get(asked.step_name(side))),
    )


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
