"""The mini base's reading list: published data as chat documents, cleaned, decontaminated and split by question.

    python -m training mini --only documents

Three kinds: doctors' consultations (straight, and for a share of them as numbered steps with a conclusion), textbook
questions with explanations (straight and CoT, with and without options), and both sides of the preference pairs (CoT).
Two per cent of the questions, drawn by their key, are held out of everything that is trained and used to measure.

Steps made of a doctor's answer are a change of form only: its sentences, numbered, the last one as the conclusion.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaokerena.persian import foreign_script, mixed_script_word, normalize_for_key, persian_digits, persian_share
from gaokerena.prompts import user_text
from gaokerena.questions import Prompting, Question
from training import sources
from training.casing import Casing
from training.decontaminate import Reference, forms

HELD_OUT_PER_MILLE = 20
COT_SHARE = 0.6
SHORTEST_ANSWER = 40
"""Characters; shorter answers teach little but brevity."""


@dataclass(frozen=True, slots=True)
class Document:
    """One chat: what is asked and what is answered, where it comes from, and its question's key."""

    kind: str
    prompting: str
    user: str
    assistant: str
    question_key: str
    published: tuple[str, ...] = ()
    """Question and answer before their form was changed: numbers and letters put in between would hide an overlap."""

    def row(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "prompting": self.prompting,
            "user": self.user,
            "assistant": self.assistant,
            "question": self.question_key,
        }


def question_key(question: Question) -> str:
    """The key that decides which side of the split a question falls on: its text alone, options aside."""
    return hashlib.sha256(normalize_for_key(question.text).encode()).hexdigest()[:16]


def held_out(key: str) -> bool:
    """Whether the question with this key is kept for measuring."""
    return int(key[:8], 16) % 1000 < HELD_OUT_PER_MILLE


def defect(text: str) -> str | None:
    """Why a text is not fit to learn from; None when it is."""
    if len(text) < SHORTEST_ANSWER:
        return "short"
    if persian_share(text) < 0.6:
        return "not_persian"
    if foreign_script(text):
        return "foreign_script"
    if mixed_script_word(text):
        return "mixed_script_word"
    if _FORMULA.search(text):
        return "formula"
    return None


_FORMULA = re.compile(r"\\(?:\[|\(|text|frac|times)|\$\$")
_SENTENCE = re.compile(r"(?<=[.؟!?])\s+|\n+")
_GREETING = re.compile(
    r"^(?:(?:با )?(?:عرض )?(?:سلام|درود)[^.،؛\n!]{0,40}[.،؛\n!]+\s*|(?:دوست|کاربر|مخاطب) (?:عزیز|گرامی)[ ،.؛]*)+"
)
_NUMBERED = re.compile(r"^\s*(?:[-*•\d۰-۹]+[.)\-]?\s*)+")


def as_steps(answer: str) -> str | None:
    """`answer` as numbered steps and a conclusion; None when it has fewer than three sentences."""
    parts = [_NUMBERED.sub("", part).strip() for part in _SENTENCE.split(_GREETING.sub("", answer))]
    sentences = [part for part in parts if len(part) > 12]
    if not 3 <= len(sentences) <= 12:
        return None
    steps = [f"{persian_digits(number)}. {sentence}" for number, sentence in enumerate(sentences[:-1], 1)]
    return "\n".join([*steps, "", f"نتیجه: {sentences[-1]}"])


_ANSWER_CUE = re.compile(
    r"^\s*(?:ans(?:wer)?[.:\s]*(?:is\s*)?)?[(\[]?['‘’\"]?\s*(?:[a-d]|الف|ب|ج|د)\s*['‘’\"]?[)\].]*\s*(?:یعنی|[.:،-])?\s*",
    re.IGNORECASE,
)
_KEY_SENTENCE = re.compile(
    r"^\s*پاسخ(?: صحیح)?:? (?:گزینه )?['‘’\"(\[]?\s*(?:[a-d]|الف|ب|ج|د)\s*['‘’\")\]]?\s*"
    r"(?:است|می‌باشد)?\s*[،,.:]?\s*(?:یعنی)?\s*",
    re.IGNORECASE,
)
_CITATION = re.compile(r"\s*[(\[]?(?:ref|reference|منبع|رفرنس)\b.*\Z", re.IGNORECASE | re.S)


