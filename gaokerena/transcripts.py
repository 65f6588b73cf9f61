"""Transcripts: recorded answers, one row per question, model, prompting and run, as Parquet or JSON lines.

    for row in read(Path("transcripts.parquet")):
        print(row.model, row.run, row.response[:60])
    write(rows, Path("mine.jsonl"))

The columns are those of the published recordings. Further columns are allowed and ignored; a missing or renamed
column, a wrong type or value, a truncated or empty file is a `TranscriptsError` that names the file and the place.

Not covered: looking answers up (`engines.recorded`) and caching fresh ones (`engines.generations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from gaokerena.files import atomic
from gaokerena.questions import LETTERS, Letter, Prompting, Question

FILE = "transcripts.parquet"
"""Name of the recordings inside a data folder."""

_NULLABLE = ("gold", "annotated_choice")
_NUMBERS = ("question_index", "run")
_PROMPTINGS: tuple[Prompting, ...] = ("straight", "cot")
_ROWS_AT_ONCE = 2_000


class TranscriptsError(ValueError):
    """A file of transcripts cannot be read; the text names the file, the place and the next step."""


class Transcript(BaseModel):
    """One recorded answer. A free-text question has four empty options and no gold letter.

    `run` numbers repeated answers of one model to one question; `annotated_choice` is the letter a person read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    suite: str
    subject: str
    question_index: int
    question: str
    option_a: str
    option_b: str
    option_c: str
    option_d: str
    gold: Letter | None
    model: str
    prompting: Prompting
    run: int
    prompt: str
    response: str
    annotated_choice: Letter | None

    @property
    def options(self) -> tuple[str, ...]:
        """Four options, or none of them for free text."""
        four = (self.option_a, self.option_b, self.option_c, self.option_d)
        return four if any(four) else ()

    def asked(self) -> Question:
        """The question as a value; raises pydantic.ValidationError where text or some of the options are empty."""
        suite, subject = self.suite or None, self.subject or None
        return Question(text=self.question, options=self.options, gold=self.gold, suite=suite, subject=subject)


COLUMNS: tuple[str, ...] = tuple(Transcript.model_fields)
SCHEMA = pa.schema(
    [pa.field(name, pa.int64() if name in _NUMBERS else pa.large_string(), name in _NULLABLE) for name in COLUMNS]
)


def locate(path: Path) -> Path:
    """`path` itself, or the recordings inside it when it is a folder. Raises TranscriptsError where there are none."""
    found = path / FILE if path.is_dir() else path
    if not found.is_file():
        raise TranscriptsError(f"{found}: no such file; give a transcripts file, or a folder that holds {FILE}")
    if found.suffix not in (".parquet", ".jsonl"):
        raise TranscriptsError(f"{found}: transcripts are .parquet or .jsonl, not {found.suffix or 'without a suffix'}")
    return found


def read(path: Path) -> Iterator[Transcript]:
    """Every row of a file (or of the recordings in a folder), in order. Raises TranscriptsError."""
    found = locate(path)
    if found.suffix == ".jsonl":
        yield from _read_lines(found)
        return
    for batch in read_table(found).to_batches(max_chunksize=_ROWS_AT_ONCE):
        for row in batch.to_pylist():
            yield Transcript(**row)


def read_table(path: Path, columns: Sequence[str] = COLUMNS) -> Any:
    """The rows as one checked pyarrow.Table that holds `columns` in the types of `SCHEMA`. Raises TranscriptsError.

    The whole schema is checked whatever `columns` are read; values only in the columns read.
    """
    found = locate(path)
    if found.suffix == ".jsonl":
        rows = [row.model_dump() for row in _read_lines(found)]
        return pa.Table.from_pylist(rows, schema=SCHEMA).select(list(columns))
    try:
        with pq.ParquetFile(found) as file:
            _check_schema(found, file.schema_arrow)
            table = file.read(columns=list(columns)).select(list(columns))
    except (pa.ArrowException, OSError) as error:
        raise TranscriptsError(f"{found}: not a whole Parquet file ({error}); fetch or write it again") from error
    if not table.num_rows:
        raise TranscriptsError(f"{found}: no rows; fetch or write it again")
    _check_values(found, table)
    try:
        return table.cast(pa.schema([SCHEMA.field(name) for name in columns]))
    except pa.ArrowInvalid as error:
        raise TranscriptsError(f"{found}: a whole number is too large ({error}); correct it") from error


