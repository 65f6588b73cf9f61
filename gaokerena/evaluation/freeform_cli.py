"""The command `python -m gaokerena evaluate judge`: which of two models answers patients better, by a judge.

    python -m gaokerena evaluate judge runs/free --a v --b r --judge judge --preset endpoint --limit 200

Reads the free-form answers that `evaluate run --suite mf3qa` wrote, asks the judge about every pair in both orders, and
writes the figures (`judge.json`, `judge.md`) beside every call (`judge.calls.jsonl`). Killed and run again it goes on.

Not covered: several judges at once; judge with each into files of their own (`--out`).
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any

import typer

from gaokerena.comparisons import now
from gaokerena.engines.base import Engine, EngineError, Sampling
from gaokerena.evaluation.cli import command, fail, write
from gaokerena.evaluation.freeform import (
    Answers,
    FreeformError,
    Pair,
    Paired,
    Side,
    Told,
    locate,
    pair_up,
    question_id,
    read_side,
    sample,
)
from gaokerena.evaluation.freeform_calls import JUDGING, CallLog, Judge, Judged
from gaokerena.evaluation.freeform_prompt import FINGERPRINT, VERSION
from gaokerena.evaluation.freeform_score import score, settle
from gaokerena.evaluation.freeform_table import as_text
from gaokerena.evaluation.suites import SuiteError, load_suite
from gaokerena.files import atomic
from gaokerena.presets import load_preset
from gaokerena.settings import PresetName, Settings, SettingsError, load_settings
from gaokerena.statistics import RESAMPLES
from gaokerena.transcripts import TranscriptsError

SCHEMA = 1
_TELL_EVERY = 2.0


def judge(
    folder: Annotated[Path, typer.Argument(help="folder of a live evaluation; the results go there too")],
    a: Annotated[str, typer.Option(help="a model, or model:prompting where it answered under both")],
    b: Annotated[str, typer.Option(help="the other model")],
    judge_name: Annotated[str, typer.Option("--judge", help="the model that judges, by its name in the preset")],
    preset: Annotated[PresetName | None, typer.Option(help="where the judge is")] = None,
    suite: Annotated[str, typer.Option(help="the suite answered")] = "mf3qa",
    file: Annotated[list[Path] | None, typer.Option(help="transcripts to read instead of FOLDER's")] = None,
    data: Annotated[str | None, typer.Option(help="folder or hub: dataset of the suite; else GAOKERENA_DATA")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="so many questions, drawn by the seed; else all")] = None,
    seed: Annotated[int, typer.Option(help="of the draw, the judge's sampling and the bootstrap")] = 1,
    reference: Annotated[bool, typer.Option(help="show the judge the doctor's answer")] = True,
    max_tokens: Annotated[int, typer.Option(min=8, help="longest reply of the judge")] = JUDGING.max_new_tokens,
    out: Annotated[Path | None, typer.Option(help="the JSON to write; else FOLDER/judge.json")] = None,
) -> None:
    """Judge two models' free-form answers: python -m gaokerena evaluate judge runs/free --a v --b r --judge judge"""
    path = out or folder / "judge.json"
    try:
        settings = load_settings(**({"preset": preset} if preset else {}))
        sides = [_answers(folder, suite, Side.named(name), file) for name in (a, b)]
        paired = pair_up(sides[0], sides[1], _told(suite, data or settings.data, reference))
        pairs = sample(paired.pairs, limit, seed)
        log = CallLog(path.with_suffix(".calls.jsonl"))
        engine, revision = _judge_engine(settings, judge_name)
        with closing(engine):
            sampling = Sampling(JUDGING.temperature, max_new_tokens=max_tokens)
            names = (str(sides[0].side), str(sides[1].side))
            asked = Judge(engine, judge_name, log, names, revision, reference, sampling, seed)
            judged = asked.judge(pairs, _Progress())
    except (FreeformError, TranscriptsError, SuiteError, SettingsError, EngineError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error.filename or path}: {error.strerror}; name another place") from None
    report = _report(suite, sides, paired, asked, pairs, judged)
    write(path, report)
    with atomic(path.with_suffix(".md")) as half:
        half.write_text(as_text(report), "utf-8")
    typer.echo(as_text(report))
    _warn(sides, judge_name, judged)


