"""A toy data folder in the published schemas, with invented Persian rows, for tests of what reads GAOKERENA_DATA.

write(folder, consultations=[consultation("...", "...")], pairs=[pair("...", OPTIONS, "B", chosen, rejected)])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gaokerena.persian import persian_digits
from gaokerena.questions import LETTERS, Question
from training.documents import held_out, question_key

Row = dict[str, str]

COLUMNS = {
    "mf3qa": ("Question", "Answer", "split", "Source"),
    "niniban_crawled": ("Question", "Answer", "Source"),
    "medmcqa_fa_rated": (
        "id", "Question", "Option1", "Option2", "Option3", "Option4", "Expression", "Correct_answer", "choice_type",
        "subject_name", "topic_name", "gpt-4.1-mini_rate", "grok-3-mini_rate", "part",
    ),
    "preference_pairs": ("id", "prompt", "correct_choice", "prefered_answer", "rejected_answer", "part"),
    "benchmarks": (
        "suite", "subject", "question", "option_a", "option_b", "option_c", "option_d", "gold", "source",
    ),
}  # fmt: skip

OPTIONS = ("ادامهٔ همان دارو", "سنجش دوبارهٔ فشار خون", "جراحی فوری شکم", "بستری در خانه")


def write(folder: Path, **tables: Sequence[Row]) -> Path:
    """Write every published table into `folder`, the named ones with their rows, the others empty."""
    assert set(tables) <= set(COLUMNS), f"no such table in {sorted(tables)}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in COLUMNS.items():
        values = {column: [row[column] for row in tables.get(name, ())] for column in columns}
        table = pa.table({column: pa.array(cells, pa.string()) for column, cells in values.items()})
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def consultation(question: str, answer: str, split: str = "train") -> Row:
    return {"Question": question, "Answer": answer, "split": split, "Source": "ساختگی"}


def explained(
    question: str, options: Sequence[str], gold: str, explanation: str, rates: tuple[str, str] = ("5", "5")
) -> Row:
    row = {f"Option{place}": option for place, option in enumerate(options, 1)}
    row |= {"Question": question, "Expression": explanation, "Correct_answer": str("ABCD".index(gold))}
    row |= {"gpt-4.1-mini_rate": rates[0], "grok-3-mini_rate": rates[1], "subject_name": "داخلی", "part": "1"}
    return row | {"id": "1", "choice_type": "single", "topic_name": "کلیات"}


def pair(question: str, options: Sequence[str], gold: str, chosen: str, rejected: str) -> Row:
    lines = "\n".join(f"[{letter}] : {option}" for letter, option in zip(LETTERS, options, strict=True))
    prompt = f"به این پرسش پاسخ دهید.\n## پرسش\n{question}\n## گزینه ها\n{lines}\n"
    row = {"prompt": prompt, "correct_choice": gold, "prefered_answer": chosen, "rejected_answer": rejected}
    return row | {"id": "1", "part": "3"}


def benchmark(suite: str, question: str, options: Sequence[str], gold: str) -> Row:
    row = {f"option_{letter}": option for letter, option in zip("abcd", options, strict=True)}
    return row | {"suite": suite, "subject": "داخلی", "question": question, "gold": gold, "source": "ساختگی"}


def questions(template: str, away: bool) -> Iterator[str]:
    """Questions made of `template` (with {age}) whose keys fall into the held-out part, or into the training part."""
    for age in count(1):
        text = template.format(age=persian_digits(age))
        if held_out(question_key(Question(text=text))) == away:
            yield text
