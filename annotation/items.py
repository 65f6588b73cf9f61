"""Items: what doctors are asked to judge, and the ledger that remembers what each one really is.

    ledger = Ledger(Path("runs/annotation"))
    ledger.add(items)                      # new ones only; on the disk when this returns
    ledger.items["i3f2a…"].models          # ("v", "r"): known here and nowhere a doctor looks

An item's id says nothing: it is a keyed hash of what is compared, so that pushing twice gives the same id, and a
swapped duplicate cannot be told from its twin. The ledger (items.jsonl, mode 600) is the only place that knows models,
gold and twins.

Not covered: choosing what to send (`queue`), sending it (`push`).
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.append_only import Appender
from gaokerena.comparisons import SIDES, Side, now
from gaokerena.expert_verdicts import Grade
from gaokerena.files import sync
from gaokerena.questions import Letter, Question
from gaokerena.rows import appended

Kind = Literal["comparison", "gold", "duplicate"]
Origin = Literal["store", "transcripts", "candidates", "gold"]
FILE, KEY = "items.jsonl", "key"
KEY_BYTES = 32
Row = TypeVar("Row", bound=BaseModel)


class ItemError(ValueError):
    """A ledger or an item cannot be used; the text names the file and the next step."""


class Shown(BaseModel):
    """One answer as a doctor sees it, and whose it is (which a doctor does not see)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    revision: str = ""
    text: str
    reasoning: str = ""
    steps: tuple[str, ...] = ()
    conclusion: str = ""
    choice: Letter | None = None


class Item(BaseModel):
    """One comparison to judge. `reasons` say why it was queued; `twin` is the item it repeats with sides swapped.

    `gold` is the grade a gold item must get; `pair_id` and `comparison_id` name where it came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    id: str = Field(pattern=r"^[a-z0-9_-]+$")
    kind: Kind = "comparison"
    origin: Origin
    at: str = Field(default_factory=now)
    question: Question
    sides: dict[Side, Shown]
    seed: int
    reasons: tuple[str, ...] = ()
    twin: str | None = None
    gold: Grade | None = None
    comparison_id: str | None = None
    pair_id: str | None = None
    red_flags: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, str]:
        return self.sides["left"].model, self.sides["right"].model


def identify(key: bytes, origin: str, question: Question, left: Shown, right: Shown, mark: str = "") -> str:
    """An opaque id of what is compared and in which order; `mark` sets a duplicate apart from an item of its own."""
    parts = [
        origin,
        question.id,
        mark,
        *(f"{shown.model}\x1f{shown.revision}\x1f{shown.text}" for shown in (left, right)),
    ]
    return "i" + hmac.new(key, "\x1e".join(parts).encode(), "sha256").hexdigest()[:24]


class Ledger:
    """The items of one workspace folder, append-only. Raises ItemError for a broken file, OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = _key(folder / KEY)
        self.items: dict[str, Item] = {item.id: item for item in rows(folder / FILE, Item, "an item")}

    def add(self, items: Iterable[Item]) -> list[Item]:
        """Remember those not known yet and return them; they have reached the disk on return."""
        new = {item.id: item for item in items if item.id not in self.items}
        if new:
            with Appender(self.folder / FILE, mode=0o600) as file:
                file.append(item.model_dump_json() for item in new.values())
            self.items |= new
        return list(new.values())


def _key(path: Path) -> bytes:
    """The folder's own key, made once and whole, readable by its owner alone. Raises ItemError for a broken one."""
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ItemError(
            f"{path}: {len(key)} bytes and not a key of {KEY_BYTES}; restore it from a backup, for every id was made "
            "with it (or delete it, if this folder has no items yet)"
        )
    return key


def _make_key(path: Path) -> None:
    """Of several at once the first one's key stays."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(half, path)
        sync(path.parent)
    finally:
        half.unlink()


def rows(path: Path, kind: type[Row], name: str) -> list[Row]:
    """The whole lines of a file as `kind`; nothing is cut, for a push may be writing the last one. Raises ItemError."""
    return list(
        appended(
            path, kind, lambda place, told: ItemError(f"{place}: not {name} ({told}); restore the file from a backup")
        )
    )


def swapped(item: Item, key: bytes) -> Item:
    """The item with its sides exchanged: a duplicate that shows whether a judge is consistent."""
    left, right = (item.sides[side] for side in reversed(SIDES))
    name = identify(key, item.origin, item.question, left, right, f"twin {item.id}")
    sides: dict[Side, Shown] = {"left": left, "right": right}
    return item.model_copy(update={"id": name, "kind": "duplicate", "sides": sides, "twin": item.id, "at": now()})
