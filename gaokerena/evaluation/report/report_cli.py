"""The command `python -m gaokerena report`: an evaluation's files become a page and two Markdown files.

    python -m gaokerena report runs/papers --out build/report

Exit status 2 with one line on standard error where a file cannot be read or written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gaokerena.files import atomic

PAGE, MARKDOWN_FA, MARKDOWN_EN = "report.html", "report.fa.md", "report.md"


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="holds evaluation.json; rules.json, judge.json if any")],
    out: Annotated[Path | None, typer.Option(help="where the report goes; else beside the files")] = None,
) -> None:
    """Write report.html, report.md and report.fa.md: python -m gaokerena report runs/papers"""
    from gaokerena.evaluation.report.read import ReportError

    try:
        for path in write(folder, out):
            typer.echo(path)
    except ReportError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except ModuleNotFoundError as error:
        typer.echo(f"{error.name} is not installed; run: python -m pip install -r requirements-report.txt", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"{error.filename or out or folder}: {error.strerror}; name another place with --out", err=True)
        raise typer.Exit(2) from None


def write(folder: Path, out: Path | None = None) -> list[Path]:
    """Read `folder`, write the three files there or into `out`, and return their paths.

    Raises ReportError, OSError.
    """
    from gaokerena.evaluation.report.build import sections
    from gaokerena.evaluation.report.html import html
    from gaokerena.evaluation.report.markdown import markdown
    from gaokerena.evaluation.report.read import read
    from gaokerena.evaluation.typed import as_typed

    found = read(folder)
    command = as_typed(["report", str(folder), *(["--out", str(out)] if out else [])])
    out = out or folder
    out.mkdir(parents=True, exist_ok=True)  # a place that cannot be written shows before the figures are drawn
    made = sections(found, command)
    texts = {PAGE: html(made), MARKDOWN_EN: markdown(made, "en"), MARKDOWN_FA: markdown(made, "fa")}
    for name, text in texts.items():
        with atomic(out / name) as half:
            half.write_text(text, "utf-8")
    return [out / name for name in texts]
