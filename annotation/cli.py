"""The door `python -m annotation`: a server for one machine, what is sent, what comes back.

    python -m annotation serve --home annotation-home                   # Argilla on http://127.0.0.1:6900
    python -m annotation users add sara reza                            # accounts; passwords are shown once
    python -m annotation push --transcripts FILE --a gaokerena-v1.0 --b gaokerena-r1.0 --dataset study
    python -m annotation pull --dataset study
    python -m annotation report
    python -m annotation export --out pairs.jsonl

Errors go to standard error with exit status 2.
"""

from __future__ import annotations

import logging

import typer

from annotation.deliver_cli import deliver, study_file
from annotation.pull_cli import adjudicate, export, pull, report
from annotation.push_cli import push
from annotation.server.server_cli import backup, restore, serve
from annotation.users_cli import users

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)
for command in (serve, backup, restore, push, deliver, pull, report, adjudicate, export):
    app.command()(command)
app.command("study-file")(study_file)
app.add_typer(users, name="users")


@app.callback()
def _door() -> None:
    """The doctors' workspace: a real Argilla, what is sent, what comes back, how far to trust it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


def main() -> None:
    """Run the door."""
    app()
