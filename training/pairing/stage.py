"""What the commands that write pairs share: a folder that is finished or not, files whole, the manifest last.

    refuse(out, files)
    if finished(out, mark): ...
    with stage(out, manifest): write(out, manifest, train, held_out)

Finished means: made by this very recipe from these inputs, and the files still are those the manifest names. While a
stage writes, the manifest of an earlier one is gone, so that no kill leaves it beside other files. What is read is
never written over: an export's verdicts are nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training import clock, manifest
from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import NAME, STARTED, Manifest, begin, read_json
from training.pair_rows import PairRow, write_pairs

PAIRS, HELD_OUT = "pairs.jsonl", "held_out.jsonl"
STAGES = ("pairs build", "pairs mix", "pairs public")


def refuse(out: Path, read: Sequence[Path]) -> None:
    """Raises TrainingError for a file that cannot be read, or an `out` that is no folder of its own."""
    if out.exists() and not out.is_dir():
        raise TrainingError(f"--out {out} is a file; give a folder")
    for path in read:
        if not path.is_file():
            raise TrainingError(f"{path} is no file; name JSONL files of pairs (training/pair_rows.py)")
        if path.resolve() in {(out / name).resolve() for name in (PAIRS, HELD_OUT)}:
            raise TrainingError(f"--out {out} would overwrite {path}, which is read; give another folder")
    if (out / NAME).exists() and _stage(out / NAME) not in STAGES:
        raise TrainingError(f"{out / NAME} is of another command, whose files would be overwritten; give another --out")
    if (out / PAIRS).exists() and not (out / NAME).exists() and not (out / STARTED).exists():
        raise TrainingError(f"{out / PAIRS} was not made by this command and would be overwritten; give another --out")


def _stage(manifest: Path) -> object:
    """What made the files beside it; None where that cannot be read."""
    try:
        return read_json(manifest).get("stage")
    except (ValueError, AttributeError):
        return None


def finished(out: Path, mark: str) -> dict[str, Any] | None:
    """The manifest in `out` when it is of `mark` and its files are whole and unchanged."""
    made = manifest.finished(out, mark)
    if made is None:
        return None
    same = all((out / name).exists() and sha256(out / name) == digest for name, digest in made["files"].items())
    return made if same else None


@contextmanager
def stage(out: Path, manifest: Manifest) -> Iterator[Manifest]:
    """Run a stage in the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    begin(out, manifest.fingerprint)
    (out / NAME).unlink(missing_ok=True)
    with clock.running(out, manifest):
        yield manifest


def write(out: Path, manifest: Manifest, train: Sequence[PairRow], held_out: Sequence[PairRow]) -> None:
    """Write both files and then the manifest."""
    for name, rows in ((PAIRS, train), (HELD_OUT, held_out)):
        manifest.counts_out[name.removesuffix(".jsonl")] = write_pairs(out / name, list(rows))
    manifest.extra["files"] = {name: sha256(out / name) for name in (PAIRS, HELD_OUT)}
    manifest.write(out)
