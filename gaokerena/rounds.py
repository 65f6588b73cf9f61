"""Adapters that training made, found in a folder and offered beside the preset's, also while the page is running.

    rounds = Rounds(Path("models/rounds"), engine, models, samplings)
    rounds.look()                    # offers what is new; the names of what was added
    rounds.watch()                   # the same every few seconds, as long as the engine is open

Each is a folder with an adapter and its `lineage.json`, put there whole (`python -m training round` renames it into
place). The folder's name is the model's; the lineage's `round` block says which model it continues and how it is asked.
What cannot be offered (another base, a name that is taken, a folder without lineage) is logged once and left alone.

Not covered: taking a model away again, which needs a restart.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gaokerena.engines.base import EngineError, Sampling
from gaokerena.questions import Prompting

log = logging.getLogger(__name__)

LINEAGE = "lineage.json"
EVERY = 5.0
"""Seconds between two looks: a listing of one small folder."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a preset: how it is called, asked and sampled; `continues` names the model a round started from."""

    name: str
    label: str
    prompting: Prompting
    sampling: Sampling
    continues: str = ""


class Models(Mapping[str, ModelInfo]):
    """Models by name, in order. One that is added is there for the next look; a loop already begun does not see it."""

    def __init__(self, models: Mapping[str, ModelInfo]) -> None:
        self._now = dict(models)

    def add(self, info: ModelInfo) -> None:
        self._now = {**self._now, info.name: info}

    def __getitem__(self, name: str) -> ModelInfo:
        return self._now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)


class Takes(Protocol):
    """An engine that can be given one adapter more (`engines.local.LocalEngine` fits)."""

    @property
    def closed(self) -> bool: ...

    def add(self, name: str, folder: str) -> None: ...


Written = frozenset[tuple[str, int, int]]
"""Name, time of change and size of each file in a folder: an adapter may still be on its way when first seen."""


def _written(folder: Path) -> Written:
    return frozenset((path.name, (told := path.stat()).st_mtime_ns, told.st_size) for path in folder.iterdir())


class Rounds:
    """See the module. `models` grows as adapters are found."""

    def __init__(self, folder: Path, engine: Takes, models: Models, samplings: Mapping[Prompting, Sampling]) -> None:
        self._folder = folder
        self._engine = engine
        self._models = models
        self._samplings = samplings
        self._seen: dict[str, Written] = {}

    def look(self, only: Collection[str] | None = None) -> list[str]:
        """Offer every adapter that is new (of those named in `only`); returns their names."""
        return [path.name for path in self._new(only) if self._offer(path)]

    def watch(self, every: float = EVERY) -> None:
        """Look again and again, in a thread of its own."""

        def keep() -> None:
            while not self._engine.closed:
                try:
                    self.look()
                except Exception:
                    log.exception("looking for new adapters in %s broke; it is tried again", self._folder)
                time.sleep(every)

        threading.Thread(target=keep, name="gaokerena-rounds", daemon=True).start()

    def _new(self, only: Collection[str] | None) -> list[Path]:
        """Folders with a lineage that were not there before, or were refused and have changed since."""
        found = []
        folders = [lineage.parent for lineage in self._folder.glob(f"*/{LINEAGE}")]
        for folder in sorted(folders, key=lambda each: (len(each.name), each.name)):  # r9 before r10, which goes on
            if folder.name.startswith(".") or (only is not None and folder.name not in only):
                continue
            written = _written(folder)
            if self._seen.get(folder.name) != written:
                self._seen[folder.name] = written
                found.append(folder)
        return found

    def _offer(self, folder: Path) -> bool:
        name = folder.name
        try:
            info = self._read(folder)
            self._engine.add(name, str(folder))
        except EngineError as error:
            log.warning("the adapter in %s is not offered: %s", folder, error)
            return False
        except Exception:
            self._seen.pop(name)  # nothing is known of the adapter's fault: look again
            raise
        self._models.add(info)
        log.info("the model %s (%s) is offered from now on", name, info.label)
        return True

    def _read(self, folder: Path) -> ModelInfo:
        """What its lineage says of the model. Raises EngineError for a name or a lineage that cannot be used."""
        name = folder.name
        if not _NAME.fullmatch(name) or name == "base":
            raise EngineError(f"{name!r} is no name for a model: small Latin letters, digits and '-', not base")
        if name in self._models:
            raise EngineError(f"there is a model {name} already; rename the folder, or restart to take its place")
        lineage = _lineage(folder)
        told: dict[str, Any] = lineage.get("round") or {}
        kind = (lineage.get("recipe") or {}).get("kind")
        prompting: Prompting = "cot" if told.get("prompting", "cot" if kind == "dpo" else "") == "cot" else "straight"
        parent = str(told.get("continues") or "")
        called = self._models[parent].label.removesuffix(_called(parent)) if parent in self._models else ""
        label = str(told.get("label") or (called + _called(name) if called else name))
        return ModelInfo(name, label, prompting, self._samplings[prompting], parent or next(iter(self._models)))


def _called(name: str) -> str:
    """What tells a round's model from the one it continues; of a round of a round the last one alone."""
    return f" ({name})"


def _lineage(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / LINEAGE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"its {LINEAGE} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise EngineError(f"its {LINEAGE} is no JSON object")
    return found


def pairs(models: Mapping[str, object]) -> list[tuple[str, str]]:
    """The pairs a page offers: the first two models, then each adapter of a round, the newest first.

    An adapter is offered against the model it continues and against the first two.
    """
    first, second = list(models)[:2]
    later = [(name, str(parent)) for name, info in models.items() if (parent := getattr(info, "continues", ""))]
    offered = [
        (other, name)
        for name, parent in reversed(later)
        for other in dict.fromkeys((parent, first, second))
        if other in models and other != name
    ]
    return [(first, second), *offered]
