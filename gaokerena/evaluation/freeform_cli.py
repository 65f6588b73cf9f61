"""The door `evaluate judge`: which of two models answers patients better, by a judge that is judged itself.

    python -m gaokerena evaluate judge runs/free --a v --b r --judge judge --preset endpoint --limit 200

Reads the free-form answers that `evaluate run --suite mf3qa` wrote, asks the judge about every pair in both orders, and
writes the figures (`judge.json`, `judge.md`) beside every call (`judge.calls.jsonl`). Killed and run again it goes on.
Exit status: 0 all pairs are judged, 1 some calls failed, 2 it could not begin, 130 stopped with Ctrl-C.

Not covered: several judges at once; let each write to a file of its own (`--out`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gaokerena.settings import PresetName


def judge(
    folder: Annotated[Path, typer.Argument(help="folder of a live evaluation; the results go there too")],
    a: Annotated[str, typer.Option(help="a model, or model:prompting where it answered under both")],
    b: Annotated[str, typer.Option(help="the other model")],
    judge_name: Annotated[str, typer.Option("--judge", help="the model that judges, by its name in the preset")],
    preset: Annotated[PresetName | None, typer.Option(help="where the judge is")] = None,
    suite: Annotated[str, typer.Option(help="the suite answered")] = "mf3qa",
    file: Annotated[list[Path] | None, typer.Option(help="transcripts to read instead of FOLDER's")] = None,
    data: Annotated[str | None, typer.Option(help="folder or file of the suite; else GAOKERENA_DATA")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="so many questions, drawn by the seed; else all")] = None,
    seed: Annotated[int, typer.Option(help="of the draw, the judge's sampling and the bootstrap")] = 1,
    reference: Annotated[bool, typer.Option(help="show the judge the doctor's answer")] = True,
    max_tokens: Annotated[int, typer.Option(min=8, help="longest reply of the judge")] = 400,
    out: Annotated[Path | None, typer.Option(help="the JSON to write; else FOLDER/judge.json")] = None,
) -> None:
    """Judge two models' free-form answers: python -m gaokerena evaluate judge runs/free --a v --b r --judge judge"""
    from gaokerena.engines.base import EngineError
    from gaokerena.evaluation.cli import command, fail, write
    from gaokerena.evaluation.freeform import FreeformError
    from gaokerena.evaluation.freeform_run import Wanted, judge_all
    from gaokerena.evaluation.freeform_table import as_text
    from gaokerena.evaluation.run_rows import RunError
    from gaokerena.evaluation.suites import SuiteError
    from gaokerena.files import atomic
    from gaokerena.settings import SettingsError
    from gaokerena.transcripts import TranscriptsError

    path = out or folder / "judge.json"
    wanted = Wanted(
        folder, (a, b), judge_name, preset, suite, tuple(file or ()), data, limit, seed, reference, max_tokens
    )
    try:
        report, failures = judge_all(wanted, path.with_suffix(".calls.jsonl"))
        write(path, {"command": command(), **report})
        text = as_text(report, command())
        with atomic(path.with_suffix(".md")) as half:
            half.write_text(text, "utf-8")
    except (FreeformError, TranscriptsError, SuiteError, SettingsError, EngineError, RunError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error.filename or path}: {error.strerror}; name another place") from None
    except KeyboardInterrupt:
        typer.echo("stopped; run the same command again to go on", err=True)
        raise typer.Exit(130) from None
    typer.echo(text)
    if judge_name in (report["a"]["model"], report["b"]["model"]):
        typer.echo(f"{judge_name} judged its own answers; judges prefer their own", err=True)
    if failures:
        pairs = f"{report['calls']['pairs_missing']:,} pairs are not judged"
        typer.echo(f"{len(failures):,} calls failed, {pairs} (run again to ask them): {failures[0]}", err=True)
        raise typer.Exit(1)
