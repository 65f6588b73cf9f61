"""What the commands that speak with Argilla share: the usual options, and errors as text with exit status 2.

Not covered: the commands themselves (`push_cli`, `users_cli`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

To = Annotated[
    str, typer.Option(envvar="ANNOTATION_HOME", help="URL of an Argilla, or the home folder of a one-machine server")
]
Workspace = Annotated[str, typer.Option(help="workspace of the doctors; made when missing")]
Folder = Annotated[Path, typer.Option(help="where the ledger, the plans and the pseudonyms are kept")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on standard output")]


@contextmanager
def errors() -> Iterator[None]:
    """What a user can mend goes to standard error, without a traceback; exit status 2."""
    from annotation.client import ArgillaError
    from annotation.sending import LeakError
    from gaokerena.store import StoreError

    try:
        yield
    except (ArgillaError, LeakError, ValueError, OSError, StoreError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
