"""The manifest every stage leaves beside its output: what went in, what came out, what was dropped and why.

A stage is finished when its manifest is there: it is written last, atomically, so a killed stage runs again and a
finished one is skipped. `fingerprint` ties it to the recipe and the inputs; when they change, the stage runs again.

Its seconds are those of all starts (`clock`), its commit and versions those of this start's beginning.
Not covered: price and energy (`ledger`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training.errors import TrainingError

NAME = "manifest.json"
STARTED = "started.json"
HALF_DONE = ("checkpoint.pt", "checkpoints")
"""What a killed stage goes on from."""
_PACKAGES = ("torch", "transformers", "peft", "trl", "tokenizers")


@dataclass
class Manifest:
    """Counts and circumstances of one stage; `write` makes the stage finished."""

    stage: str
    seed: int
    fingerprint: str
    counts_in: dict[str, int] = field(default_factory=dict)
    counts_out: dict[str, int] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    recipe: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    earlier_seconds: float = 0.0
    """Of starts that were killed."""
    starts: int = 1
    commit: str | None = field(default_factory=lambda: commit())
    """Of the code that was there at the start; people commit while a run goes on."""
    versions: dict[str, str] = field(default_factory=lambda: versions())
    """Of the libraries, read once a start."""

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into `folder`, whole or not at all."""
        write_json(
            folder / NAME,
            {
                "stage": self.stage,
                "seed": self.seed,
                "fingerprint": self.fingerprint,
                "counts_in": self.counts_in,
                "counts_out": self.counts_out,
                "dropped": dict(sorted(self.dropped.items())),
                "tokens": self.tokens,
                "recipe": self.recipe,
                "seconds": round(self.earlier_seconds + time.time() - self.started, 1),
                "starts": self.starts,
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "commit": self.commit,
                "versions": self.versions,
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                **self.extra,
            },
        )


def versions() -> dict[str, str]:
    """Python and the libraries that decide what a run computes."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def finished(folder: Path, fingerprint: str) -> dict[str, Any] | None:
    """The manifest in `folder` when that stage is complete for this very recipe and input, else None.

    Raises TrainingError for a manifest that no stage of training wrote: the folder is somebody else's.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        manifest = read_json(path)
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON ({error}); move it away, or choose another folder") from None
    if not isinstance(manifest, dict) or "fingerprint" not in manifest:
        raise TrainingError(f"{path} is of no stage of training; choose another folder, that one is somebody else's")
    return manifest if manifest["fingerprint"] == fingerprint else None


def begin(folder: Path, fingerprint: str) -> None:
    """Note that the stage with this fingerprint runs in `folder`, where it may find its own checkpoints.

    Raises TrainingError when the checkpoints there are of another recipe or other inputs: going on from them would
    pass an old model off as the new one, and deleting hours of work is for a person to decide.
    """
    notes = [folder / name for name in (STARTED, NAME) if (folder / name).exists()]
    earlier = read_json(notes[0])["fingerprint"] if notes else fingerprint
    left = [folder / name for name in HALF_DONE if (folder / name).exists()]
    if left and earlier != fingerprint:
        raise TrainingError(
            f"{left[0]} is of another recipe or other inputs (it is {earlier}, this run {fingerprint}); "
            f"delete it to start anew, or delete {notes[0]} to go on from it all the same"
        )
    earlier_note = read_json(folder / STARTED) if (folder / STARTED).exists() else {}
    goes_on = earlier_note.get("fingerprint") == fingerprint
    write_json(folder / STARTED, earlier_note if goes_on else {"fingerprint": fingerprint})


def commit(folder: Path = Path(__file__).parent) -> str | None:
    """The commit checked out in `folder`, with `+changes` when tracked files differ; None outside a repository."""
    said = []
    for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no", "--", "..")):
        try:
            done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, check=False)
        except OSError:  # no git on this machine
            return None
        if done.returncode:
            return None
        said.append(done.stdout.strip())
    return said[0] + ("+changes" if said[1] else "")


def fingerprint(*parts: object) -> str:
    """Sixteen hex digits that change when any part does."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """Sixteen hex digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON so that a reader sees the old file or the whole new one."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write `rows`, one JSON object a line, whole or not at all; returns how many."""
    part = path.with_suffix(path.suffix + ".part")
    count = 0
    with part.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return count


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All rows of a JSONL file. Raises TrainingError that names a line that is no JSON."""
    rows = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise TrainingError(f"{path} line {number} is not JSON ({error}); the file may be cut off") from None
    return rows
