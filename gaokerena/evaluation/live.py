"""What every live stage shares: a preset that is ready, a file of rows that goes on, a run's file, a summary.

    with Rows(path, Recorded) as rows:
        ready = get_ready("r", "mini", None)
        stage = Stage(rows, RunFile(run_path), wanted=plan.keys, make=plan.recorded)
        meter = stage.begin(plan.deciding() | ready.circumstances(), about, ready.prices)
        summary = stage.end(stage.answer(ready, plan.blocks(ready.batch), meter, retries=2), meter, {})

`run` and `verify` are such stages. Not covered: what is asked and what becomes a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from gaokerena.answers import FinishReason, Usage
from gaokerena.evaluation.answering import Done, Given, Key, Task, answer_all
from gaokerena.evaluation.progress import Meter, Prices
from gaokerena.evaluation.run_file import RunFile, machine, versions
from gaokerena.evaluation.run_rows import Rows, RunError
from gaokerena.presets import PLANS, Preset, load_preset
from gaokerena.settings import PresetName, Settings, load_settings

SERVER_ROWS = 128
"""Answers handed to a server's engine at once, where nothing is said: several times what it has under way."""


class LiveRow(Protocol):
    """What a row must tell so that a stage can go on after a kill."""

    @property
    def key(self) -> Key: ...
    @property
    def text(self) -> str: ...
    @property
    def spent(self) -> Usage: ...
    @property
    def ended(self) -> FinishReason | None: ...
    @property
    def weights(self) -> str: ...
    @property
    def right(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Ready:
    """A preset loaded for one model, and how it is asked: `batch` answers a call."""

    settings: Settings
    preset: Preset
    model: str
    batch: int

    @property
    def serves(self) -> bool:
        """Whether a server computes, rather than this machine."""
        return self.settings.preset == "endpoint"

    @property
    def prices(self) -> Prices:
        """Of the model on its server; none elsewhere, and none for a pipeline, whose tokens are of two models."""
        served = self.settings.endpoints.get(self.model) if self.serves else None
        return Prices(served.price_prompt, served.price_completion) if served else Prices()

    def circumstances(self) -> dict[str, Any]:
        """What decides the answers beside the questions: engine, weights, versions, machine."""
        found: dict[str, Any] = {"preset": self.preset.name, "revision": self.preset.revisions.get(self.model)}
        pipeline = self.settings.pipelines.get(self.model)
        if pipeline:
            found["pipeline"] = pipeline.model_dump()
        local = self.preset.name in PLANS
        found["versions"] = versions(local=local)
        if local:
            found |= {"machine": machine(), "device": self.preset.device, "batch": self.batch}
        if self.serves:
            found["served"] = {name: self._served(name) for name in self._parts}
        return found

    def scrubbed(self) -> bool:
        """Whether the engine takes personal identifiers out of what it sends."""
        return self.serves and any(self.settings.endpoints[name].scrub for name in self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        """The models that are asked: two for a pipeline."""
        pipeline = self.settings.pipelines.get(self.model)
        return (pipeline.translator, pipeline.answerer) if pipeline else (self.model,)

    def _served(self, name: str) -> dict[str, Any]:
        return self.settings.endpoints[name].model_dump(include={"model", "dialect", "extra_body", "scrub"})


def get_ready(model: str, preset: PresetName | None, batch: int | None) -> Ready:
    """Load what answers as `model`. The cache of answers stays out of it: what it kept was computed in other company.

    Raises SettingsError, EngineError, and RunError for a batch below 1.
    """
    if batch is not None and batch < 1:
        raise RunError(f"a batch of {batch} answers; give --batch 1 or more")
    settings = settings_for(preset, batch)
    if settings.preset == "recorded":
        raise RunError(
            "the preset recorded answers nothing afresh; evaluate its answers with: "
            "python -m gaokerena evaluate transcripts FILE"
        )
    rows = SERVER_ROWS if settings.preset == "endpoint" else settings.max_rows
    return Ready(settings, load_preset(settings, [model]), model, batch or rows)


def settings_for(preset: PresetName | None, batch: int | None = None) -> Settings:
    """The settings with a command's options; a local engine decodes a whole batch together. Raises SettingsError."""
    options: dict[str, Any] = {"preset": preset, "max_rows": batch}
    return load_settings(cache=None, **{name: value for name, value in options.items() if value is not None})


Row = TypeVar("Row", bound=LiveRow)


@dataclass
class Stage(Generic[Row]):
    """One file of rows under way. `make` turns an answer into its row, `wanted` are the keys of all rows there will be.

    `rows` is open and locked by the caller.
    """

    rows: Rows[Any]
    file: RunFile
    wanted: set[Key]
    make: Callable[[Given], Row]
    show_accuracy: bool = False
    _have: dict[Key, str] = field(default_factory=dict)
    _weights: set[str] = field(default_factory=set)
    _ends: Counter[str] = field(default_factory=Counter)

    def begin(self, deciding: Mapping[str, Any], about: Mapping[str, Any], prices: Prices) -> Meter:
        """Take in the rows of earlier starts and write the run's file. Raises RunError where they do not belong."""
        earlier: list[Row] = list(self.rows.read())
        self.file.begin(deciding, about, rows=len(earlier), where=self.rows.path)
        meter = Meter(len(self.wanted), len(earlier), prices, show_accuracy=self.show_accuracy)
        for row in earlier:
            self._check(row)
            self._note(row)
            meter.before(row.spent, row.right)
        if self.rows.torn:
            meter.say(f"{self.rows.path}: cut away {self.rows.torn} bytes of a row that a kill had torn")
        if self._have:
            meter.say(f"{self.rows.path}: {len(self._have):,} of {len(self.wanted):,} answers are there, going on")
        return meter

    def answer(self, ready: Ready, blocks: Sequence[Sequence[Task]], meter: Meter, retries: int) -> Done:
        """Ask for what is missing, one row appended as each answer ends."""
        whole = not ready.serves
        return answer_all(
            ready.preset.engine, blocks, self._have, lambda given: self._keep(given, meter), meter,
            whole=whole, retries=retries,
        )  # fmt: skip

    def end(self, done: Done, meter: Meter, more: Mapping[str, Any]) -> dict[str, Any]:
        """The summary, which is also what the run's file says of the outcome."""
        failures = [
            {"subject": subject, "question_index": index, "run": run, "error": error}
            for (subject, index, run), error in sorted(done.failures.items())
        ]
        outcome = {
            "complete": len(self._have) == len(self.wanted), "answers": len(self._have), "wanted": len(self.wanted),
            "failed": failures, "gave_up": done.gave_up, "finish_reasons": dict(sorted(self._ends.items())),
            "differing": len(done.differing), "revisions": sorted(self._weights), "prompt_tokens": meter.prompt,
            "completion_tokens": meter.completion, "tokens_estimated": meter.estimated, "cost": meter.cost, **more,
        }  # fmt: skip
        self.file.end(outcome, meter.seconds)
        speed = {
            "answers_per_second": round(meter.answers_per_second, 4),
            "tokens_per_second": round(meter.tokens_per_second, 2),
            "seconds_of_this_start": round(meter.seconds, 1),
        }
        return {"rows": str(self.rows.path), "run_file": str(self.file.path), **outcome, **speed}

    def add(self, row: Row) -> None:
        """Append a row that no answer was needed for."""
        self.rows.append(row)
        self._note(row)

    @property
    def have(self) -> Mapping[Key, str]:
        """The texts there are, by key."""
        return self._have

    def _keep(self, given: Given, meter: Meter) -> None:
        row = self.make(given)
        self._check_weights(row)
        self.add(row)
        meter.answer(row.spent, row.right)

    def _check(self, row: Row) -> None:
        where = f"{self.rows.path}: subject {row.key[0]!r}, question {row.key[1]}, run {row.key[2]}"
        if row.key not in self.wanted:
            raise RunError(f"{where} is none of this run's answers; the same options as before, or another --out")
        if row.key in self._have:
            raise RunError(f"{where} is there twice; delete one of the lines, or give another --out")
        self._check_weights(row)

    def _check_weights(self, row: Row) -> None:
        """Answers of several models must not share a file."""
        if row.weights and self._weights and row.weights not in self._weights:
            raise RunError(
                f"{self.rows.path}: the answers so far are by {', '.join(self._weights)}, and now {row.weights} "
                "answers; give another --out for it"
            )

    def _note(self, row: Row) -> None:
        self._have[row.key] = row.text
        self._weights |= {row.weights} if row.weights else set()
        self._ends[row.ended or "not asked"] += 1
