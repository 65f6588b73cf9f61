"""Files of JSON lines as rows of a model: those this program appends to, and those people write.

    for row in appended(Path("items.jsonl"), Item, lambda place, told: ItemError(f"{place}: {told}; …")): ...
    for place, row in written(Path("gold.jsonl"), GoldRow, lambda place, told: GoldError(f"{place}: {told}; …")): ...

`place` is the file and the line, `told` what is wrong there; the caller adds the next step. Not covered: writing
(`gaokerena.append_only`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gaokerena.append_only import whole_lines

Row = TypeVar("Row", bound=BaseModel)
Wrong = Callable[[str, str], Exception]


def appended(path: Path, kind: type[Row], wrong: Wrong) -> Iterator[Row]:
    """The rows of an append-only file; none where it is not there, and a torn last line is left out. Raises `wrong`."""
    for number, line in enumerate(whole_lines(path), 1):
        yield _row(line, f"{path}:{number}", kind, wrong)


def written(path: Path, kind: type[Row], wrong: Wrong) -> Iterator[tuple[str, Row]]:
    """Each row of a file that somebody wrote, with its place; empty lines are passed over. Raises `wrong`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise wrong(str(path), error.strerror or type(error).__name__) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}:{number}", _row(line, f"{path}:{number}", kind, wrong)


def _row(line: bytes, place: str, kind: type[Row], wrong: Wrong) -> Row:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise wrong(place, f"{key}: {first['msg']}" if key else first["msg"]) from error