def _answers(folder: Path, suite: str, side: Side, files: list[Path] | None) -> Answers:
    return read_side(files, side) if files else locate(folder, suite, side)


def _told(suite: str, data: Path | str | None, reference: bool) -> dict[str, Told]:
    """What the suite knows of its questions. Without a reference wanted, a suite that is not at hand is no matter."""
    try:
        items = load_suite(suite, data if data is None else Path(data)).askable
    except SuiteError as error:
        if reference:
            raise SuiteError(f"{error}; or judge with --no-reference") from error
        return {}
    return {question_id(item.text): Told(item.reference, item.source) for item in items}


def _judge_engine(settings: Settings, name: str) -> tuple[Engine, str]:
    """The engine that has the judge, and what names its weights. Raises EngineError."""
    if settings.preset == "endpoint" and name in settings.endpoints:  # neither v nor r need be served to judge them
        from gaokerena.engines.endpoint import EndpointEngine

        model = settings.endpoints[name]
        return EndpointEngine({name: model}), model.revision or model.model
    preset = load_preset(settings)
    if name not in preset.engine.models:
        preset.engine.close()
        there = ", ".join(preset.engine.models)
        raise EngineError(
            f"no model {name!r} in the preset {preset.name}; there are {there}. A served judge is "
            f"[endpoints.{name}] in gaokerena.toml, with --preset endpoint"
        )
    return preset.engine, preset.revisions.get(name, "")


class _Progress:
    """Calls done, on standard error, every two seconds and at the end."""

    def __init__(self) -> None:
        self._began, self._told, self._first = time.monotonic(), 0.0, -1

    def __call__(self, done: int, total: int) -> None:
        moment = time.monotonic()
        self._first = done if self._first < 0 else self._first
        if done < total and moment - self._told < _TELL_EVERY:
            return
        self._told = moment
        rate = (done - self._first) / max(moment - self._began, 1e-9)
        left = f", {(total - done) / rate:.0f} s left" if rate and done < total else ""
        typer.echo(f"{done:,} of {total:,} calls, {rate:.1f} a second{left}", err=True)


def _report(
    suite: str, sides: list[Answers], paired: Paired, asked: Judge, pairs: list[Pair], judged: Judged
) -> dict[str, Any]:
    settled = [verdict for pair in pairs if (verdict := settle(pair, judged.calls))]
    calls = list(judged.calls.values())
    return {
        "schema": SCHEMA,
        "command": command(),
        "at": now(),
        "suite": suite,
        "a": _side(sides[0]),
        "b": _side(sides[1]),
        "judge": {
            "model": asked.model,
            "revisions": sorted({call.revision for call in calls}),
            "prompt_version": VERSION,
            "prompt": FINGERPRINT,
            "sampling": asdict(asked.sampling),
        },
        "reference": asked.reference,
        "seed": asked.seed,
        "resamples": RESAMPLES,
        "left_out": {"only_a": paired.only_a, "only_b": paired.only_b, "repeated": paired.repeated},
        "available": len(paired.pairs),
        "with_reference": sum(call.reference for call in calls) // 2,
        "calls": {
            "total": len(calls),
            "fresh": judged.fresh,
            "failed": len(judged.failures),
            "reminded": sum(call.tries > 1 for call in calls),
            "unreadable": sum(call.label is None for call in calls),
            "prompt_tokens": sum(call.usage.prompt_tokens for call in calls),
            "completion_tokens": sum(call.usage.completion_tokens for call in calls),
            "pairs_missing": len(pairs) - len(settled),
        },
        **score(settled, seed=asked.seed),
    }


def _side(answers: Answers) -> dict[str, Any]:
    files = []
    for path in answers.files:
        with path.open("rb") as file:
            files.append({"file": path.name, "sha256": file_digest(file, "sha256").hexdigest()})
    return {"model": answers.side.model, "prompting": answers.side.prompting, "files": files}


def _warn(sides: list[Answers], name: str, judged: Judged) -> None:
    """Say what the figures do not. Exits with 1 where calls failed: run the same command again."""
    if name in {side.side.model for side in sides}:
        typer.echo(f"{name} judged its own answers; judges prefer their own", err=True)
    if judged.failures:
        typer.echo(f"{len(judged.failures):,} calls failed (run again to ask them): {judged.failures[0]}", err=True)
        raise typer.Exit(1)
