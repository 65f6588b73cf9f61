"""Suites as files: Parquet, JSON lines or CSV in one of three layouts, read into plain records.

    for record in read_file(Path("benchmarks.parquet")):
        print(record.suite, record.subject, record.key)

Layouts, told apart by their columns:
- choice: suite, subject, question, option_a … option_d, gold, source (the project's own schema);
- free form: Question, Answer, and perhaps Source and split (MF3QA as published);
- listed: question, options (a list), answer_idx, and perhaps specialty, split, language (PersianMedQA as published).

Further columns are ignored; text stays as published. What cannot be read is a `SuiteError` that names the file, the
place and the next step. Not covered: spreadsheets (save them as CSV in UTF-8) and what the keys mean (`suite_keys`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = (".parquet", ".jsonl", ".csv")
CHOICE = ("suite", "subject", "question", "option_a", "option_b", "option_c", "option_d", "gold", "source")
FREE = ("Question", "Answer")
LISTED = ("question", "options", "answer_idx")
_FURTHER = ("Source", "split", "specialty", "language")
_SPLITS = {"train": "train", "dev": "dev", "validation": "dev", "valid": "dev", "val": "dev", "test": "test"}


class SuiteError(ValueError):
    """A suite cannot be read or found; the text names the file, the place and the next step."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a suite file. `options` is empty for free form; `key` is what the file says, `split` may be empty."""

    suite: str
    subject: str
    text: str
    options: tuple[str, ...]
    key: str
    reference: str
    source: str
    split: str


def read_file(path: Path) -> list[Record]:
    """Every row of a suite file, in order. Raises SuiteError."""
    if not path.is_file():
        raise SuiteError(f"{path}: no such file; check the path, or give a suite's name and the folder that holds it")
    readers: dict[str, Callable[[Path], Iterable[dict[str, Any]]]] = {
        ".parquet": _parquet, ".jsonl": _lines, ".csv": _csv
    }  # fmt: skip
    if path.suffix not in readers:
        raise SuiteError(f"{path}: suites are {', '.join(SUFFIXES)}, not {path.suffix or 'without a suffix'}")
    try:
        rows = list(readers[path.suffix](path))
    except OSError as error:
        raise SuiteError(
            f"{path}: cannot be read ({error.strerror or error}); check the file and its rights"
        ) from error
    if not rows:
        raise SuiteError(f"{path}: no rows; fetch or write it again")
    make = _layout(path, frozenset().union(*rows) if path.suffix == ".jsonl" else frozenset(rows[0]))
    split = split_of(path)
    return [_made(make, row, split, path, place) for place, row in enumerate(rows)]


def split_of(path: Path) -> str:
    """train, dev or test where the name of the file says so, else nothing: `data/test-00000-of-00001.parquet`."""
    words = re.split(r"[^a-z]+", path.stem.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _made(
    make: Callable[[Mapping[str, Any], str], Record], row: Mapping[str, Any], split: str, path: Path, place: int
) -> Record:
    try:
        return make(row, split)
    except KeyError as error:
        raise SuiteError(f"{path}: no column {error} in row {place}; fill it in (it may be empty)") from error
    except TypeError as error:
        raise SuiteError(f"{path}: row {place}: {error}; convert the column and write the file again") from error


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Only the columns looked for: a suite file may carry others, large ones too."""
    import pyarrow as pa  # here: the page knows the suites by name and may never read one
    import pyarrow.parquet as pq

    wanted = {*CHOICE, *FREE, *LISTED, *_FURTHER}
    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in wanted]
            if not names:
                _layout(path, frozenset(file.schema_arrow.names))
            yield from file.read(columns=names).to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: not a whole Parquet file ({error}); fetch or write it again") from error


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SuiteError(f"{path}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_text_of(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise SuiteError(
                f"{path}:{number}: not a whole JSON line ({error}); the file is cut off or damaged, write it again"
            ) from error
        if not isinstance(row, dict):
            raise SuiteError(f"{path}:{number}: a row is a JSON object, not {line[:40]!r}; write it again")
        yield row


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    reader = csv.reader(io.StringIO(_text_of(path), newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if not header:
                header = cells
            elif cells and len(cells) != len(header):
                raise SuiteError(
                    f"{path}:{reader.line_num}: {len(cells)} cells under {len(header)} columns; "
                    "the file is cut off, or a comma stands outside quotes: write it again"
                )
            elif cells:
                yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise SuiteError(f"{path}:{reader.line_num}: not whole CSV ({error}); write it again") from error


def _layout(path: Path, columns: frozenset[str]) -> Callable[[Mapping[str, Any], str], Record]:
    layouts = ((CHOICE, _choice), (LISTED, _listed), (FREE, _free))
    for needed, make in layouts:
        if columns.issuperset(needed):
            return make
    nearest = max((needed for needed, _ in layouts), key=lambda needed: len(columns.intersection(needed)))
    missing = ", ".join(repr(name) for name in nearest if name not in columns)
    found = ", ".join(map(repr, sorted(columns))) or "none"
    raise SuiteError(f"{path}: no column {missing}; it has {found}: rename them to {', '.join(nearest)}")


def _choice(row: Mapping[str, Any], split: str) -> Record:
    suite, subject, text, *options, key, source = (_text(row[name], name) for name in CHOICE)
    published = () if not key and not any(map(str.strip, options)) else tuple(options)
    return Record(suite, subject, text, published, key, "", source, split)


def _free(row: Mapping[str, Any], split: str) -> Record:
    text, reference = (_text(row[name], name) for name in FREE)
    source = _text(row.get("Source"), "Source")
    told = _text(row.get("split"), "split")
    return Record("mf3qa", source, text, (), "", reference, source, _SPLITS.get(told, told) or split)


def _listed(row: Mapping[str, Any], split: str) -> Record:
    text, _, key = (row[name] for name in LISTED)
    told = _text(row.get("split"), "split")
    language = _text(row.get("language"), "language")
    suite = "persianmedqa" if language in ("", "fa") else f"persianmedqa_{language}"
    options = tuple(_text(option, "options") for option in _listing(row["options"]))
    subject = _text(row.get("specialty"), "specialty")
    return Record(
        suite,
        subject,
        _text(text, "question"),
        options,
        _text(key, "answer_idx"),
        "",
        "",
        _SPLITS.get(told, told) or split,
    )


def _listing(value: Any) -> list[Any]:
    """The options of a row; CSV holds the list as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise TypeError(f"column 'options' holds {value[:40]!r}, not a list") from None
    if not isinstance(value, list):
        raise TypeError(f"column 'options' holds {type(value).__name__}, not a list")
    return value


def _text(value: Any, column: str) -> str:
    """A cell as text: nothing for an empty one, `4` for the whole number 4.0 that spreadsheets make of a key."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"column {column!r} holds {type(value).__name__}, not text")
    if isinstance(value, float) and value != value:
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)