def explanation(text: str) -> str:
    """A textbook explanation without the key it opens with and the reference it closes with."""
    body = _KEY_SENTENCE.sub("", text, count=1)
    if body == text:
        body = (
            _ANSWER_CUE.sub("", text, count=1)
            if re.match(r"\s*(?:ans|[(\[]?['‘]?[a-d]['’]?[)\]]?\s*(?:یعنی|\.))", text, re.I)
            else text
        )
    return _CITATION.sub("", body).strip(" *-:،.") + "."


def _consultations(folder: Path, seed: int) -> Iterator[Document]:
    seen: set[str] = set()
    for row in sources.consultations(folder):
        key = normalize_for_key(row.question + " " + row.answer)
        if key in seen or not row.question.strip():
            continue
        seen.add(key)
        question = Question(text=row.question)
        name = question_key(question)
        steps = as_steps(row.answer) if random.Random(f"{seed}:{name}").random() < COT_SHARE else None
        prompting: Prompting = "cot" if steps else "straight"
        published = (row.question, row.answer)
        yield Document("consultation", prompting, user_text(question, prompting), steps or row.answer, name, published)


def _explained(folder: Path, seed: int, casing: Casing, dropped: Counter[str]) -> Iterator[Document]:
    for row in sources.explained_questions(folder):
        if not row.trusted or row.question.gold is None:
            continue
        if len(explanation(row.explanation)) < SHORTEST_ANSWER:
            dropped["explained: no_explanation"] += 1
            continue
        body, option = (
            casing.restore(explanation(row.explanation)),
            row.question.options["ABCD".index(row.question.gold)],
        )
        name, gold, published = question_key(row.question), row.question.gold, forms(row.question)
        form = random.Random(f"{seed}:{name}").random()
        if form < 0.5:
            text = user_text(row.question, "straight")
            answer = f"گزینهٔ [{gold}] {option} درست است. {body}"
            yield Document("explained", "straight", text, answer, name, published)
        elif form < 0.8:
            text = user_text(row.question, "cot")
            answer = f"{body}\n\nبنابراین گزینهٔ [{gold}] {option} پاسخ درست است."
            yield Document("explained", "cot", text, answer, name, published)
        else:
            free = Question(text=row.question.text)
            yield Document("explained", "cot", user_text(free, "cot"), f"{body}\n\nنتیجه: {option}.", name, published)


def _pairs(folder: Path, casing: Casing) -> Iterator[Document]:
    for row in sources.published_pairs(folder):
        name, asked = question_key(row.question), user_text(row.question, "cot")
        yield Document("pair_chosen", "cot", asked, casing.restore(row.chosen), name, forms(row.question))
        yield Document("pair_rejected", "cot", asked, casing.restore(row.rejected), name, forms(row.question))


def build(folder: Path, seed: int, references: Reference, dropped: Counter[str]) -> Iterator[Document]:
    """Every document fit to be used, training and held out alike; reasons of the others are counted in `dropped`."""
    casing = Casing.learn(pair.rejected for pair in sources.published_pairs(folder))
    seen: set[str] = set()
    for stream in (_consultations(folder, seed), _explained(folder, seed, casing, dropped), _pairs(folder, casing)):
        for document in stream:
            reason = defect(document.assistant)
            key = normalize_for_key(document.assistant)
            if reason is None and key in seen:
                reason = "duplicate"
            if reason is None and (hit := references.hit(document.user, document.assistant, *document.published)):
                reason = f"shares_8_gram_with_{hit}"
            if reason:
                dropped[f"{document.kind}: {reason}"] += 1
                continue
            seen.add(key)
            yield document
