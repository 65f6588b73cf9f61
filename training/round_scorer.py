"""A round's scorer by its name: `module:function` from (question, answer) to a share.

    scorer_of("my_project.scoring:points"), scorer_hash("my_project.scoring:points")

Not covered: whether what it scores is worth wanting.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import cast

from training.errors import TrainingError
from training.manifest import file_hash
from training.round_measure import Scorer


def scorer_of(name: str | None) -> Scorer | None:
    """The function that `module:function` names. Raises TrainingError where there is none."""
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        return cast(Scorer, getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise TrainingError(f"--scorer {name}: {error}; give module:function, importable from here") from None


def scorer_hash(name: str | None) -> str | None:
    """The hash of the scorer's source: another function of the same name scores anew. None where there is no file."""
    function = scorer_of(name)
    source = inspect.getsourcefile(inspect.unwrap(function)) if inspect.isfunction(function) else None
    return file_hash(Path(source)) if source else None
