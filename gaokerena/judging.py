"""A verdict from what a visitor, or a visitor's program, sent; or a refusal that says what is wrong with it.

    verdict = made(comparison, "left", 2, ["unclear"], session, blind=True)
    check_readable(attempt, verdict)

Not covered: whether the judge was blind, and storing the verdict (`visits`).
"""

from __future__ import annotations

from typing import cast

from gaokerena.attempts import Attempt
from gaokerena.comparisons import CHOICES, REASONS, SIDES, Comparison, Reason, Verdict
from gaokerena.intake import RefusalError


def check_readable(attempt: Attempt, verdict: Verdict) -> None:
    """Refuse a verdict on what cannot be read yet, or that a silent side would have to bear."""
    choices = attempt.choices
    if not choices:
        raise RefusalError(
            "هنوز هر دو سو چیزی ننوشته‌اند. اندکی صبر کنید و سپس داوری کنید.",
            "Both sides must have written something first. Wait a moment and judge again.",
        )
    if verdict.choice not in choices:
        raise RefusalError(
            "سویی که چیزی ننوشت نمی‌تواند بهتر یا برابر باشد. سوی دیگر یا «هر دو بد» را برگزینید.",
            f"A side ended without a word, so {verdict.choice!r} cannot be judged: choose {' or '.join(choices)}.",
        )


def _reasons(given: object) -> tuple[Reason, ...]:
    """The reasons a visitor's program sent, each once. Raises RefusalError for anything else than a list of them."""
    if not isinstance(given, list | tuple):
        raise RefusalError(
            "دلیل‌های داوری باید یک فهرست باشد.", f"Reasons must be a list of {', '.join(REASONS)}, not {_shown(given)}."
        )
    unknown = [reason for reason in given if not (isinstance(reason, str) and reason in REASONS)]
    if unknown:
        raise RefusalError("دلیل داوری شناخته نشد.", f"Reason {_shown(unknown[0])} is none of {', '.join(REASONS)}.")
    return cast(tuple[Reason, ...], tuple(dict.fromkeys(given)))


def _shown(value: object) -> str:
    return repr(value)[:40]


def made(
    comparison: Comparison, choice: object, strength: object, reasons: object, session: str, blind: bool
) -> Verdict:
    """The verdict; everything but `comparison`, `session` and `blind` may be of any type and value.

    Raises RefusalError for an unknown choice, strength or reason.
    """
    if not (isinstance(choice, str) and choice in CHOICES):
        raise RefusalError(
            "یکی از چهار گزینهٔ داوری را برگزینید.", f"Verdict {_shown(choice)} is none of {', '.join(CHOICES)}."
        )
    if type(strength) is not int or strength not in (1, 2, 3):
        raise RefusalError("شدت داوری باید یک تا سه باشد.", f"Strength {_shown(strength)} is not 1, 2 or 3.")
    return Verdict(
        comparison_id=comparison.id,
        choice=choice,
        strength=strength if choice in SIDES else 1,
        reasons=_reasons(reasons),
        session=session,
        blind=comparison.blind and blind,
    )
