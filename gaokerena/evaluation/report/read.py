"""What the report is made of: the JSON files of an evaluation, checked.

    found = read(Path("runs/papers"))        # evaluation.json, and rules.json and judge.json where they are

Unknown keys are ignored, so newer files can be read; a missing key, a wrong type, a number that is none or a file cut
off is a `ReportError` that names the file, the place in it and the next step. Not covered: whether figures are right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gaokerena.evaluation.report.schema import Evaluation
from gaokerena.evaluation.report.schema_more import Judged, Searched

EVALUATION, RULES, JUDGE = "evaluation.json", "rules.json", "judge.json"


class ReportError(ValueError):
    """A report cannot be made; the text names the file, the place and the next step."""


@dataclass(frozen=True)
class Found:
    """Everything read of one folder."""

    folder: Path
    evaluation: Evaluation
    rules: Searched | None = None
    judge: Judged | None = None


_Schema = TypeVar("_Schema", bound=BaseModel)


def read(folder: Path) -> Found:
    """The files of `folder`. Raises ReportError."""
    path = folder / EVALUATION
    if not path.is_file():
        raise ReportError(
            f"{path}: no such file; write it with python -m gaokerena evaluate transcripts FILE --json {path}"
        )
    rules, judge = folder / RULES, folder / JUDGE
    return Found(
        folder,
        _checked(path, Evaluation, "evaluate transcripts"),
        _checked(rules, Searched, "evaluate rules") if rules.is_file() else None,
        _checked(judge, Judged, "evaluate judge") if judge.is_file() else None,
    )


def _checked(path: Path, schema: type[_Schema], command: str) -> _Schema:
    again = f"write it anew with python -m gaokerena {command}"
    try:
        return schema.model_validate(_json(path))
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: not UTF-8 at byte {error.start}; {again}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ReportError(f"{path}: not whole JSON at {place} ({error.msg}); {again}") from None
    except ValidationError as error:
        raise ReportError(f"{path}: {_first(error)}; {again}") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def _first(error: ValidationError) -> str:
    """The first complaint: place, what is wrong, the value."""
    complaint = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in complaint["loc"]) or "the file"
    value = repr(complaint["input"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"at {place}: {complaint['msg']}, not {value[:60]}{'…' if len(value) > 60 else ''}{more}"
