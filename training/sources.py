"""The published data as plain rows: questions with keys, doctors' answers, preference pairs, and what must stay out.

Reads Parquet from the folder in GAOKERENA_DATA (see CONTRIBUTING.md for where the publishers put it). Every text comes
out tidy, without bidi marks and scrubbed of personal identifiers. Nothing here chooses what to train on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gaokerena.persian import tidy
from gaokerena.questions import LETTERS, Letter, Question
from gaokerena.scrub import scrub
from training.decontaminate import Reference
from training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Explained:
    """A multiple-choice question with its key and the textbook explanation (may be empty)."""

    question: Question
    explanation: str
    trusted: bool
    """Both referees of the translation gave five of five."""


@dataclass(frozen=True, slots=True)
class Consultation:
    """What a person asked and what a doctor answered."""

    question: str
    answer: str
    source: str


@dataclass(frozen=True, slots=True)
class PublishedPair:
    """A preference pair as published: text untouched but for `clean`."""

    id: str
    question: Question
    chosen: str
    rejected: str
    part: int


def data_folder() -> Path:
    """The folder named by GAOKERENA_DATA. Raises TrainingError when unset or without the tables."""
    value = os.environ.get("GAOKERENA_DATA", "")
    folder = Path(value)
    if not value or not (folder / "mf3qa.parquet").exists():
        raise TrainingError(
            f"GAOKERENA_DATA is {value!r}, which holds no mf3qa.parquet. "
            "Set it to the folder with the published tables."
        )
    return folder


def clean(text: str | None) -> str:
    """A text as training sees it: tidy and without personal identifiers; empty for a missing one."""
    return "" if text is None or text == "nan" else scrub(tidy(text)).text


def table_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a published table as they stand in it."""
    for batch in pq.ParquetFile(folder / f"{name}.parquet").iter_batches():
        yield from batch.to_pylist()


def explained_questions(folder: Path) -> Iterator[Explained]:
    """MedMCQA in Persian (keys 0 to 3); rows with an empty question or option are left out."""
    for row in table_rows(folder, "medmcqa_fa_rated"):
        options = tuple(clean(row[f"Option{place}"]) for place in (1, 2, 3, 4))
        text = clean(row["Question"])
        if not text or not all(options) or row["Correct_answer"] not in {"0", "1", "2", "3"}:
            continue
        question = Question(
            text=text, options=options, gold=LETTERS[int(row["Correct_answer"])], subject=row["subject_name"]
        )
        trusted = row["gpt-4.1-mini_rate"] == "5" and row["grok-3-mini_rate"] == "5"
        yield Explained(question, clean(row["Expression"]), trusted)


def consultations(folder: Path) -> Iterator[Consultation]:
    """MF3QA's train split, then the forum as crawled (which repeats part of it)."""
    for row in table_rows(folder, "mf3qa"):
        if row["split"] == "train":
            yield Consultation(clean(row["Question"]), clean(row["Answer"]), str(row["Source"]))
    for row in table_rows(folder, "niniban_crawled"):
        yield Consultation(clean(row["Question"]), clean(row["Answer"]), "niniban_crawled")


def held_out_consultations(folder: Path, split: str) -> Iterator[Consultation]:
    """MF3QA's dev or test split."""
    for row in table_rows(folder, "mf3qa"):
        if row["split"] == split:
            yield Consultation(clean(row["Question"]), clean(row["Answer"]), str(row["Source"]))


_PROMPT = re.compile(
    r"## پرسش\s*(?P<question>.*?)\s*## گزینه ?ها\s*"
    r"\[A\] ?: ?(?P<A>.*?)\n\[B\] ?: ?(?P<B>.*?)\n\[C\] ?: ?(?P<C>.*?)\n\[D\] ?: ?(?P<D>.*?)\s*\Z",
    re.S,
)


def published_pairs(folder: Path) -> Iterator[PublishedPair]:
    """The pairs R was trained on. A prompt that is not in the published form raises TrainingError."""
    for number, row in enumerate(table_rows(folder, "preference_pairs")):
        match = _PROMPT.search(row["prompt"])
        if match is None:
            raise TrainingError(f"preference_pairs.parquet row {number}: no question and four options in its prompt")
        options = tuple(clean(match[letter]) or "-" for letter in LETTERS)
        gold: Letter = row["correct_choice"]
        question = Question(text=clean(match["question"]), options=options, gold=gold)
        yield PublishedPair(
            f"pair-{number}", question, clean(row["prefered_answer"]), clean(row["rejected_answer"]), int(row["part"])
        )


def reference(folder: Path) -> Reference:
    """What must never be trained on: every benchmark question with its options, MF3QA's dev and test splits."""
    found = Reference()
    for row in table_rows(folder, "benchmarks"):
        options = " ".join(str(row[f"option_{letter}"] or "") for letter in "abcd")
        found.add(row["suite"], [str(row["question"]), f"{row['question']} {options}"])
    for split in ("dev", "test"):
        for consultation in held_out_consultations(folder, split):
            found.add(f"mf3qa_{split}", [consultation.question, consultation.answer])
    return found
