"""Small suites of our own for tests: rows in the project's schema, written as Parquet, JSON lines or CSV.

path = write(tmp_path / "mine.csv", [row(gold="4"), row(1, gold="1")])
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gaokerena.evaluation.suites import Item, Suite
from gaokerena.questions import Letter

TEXTS = (
    "کدام ویتامین در کمبود طولانی‌مدت به شب‌کوری می‌انجامد؟",
    "شایع‌ترین علت کم‌خونی در زنان باردار کدام است؟",
    "نخستین اقدام در برخورد با شوک آنافیلاکسی چیست؟",
    "کدام هورمون قند خون را پایین می‌آورد؟",
    "در سکتهٔ قلبی حاد کدام آنزیم زودتر بالا می‌رود؟",
)
OPTIONS = (
    ("ویتامین آ", "ویتامین ث", "ویتامین کا", "ویتامین دی"),
    ("کمبود آهن", "کمبود روی", "تالاسمی مینور", "کمبود مس"),
    ("اپی‌نفرین عضلانی", "خوراندن آب", "بستن راه هوایی", "صبر و پایش"),
    ("انسولین", "گلوکاگون", "کورتیزول", "آدرنالین"),
    ("تروپونین", "آمیلاز", "لیپاز", "آلکالن فسفاتاز"),
)


def row(number: int = 0, **changes: object) -> dict[str, object]:
    """One row in the schema; `changes` replace columns, and `options` all four at once."""
    options = changes.pop("options", OPTIONS[number])
    assert isinstance(options, tuple)
    made: dict[str, object] = {"suite": "mine", "subject": "داخلی", "question": TEXTS[number]}
    made |= {f"option_{letter}": option for letter, option in zip("abcd", options, strict=True)}
    return {**made, "gold": "1234"[number % 4], "source": "آزمون نمونه", **changes}


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write `rows` as the suffix of `path` says, and give the path back."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(one) for one in rows]), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), "utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def item(number: int = 0, **changes: object) -> Item:
    """One item; its row and index are `number` unless told."""
    gold: Letter = "A"
    made: dict[str, object] = {
        "suite": "mine", "subject": "داخلی", "index": number, "row": number, "text": TEXTS[number % 5],
        "options": OPTIONS[number % 5], "gold": gold, "key": "1", "reference": "", "source": "آزمون نمونه",
    }  # fmt: skip
    return Item(**{**made, **changes})  # type: ignore[arg-type]


def suite(*items: Item, name: str = "mine") -> Suite:
    """A suite of `items`, which take its name."""
    from dataclasses import replace

    return Suite(name, tuple(replace(one, suite=name, row=place) for place, one in enumerate(items)), "here", 1)
