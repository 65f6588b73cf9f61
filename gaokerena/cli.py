"""The door `python -m gaokerena`: ask from a terminal, see the settings.

    python -m gaokerena ask "سردرد دارم" --preset mini
    python -m gaokerena ask "کدام ویتامین …؟" --option الف --option ب --option ج --option د --model r --json

Errors go to standard error with exit status 2. Not covered: the page (`app.py`).
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from gaokerena import __version__
from gaokerena.answers import Answer
from gaokerena.engines.base import EngineError, Failed, Finished, Queued, Request
from gaokerena.evaluation.cli import app as evaluation
from gaokerena.evaluation.report.report_cli import report
from gaokerena.evaluation.suites_cli import suites
from gaokerena.gather import Gathering
from gaokerena.intake import RefusalError, read_question
from gaokerena.presets import Preset, load_preset
from gaokerena.prompts import messages
from gaokerena.questions import Question
from gaokerena.settings import PresetName, Settings, SettingsError, as_markdown, load_settings, shown
from gaokerena.votes_cli import votes

SHOWN = {
    "model", "prompting", "text", "reasoning", "steps", "conclusion", "choice", "finish_reason", "usage", "seconds",
    "revision",
}  # fmt: skip
"""Fields of an answer that `--json` prints."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)
app.add_typer(evaluation, name="evaluate")
app.add_typer(votes, name="votes")
app.command()(suites)
app.command()(report)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gaokerena {__version__}")
        raise typer.Exit


INTERRUPTED = 130
"""Exit status after Ctrl-C."""


@app.callback()
def _door(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None:
    """Ask two Persian medical models, see the settings."""


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="a Persian medical question")],
    option: Annotated[list[str] | None, typer.Option(help="one of four options; give all four")] = None,
    preset: Annotated[PresetName | None, typer.Option(help="which models answer")] = None,
    model: Annotated[str, typer.Option(help="v, r, both, or another name of the preset")] = "both",
    seed: Annotated[int, typer.Option(help="seed of the sampling")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="the last line is one JSON object")] = False,
) -> None:
    """Ask one model or both: python -m gaokerena ask "برای تب کودک چه کنم؟" --model r"""
    settings = _settings(preset)
    asked = _question(question, option or [], settings.max_question_chars)
    ready = _preset(settings)
    try:
        answers = _answers(ready, asked, _names(ready, model), seed, quiet=as_json)
    finally:
        ready.engine.close()
    if as_json:
        typer.echo(json.dumps(_report(question, ready.name, answers), ensure_ascii=False))
    raise typer.Exit(1 if any(answer.finish_reason == "failed" for answer in answers) else 0)


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="the table of docs/settings.md")] = False,
) -> None:
    """Print the settings in force, without secrets: python -m gaokerena settings"""
    typer.echo(as_markdown() if markdown else shown(_settings(None)))


def _fail(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(2)


def _settings(preset: PresetName | None) -> Settings:
    try:
        return load_settings(**({"preset": preset} if preset else {}))
    except SettingsError as error:
        raise _fail(str(error)) from None


def _question(text: str, options: list[str], limit: int) -> Question:
    try:
        return read_question(text, options, limit=limit)
    except RefusalError as refusal:
        raise _fail(f"{refusal.fa}\n{refusal.en}") from None


def _preset(settings: Settings) -> Preset:
    try:
        return load_preset(settings)
    except EngineError as error:
        raise _fail(str(error)) from None


def _names(preset: Preset, model: str) -> list[str]:
    names = list(preset.models)[:2] if model == "both" else [model]
    if unknown := [name for name in names if name not in preset.models]:
        raise _fail(
            f"no model {unknown[0]!r} in the preset {preset.name}; there are {', '.join(preset.models)}, and both"
        )
    return names


def _answers(preset: Preset, question: Question, names: list[str], seed: int, *, quiet: bool) -> list[Answer]:
    """Ask `names` side by side; each answer is printed when it is there."""
    infos = [preset.models[name] for name in names]
    requests = [
        Request(info.name, messages(question, info.prompting), info.prompting, info.sampling, seed, question.id)
        for info in infos
    ]
    gathering = [Gathering(question, request) for request in requests]
    answers: list[Answer | None] = [None] * len(requests)
    for row, event in preset.engine.stream(requests):
        answers[row] = gathering[row].add(event) or answers[row]
        if not quiet:
            _print(infos[row].label, event, answers[row])
    return [answer for answer in answers if answer]


def _print(label: str, event: object, answer: Answer | None) -> None:
    if isinstance(event, Queued) and event.position:
        typer.echo(f"[{label}] {event.position} ahead in the queue", err=True)
    if not answer or not isinstance(event, Finished | Failed):
        return
    typer.echo(f"\n━━ {label} ({answer.prompting}, {answer.seconds:.1f} s, {answer.usage.completion_tokens} tokens)")
    if answer.reasoning:
        typer.echo(f"{answer.reasoning.strip()}\n──")
    typer.echo(answer.conclusion.strip() or answer.error)
    if answer.choice:
        typer.echo(f"[{answer.choice}]")


def _report(question: str, preset: str, answers: list[Answer]) -> dict[str, Any]:
    return {
        "question": question,
        "preset": preset,
        "answers": [answer.model_dump(include=SHOWN, mode="json") for answer in answers],
    }


def main() -> None:
    """Run the door; output is UTF-8 whatever the terminal says."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo(
                "stopped; a file is written whole or not at all, and the same command goes on or begins anew", err=True
            )
        raise
