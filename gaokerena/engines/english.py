"""The words of translate-and-ask: what the translator is told, and the English turn made of what it wrote.

    to_translate(user_turn)                              # for the translator
    english(translation, persian_options, "cot")         # for the answerer

A translation in which the four options cannot be found again is shown whole, followed by the Persian options, so the
letters always mean the same. Not covered: whether the translation is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gaokerena.prompts import asked, inert
from gaokerena.questions import LETTERS, Prompting

VERSION = "2026-11-21"
"""Changes with every change of wording below; it is part of a pipeline's revision."""

TRANSLATE = (
    "Translate the Persian medical question below into English. Use the usual English medical terms and keep all "
    "figures and units. Where lettered options follow, put each on a line of its own and keep its letter in brackets "
    "in front of it. Write the translation and nothing else; do not answer the question."
)
ENGLISH: Mapping[tuple[Prompting, bool], str] = {
    ("straight", True): "Name the correct option and explain it briefly.",
    (
        "cot",
        True,
    ): "Think step by step, write out your whole chain of thought, and at the end choose exactly one option.",
    ("cot", False): "Think step by step, write out your chain of thought, and conclude in one sentence.",
}
"""What follows the question, by prompting and whether there are options; a free question asked straight has nothing."""

_OPTION = re.compile(r"^[ \t]*\**(?:\[([A-D])\]|\(([A-D])\)|([A-D])[).:])\**[.:]?[ \t]*(?=\S)", re.MULTILINE)


def to_translate(turn: str) -> str:
    """The translator's user turn for a Persian one as `prompts.user_text` makes it."""
    question, options = asked(turn)
    lines = [question, *(f"[{letter}] {option}" for letter, option in zip(LETTERS, options, strict=False))]
    return f"{TRANSLATE}\n\n" + "\n".join(lines)


def english(translation: str, options: Sequence[str], prompting: Prompting) -> str:
    """The English user turn. `options` are the Persian ones, shown where the translation's cannot be told apart."""
    translation = inert(translation.strip())
    text, found = _parted(translation) if options else (translation, [])
    lines = [text]
    if options:
        shown = found or options
        lines += ["", *(f"[{letter}] {option}" for letter, option in zip(LETTERS, shown, strict=True))]
    if wording := ENGLISH.get((prompting, bool(options))):
        lines += ["", wording]
    return "\n".join(lines)


def _parted(text: str) -> tuple[str, list[str]]:
    """The question and its four options; all of `text` and none where they cannot be told apart.

    What follows the line of option D is left out: some translators cannot help answering.
    """
    marks = list(_OPTION.finditer(text))[:4]
    if [next(filter(None, mark.groups())) for mark in marks] != list(LETTERS) or not text[: marks[0].start()].strip():
        return text, []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    found = [" ".join(text[mark.end() : end].split()) for mark, end in zip(marks[:3], ends, strict=False)]
    return text[: marks[0].start()].strip(), [*found, text[marks[3].end() :].split("\n")[0].strip()]
