"""The doors `evaluate run` and `evaluate verify`: a model's live answers to a suite, a verifier's choice among them.

    python -m gaokerena evaluate run --suite mmlu_fa --model r --prompting cot --samples 5 --seed 1 --out runs/eval
    python -m gaokerena evaluate verify runs/eval --model base --of r

Both can be stopped or killed at any moment; the same command goes on. Exit status: 0 all answers are there, 1 some
failed, 2 it could not begin, 130 stopped with Ctrl-C. Not covered: what the answers are worth (`evaluate transcripts`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaokerena.questions import Prompting
from gaokerena.settings import PresetName, load_settings

if TYPE_CHECKING:
    from gaokerena.evaluation.live import Ready
    from gaokerena.evaluation.run import Plan
    from gaokerena.evaluation.suites import Suite
    from gaokerena.evaluation.verify import VerifyPlan

Out = Annotated[Path, typer.Option(help="folder of the run; give the same one to go on after a kill")]
AsJson = Annotated[bool, typer.Option("--json", help="the summary as one JSON object on standard output")]
Batch = Annotated[int | None, typer.Option(help="answers computed in one call; 16 on this machine, 128 for a server")]
Retries = Annotated[int, typer.Option(min=0, help="how often a failed answer is tried again, after all others")]
PresetOption = Annotated[PresetName | None, typer.Option(help="which models there are; see docs/settings.md")]
ShowAccuracy = Annotated[bool, typer.Option("--show-accuracy", help="show how many were right so far (no peeking)")]


def run(
    suite: Annotated[str, typer.Option(help="name of a suite, or a file of questions; see python -m gaokerena suites")],
    model: Annotated[str, typer.Option(help="v, r, base, or another name of the preset or of a pipeline")],
    prompting: Annotated[Prompting, typer.Option(help="straight or cot (chain of thought)")],
    out: Out,
    samples: Annotated[int | None, typer.Option(min=1, help="answers a question; straight 1, cot 5")] = None,
    seed: Annotated[int, typer.Option(help="from which each answer's own seed follows")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many questions")] = None,
    preset: PresetOption = None,
    temperature: Annotated[float | None, typer.Option(min=0.0, help="0 is greedy; straight 0, cot 1.0")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(min=1, help="longest answer; 1,024")] = None,
    batch: Batch = None,
    retries: Retries = 2,
    show_accuracy: ShowAccuracy = False,
    as_json: AsJson = False,
) -> None:
    """Ask a model a suite: python -m gaokerena evaluate run --suite mmlu_fa --model r --prompting cot --out runs/e"""
    from gaokerena.evaluation.live import Stage, settings_for
    from gaokerena.evaluation.run import Plan, Recorded, samples_of, sampling_of, stem
    from gaokerena.evaluation.run_file import RunFile
    from gaokerena.evaluation.run_rows import Rows
    from gaokerena.evaluation.suites import load_suite

    with _errors():
        asked = load_suite(suite, settings_for(preset).data)
        name = stem(asked.name, model, prompting)
        with Rows(out / "transcripts" / f"{name}.jsonl", Recorded) as rows, _ready(model, preset, batch) as on:
            sampling = sampling_of(on.preset.samplings, prompting, temperature, max_new_tokens)
            count = samples_of(samples, prompting, sampling)
            plan = Plan(asked, model, prompting, sampling, count, seed, limit, on.scrubbed())
            stage = Stage(rows, RunFile(out / "runs" / f"{name}.json"), plan.keys, plan.recorded, show_accuracy)
            meter = stage.begin(plan.deciding() | on.circumstances(), _about(asked, on, plan), on.prices)
            done = stage.answer(on, plan.blocks(on.batch), meter, retries)
            meter.close()
            summary = stage.end(done, meter, {"skipped": len(asked.items) - len(asked.askable)})
        _report([summary], as_json)


def verify(
    folder: Annotated[Path, typer.Argument(help="folder of a run, the --out of evaluate run")],
    model: Annotated[str, typer.Option(help="which model verifies")] = "base",
    of: Annotated[str | None, typer.Option(help="only the answers of this model; else all with five samples")] = None,
    seed: Annotated[int, typer.Option(help="of the order in which the answers are shown")] = 1,
    preset: PresetOption = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy")] = 0.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="longest response; one letter is asked for")] = 64,
    batch: Batch = None,
    retries: Retries = 2,
    show_accuracy: ShowAccuracy = False,
    as_json: AsJson = False,
) -> None:
    """Let a model settle what five answers leave open: python -m gaokerena evaluate verify runs/eval --of r"""
    from dataclasses import replace

    from gaokerena.evaluation.sampled import sampled_in
    from gaokerena.evaluation.verify import SAMPLING, VerifyPlan

    with _errors():
        sampling = replace(SAMPLING, temperature=temperature, max_new_tokens=max_new_tokens)
        found = sampled_in(folder, of)
        with _ready(model, preset, batch) as on:
            plans = [VerifyPlan(answers, model, seed, sampling, on.scrubbed()) for answers in found]
            summaries = [_verified(folder, plan, on, retries, show_accuracy) for plan in plans]
        _report(summaries, as_json)


def _verified(folder: Path, plan: VerifyPlan, on: Ready, retries: int, show_accuracy: bool) -> dict[str, Any]:
    """One file of answers, verified."""
    from gaokerena.evaluation.answering import in_blocks
    from gaokerena.evaluation.live import Stage
    from gaokerena.evaluation.run_file import RunFile
    from gaokerena.evaluation.run_rows import Rows
    from gaokerena.evaluation.verify import Verified

    name = plan.answers.stem
    with Rows(folder / "verifier" / f"{name}.jsonl", Verified) as rows:
        file = RunFile(folder / "runs" / f"{name}.verifier.json")
        stage = Stage(rows, file, plan.keys, plan.recorded, show_accuracy)
        about = {"transcripts": str(plan.answers.path), "command": _command()}
        meter = stage.begin(plan.deciding() | on.circumstances(), about, on.prices)
        for row in plan.agreed:
            if row.key not in stage.have:
                stage.add(row)
                meter.done += 1
        done = stage.answer(on, in_blocks(plan.tasks, on.batch), meter, retries)
        meter.close()
        return stage.end(done, meter, plan.counts(list(rows.read())))


def _about(suite: Suite, on: Ready, plan: Plan) -> dict[str, Any]:
    """What a reader of the run's file wants to know beside what decides."""
    from gaokerena.evaluation.run import DEFAULTS

    about: dict[str, Any] = {"suite_origin": suite.origin, "command": _command()}
    about["skipped"] = [
        {"subject": item.subject, "question_index": item.index, "reason": item.trouble}
        for item in suite.items
        if item.trouble
    ]
    if on.preset.samplings[plan.prompting] != DEFAULTS[plan.prompting]:
        about["sampling_note"] = f"the preset {on.preset.name} has a sampling of its own, not the papers'"
    if on.settings.cache is None and load_settings().cache is not None:
        about["cache_note"] = "the cache of answers was not used"
    return about


