"""Put a function of this project in the place of one of argilla-server's, without editing its wheel.

    wrap(webhooks, "create_webhook", ("db", "webhook_attrs"), around)

argilla-server imports functions by name into many modules, so the new one is set in every module that holds the old.
A function whose parameters are not those it was written for is refused: a changed wheel stops the start instead of
misbehaving. Not covered: classes, and modules imported later (wrap after `import argilla_server`).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Function = Callable[..., Any]


class WheelChangedError(Exception):
    """argilla-server is not the release this package was written for."""


def wrap(module: ModuleType, name: str, parameters: tuple[str, ...], around: Callable[[Function], Function]) -> None:
    """Replace `module.name`, whose parameters must be `parameters`, by `around(it)` wherever it is held.

    Raises:
        WheelChangedError: it is not there or takes other parameters.
    """
    stock = getattr(module, name, None)
    found = tuple(inspect.signature(stock).parameters) if callable(stock) else None
    if stock is None or found != parameters:
        raise WheelChangedError(
            f"{module.__name__}.{name} takes {found} and not {parameters}; install the pinned release"
        )
    new = functools.wraps(stock)(around(stock))
    for holder in [held for key, held in sys.modules.items() if key.split(".")[0] == "argilla_server"]:
        for attribute, value in list(vars(holder).items()):
            if value is stock:
                setattr(holder, attribute, new)