def write(rows: Iterable[Transcript], path: Path) -> int:
    """Write `rows` to `path` (.parquet or .jsonl), whole or not at all, and return their count."""
    if path.suffix not in (".parquet", ".jsonl"):
        raise TranscriptsError(f"{path}: transcripts are .parquet or .jsonl; name the file so")
    return _write_table(rows, path) if path.suffix == ".parquet" else _write_lines(rows, path)


def _write_table(rows: Iterable[Transcript], path: Path) -> int:
    dumped = [row.model_dump(include=set(COLUMNS)) for row in rows]
    with atomic(path) as half:
        pq.write_table(pa.Table.from_pylist(dumped, schema=SCHEMA), half, compression="zstd")
    return len(dumped)


def _write_lines(rows: Iterable[Transcript], path: Path) -> int:
    count = 0
    with atomic(path) as half, half.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(row.model_dump_json() + "\n")
            count += 1
    return count


def _read_lines(path: Path) -> Iterator[Transcript]:
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield Transcript.model_validate_json(line)
            except ValidationError as error:
                raise TranscriptsError(f"{path}:{number}: {_first(error)}") from error
    if not number:
        raise TranscriptsError(f"{path}: no rows; fetch or write it again")


def _first(error: ValidationError) -> str:
    """The first complaint of `error`, in one line, and what to do about it."""
    complaint = error.errors(include_url=False, include_input=False)[0]
    if complaint["type"] == "json_invalid":
        return f"not a whole JSON line ({complaint['ctx']['error']}); the file is cut off or damaged, write it again"
    if complaint["type"] == "missing":
        return f"no column {complaint['loc'][0]!r}; a row needs {', '.join(COLUMNS)}"
    return f"column {'.'.join(map(str, complaint['loc']))!r}: {complaint['msg']}; correct the row"


def _check_schema(path: Path, schema: Any) -> None:
    missing = [name for name in COLUMNS if name not in schema.names]
    if missing:
        further = [name for name in schema.names if name not in COLUMNS]
        hint = f"; it has {', '.join(map(repr, further))}: was one renamed?" if further else "; add it"
        raise TranscriptsError(f"{path}: no column {', '.join(map(repr, missing))}{hint}")
    for name in COLUMNS:
        kind = schema.field(name).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        fits = pa.types.is_integer if name in _NUMBERS else _is_text
        if not fits(plain) and not (name in _NULLABLE and pa.types.is_null(plain)):
            wanted = "whole numbers" if name in _NUMBERS else "text"
            raise TranscriptsError(f"{path}: column {name!r} holds {kind}, not {wanted}; convert it and write it again")


def _is_text(kind: Any) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _check_values(path: Path, table: Any) -> None:
    for name in table.column_names:
        if name not in _NULLABLE and table[name].null_count:
            row = pc.index(pc.is_null(table[name]), True).as_py()
            raise TranscriptsError(f"{path}: column {name!r} is empty in row {row}; fill it in")
    allowed: dict[str, Sequence[str | None]] = {
        "prompting": _PROMPTINGS, "gold": (*LETTERS, None), "annotated_choice": (*LETTERS, None)
    }  # fmt: skip
    for name in allowed.keys() & set(table.column_names):
        values = table[name].cast(pa.large_string())
        known = pc.is_in(values, value_set=pa.array(allowed[name], pa.large_string()))
        row = pc.index(known, False).as_py()
        if row >= 0:
            wanted, found = ", ".join(str(value) for value in allowed[name]), values[row].as_py()
            raise TranscriptsError(
                f"{path}: column {name!r} is {found!r} in row {row}, not one of {wanted}; correct it"
            )