@contextmanager
def _ready(model: str, preset: PresetName | None, batch: int | None) -> Iterator[Ready]:
    """The preset, loaded; closed in the end."""
    from gaokerena.evaluation.live import get_ready

    ready = get_ready(model, preset, batch)
    try:
        yield ready
    finally:
        ready.preset.engine.close()


@contextmanager
def _errors() -> Iterator[None]:
    """What a person can mend ends with its text and status 2; Ctrl-C with 130."""
    from gaokerena.engines.base import EngineError
    from gaokerena.evaluation.run_rows import RunError
    from gaokerena.evaluation.suites import SuiteError
    from gaokerena.settings import SettingsError

    try:
        yield
    except (RunError, SuiteError, SettingsError, EngineError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("\nstopped; the same command goes on where it was", err=True)
        raise typer.Exit(130) from None


def _report(summaries: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print the summaries; raise typer.Exit(1) where answers are missing."""
    if as_json:
        typer.echo(json.dumps(summaries[0] if len(summaries) == 1 else summaries, ensure_ascii=False))
    for summary in summaries:
        if not as_json:
            typer.echo(_text(summary))
        if not summary["complete"]:
            typer.echo(_missing(summary), err=True)
    raise typer.Exit(0 if all(summary["complete"] for summary in summaries) else 1)


def _text(summary: Mapping[str, Any]) -> str:
    """A summary for a person."""
    lines = [f"{summary['answers']:,} of {summary['wanted']:,} answers in {summary['rows']}"]
    ends = summary["finish_reasons"]
    if cut := ends.get("length"):
        lines.append(f"{cut:,} were cut off at the token limit")
    counted = ("skipped", "agreed", "verified", "unreadable", "without_option")
    lines += [f"{name.replace('_', ' ')}: {summary[name]:,}" for name in counted if name in summary]
    if again := summary["differing"]:
        lines.append(f"{again:,} answers came out otherwise when computed again: this machine does not repeat itself")
    lines.append(f"what decided them: {summary['run_file']}")
    return "\n".join(lines)


def _missing(summary: Mapping[str, Any]) -> str:
    failed = summary["failed"]
    first = f", the first: {failed[0]['error']}" if failed else ""
    gave_up = "; the server was left alone after many failures in a row" if summary["gave_up"] else ""
    return (
        f"{summary['wanted'] - summary['answers']:,} answers are missing, {len(failed):,} failed{first}{gave_up}. "
        f"They are listed in {summary['run_file']}; run the same command again to go on"
    )


def _command() -> str:
    from gaokerena.evaluation.cli import command

    return command()
