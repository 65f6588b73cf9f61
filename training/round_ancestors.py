"""The rounds behind the adapter that a round goes on from: what each told of itself, and the labels it learned from.

    line = ancestors("models/rounds/r2")         # r2 first, then the round it went on from, and so on
    learned(line)                                # ids of the questions any of them was trained on

A round's folder holds its own `labels.jsonl` and those of the rounds before it (`labels.r2.jsonl`), and its lineage
their blocks, one in the other (`round.before`), so that one folder leads to every verdict behind its weights.

Not covered: adapters that no round made: their lineage names data by hash alone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl

LABELS, LINEAGE = "labels.jsonl", "lineage.json"
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""What a model may be called: the name of the folder it is published in."""


@dataclass(frozen=True)
class Ancestor:
    """A round: its block of the lineage, and its labels."""

    block: dict[str, Any]
    labels: Path

    @property
    def name(self) -> str:
        """What its model is called."""
        return str(self.block["name"])

    @property
    def kept_as(self) -> str:
        """What its labels are called beside those of a later round."""
        return f"labels.{self.name}.jsonl"

    def rows(self) -> list[dict[str, Any]]:
        """Its labels."""
        return read_jsonl(self.labels)


def file_of(source: str, name: str) -> Path | None:
    """The file `name` of an adapter's folder or Hub repository; None where the adapter has no such file.

    Raises TrainingError when there is no such adapter, or nobody can say.
    """
    if Path(source).is_dir():
        return found if (found := Path(source) / name).is_file() else None
    try:
        return Path(hf_hub_download(source, name))
    except (OSError, ValueError, EntryNotFoundError) as error:
        if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
            return None
        cause = str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"no adapter at {source}: no such folder, and no such repository can be reached ({cause})"
        ) from None


def lineage_of(source: str) -> dict[str, Any]:
    """The lineage of an adapter, empty where it has none. Raises TrainingError for one that is not JSON."""
    path = file_of(source, LINEAGE)
    try:
        return read_json(path) if path else {}
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON ({error}); get the adapter's folder anew") from None


def ancestors(source: str, lineage: dict[str, Any]) -> list[Ancestor]:
    """The rounds behind the adapter at `source`, the newest first; none where no round made it.

    Raises TrainingError for labels that are missing or are not those the lineage names.
    """
    found: list[Ancestor] = []
    block = lineage.get("round")
    while block:
        if not (NAME.fullmatch(str(block.get("name"))) and "labels" in block):
            raise TrainingError(f"{source}: its lineage's block `round` lacks a name or the hash of its labels")
        name = f"labels.{block['name']}.jsonl" if found else LABELS
        path = file_of(source, name)
        if path is None or sha256(path) != block["labels"]:
            raise TrainingError(
                f"{source}: {name} {'is missing' if path is None else 'is not the file its lineage names'}, so nobody "
                f"can say what {block['name']} learned from; get the folder anew, as it was published"
            )
        found.append(Ancestor(block, path))
        block = block.get("before")
    return found


def learned(line: Sequence[Ancestor]) -> frozenset[str]:
    """Ids of the questions that some round was trained on."""
    return frozenset(str(row["question_id"]) for one in line for row in one.rows() if row["split"] == "train")


def copy_labels(line: Sequence[Ancestor], folder: Path) -> None:
    """Put the labels of every ancestor beside those of the round in `folder`."""
    for one in line:
        shutil.copyfile(one.labels, folder / one.kept_as)
