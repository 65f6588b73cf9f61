"""Transcripts indexed by question and model: the look-up behind the `recorded` engine.

    recordings = Recordings([Path("data/transcripts.parquet")], {"v": "gaokerena-v1.0"})
    recordings.find(Request("v", messages(question, "cot"), "cot", seed=3))

A request matches a transcript when it is the first question of its conversation and asks the same question, options
included: by `Request.question_id`, or by the question that `prompts.asked` finds in the turn, both compared as
`Question.id`. The wording around the question and the sampling are not compared: published answers came about with
their own.

Not covered: questions that are alike but not the same; follow-up questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from gaokerena.engines.base import Request
from gaokerena.prompts import asked
from gaokerena.questions import Question
from gaokerena.transcripts import read_table

_COLUMNS = ("question", "option_a", "option_b", "option_c", "option_d", "model", "prompting", "run", "response")
_ROWS_AT_ONCE = 1_000


class Recordings:
    """Texts stay in Arrow memory; a response becomes a str when it is asked for.

    `models` maps an engine's model names to those of the files; rows of other models are left out, and so are rows
    whose question cannot be asked (`skipped`: its text or some of its options are empty). Raises TranscriptsError.
    """

    def __init__(self, sources: Sequence[Path], models: Mapping[str, str]) -> None:
        self.skipped = 0
        self._models = dict(models)
        self._responses: list[Any] = []
        self._answers: dict[tuple[str, str, str], list[tuple[int, int, int]]] = {}
        for source in sources:
            self._index(source)
        for runs in self._answers.values():
            runs.sort()
        there = {model for model, _, _ in self._answers}
        self.models = tuple(name for name, model in self._models.items() if model in there)
        """This engine's names of the models that have at least one answer."""

    def __len__(self) -> int:
        return sum(map(len, self._answers.values()))

    def find(self, request: Request) -> tuple[str, str] | None:
        """(response, where it comes from), or None. The seed chooses the run: 0 the first, 1 the second, and round."""
        turns = [turn for turn in request.messages if turn.role != "system"]
        if request.model not in self.models or len(turns) != 1:
            return None
        model, (text, options) = self._models[request.model], asked(turns[0].content)
        by_id = self._answers.get((model, request.prompting, request.question_id))
        runs = by_id or self._answers.get((model, request.prompting, _id(text, options) or ""))
        if not runs:
            return None
        run, source, row = runs[request.seed % len(runs)]
        return self._responses[source][row].as_py(), f"recorded {model}, run {run}"

    def _index(self, source: Path) -> None:
        table = read_table(source, _COLUMNS)
        table = table.filter(pc.is_in(table["model"], value_set=pa.array(self._models.values(), pa.large_string())))
        ids: dict[tuple[str, ...], str | None] = {}
        row = 0
        for batch in table.drop_columns(["response"]).to_batches(max_chunksize=_ROWS_AT_ONCE):
            columns = (column.to_pylist() for column in batch.columns)
            for text, a, b, c, d, model, prompting, run in zip(*columns, strict=True):
                question = (text, a, b, c, d)
                if question not in ids:
                    ids[question] = _id(text, question[1:] if a or b or c or d else ())
                if name := ids[question]:
                    place = (run, len(self._responses), row)
                    self._answers.setdefault((model, prompting, name), []).append(place)
                else:
                    self.skipped += 1
                row += 1
        self._responses.append(table["response"])
        del table
        pa.default_memory_pool().release_unused()  # what reading took beyond the responses: about 100 MB


def _id(text: str, options: tuple[str, ...]) -> str | None:
    """The id of that question, None where it is none."""
    try:
        return Question(text=text, options=options).id
    except ValidationError:
        return None
