"""What the page says around the answers: refusals, the question asked, red flags, earlier turns, the status line.

All functions return HTML for a `gr.HTML`; every foreign text in it is escaped and isolated.
Not covered: when a red flag is raised (`safety`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from gaokerena.attempts import Attempt
from gaokerena.comparisons import SIDES, Side
from gaokerena.intake import RefusalError
from gaokerena.questions import LETTERS, Question
from gaokerena.safety import EmergencyNumber, RedFlag, emergency_numbers
from gaokerena.ui import render
from gaokerena.ui.cards import Identity
from gaokerena.ui.strings import both, letter, pair, switched


def refusal(error: RefusalError) -> str:
    """Why nothing was asked or stored."""
    return f'<p class="refusal">{pair(error.fa, error.en)}</p>'


def broken() -> str:
    """Something unforeseen; the log has the rest."""
    return f'<p class="refusal">{both("broken")}</p>'


def thanks(identities: Mapping[Side, Identity]) -> str:
    """Thanks for a verdict that is on the disk, and who sat where."""
    names = {side: f'<strong><bdi dir="ltr">{escape(who.name)}</bdi></strong>' for side, who in identities.items()}
    seats = "".join(f'<span class="seat">{switched(side)}: {names[side]}</span>' for side in reversed(SIDES))
    return f'<span class="thanks">{both("thanks")}</span> {seats}'


def asked(question: Question) -> str:
    """The question above its answers."""
    options = "".join(
        f"<li><span class='option-letter'>{letter(name)}</span><span>{render.isolated(option)}</span></li>"
        for name, option in zip(LETTERS, question.options, strict=False)
    )
    listed = f'<ul class="asked-options" lang="fa">{options}</ul>' if options else ""
    text = f'<div dir="rtl" lang="fa">{render.plain(question.text)}{listed}</div>'
    return f'<section class="asked"><h2>{both("asked")}</h2>{text}</section>'


def earlier(attempts: Sequence[Attempt]) -> str:
    """Turns and attempts before the current one, folded away; sides are named by place only."""
    if not attempts:
        return ""
    items = "".join(f"<li>{_turn(attempt)}</li>" for attempt in attempts)
    return f'<details class="earlier"><summary>{both("earlier", n=len(attempts))}</summary><ol>{items}</ol></details>'


def _turn(attempt: Attempt) -> str:
    sides = "".join(
        f'<div class="earlier-side"><h4>{switched(side)}</h4>'
        f'<div class="blocks" dir="rtl" lang="fa">{_said(attempt, side)}</div></div>'
        for side in reversed(SIDES)
    )
    question = render.plain(attempt.comparison.question.text)
    return f'<div class="earlier-question" dir="rtl" lang="fa">{question}</div><div class="earlier-sides">{sides}</div>'


def _said(attempt: Attempt, side: Side) -> str:
    state = attempt.state(side)
    said = state.conclusion or state.reasoning
    return "".join(render.blocks(said)) or f'<p class="nothing">{both("no_text")}</p>'


def red_flags(flags: Sequence[RedFlag]) -> str:
    """The banner above both sides, with a link to call each number, 115 first; empty without a flag."""
    if not flags:
        return ""
    advice = "".join(f"<li>{both(flag.advice)}</li>" for flag in flags)
    numbers = dict.fromkeys(["115", *(number for flag in flags for number in flag.numbers)])
    links = "".join(_call(emergency_numbers()[number]) for number in numbers)
    words = f"<div><h2>{both('flag_title')}</h2><p>{both('flag_advice')}</p><ul>{advice}</ul></div>"
    return f'<section class="flag" role="alert">{words}<p class="calls">{links}</p></section>'


def _call(line: EmergencyNumber) -> str:
    words = both("call", number=int(line.number), name=(line.name_fa, line.name_en))
    return f'<a class="call" href="tel:{escape(line.number)}">{words}</a>'


def status(*keys: str) -> str:
    """The line a screen reader hears: one or more texts by their keys."""
    return " ".join(both(key) for key in keys)


def side_ended(side: str) -> str:
    """Says that one side has ended while the other still writes."""
    return f"{switched(side)} {both('say_side_ended')}"
