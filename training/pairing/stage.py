"""What the commands that write pairs share: a folder that is finished or not, files whole, the manifest last.

    if finished(out, mark): ...
    with stage(out, manifest): write(out, manifest, train, held_out)

Finished means: made by this very recipe from these inputs, and the files still are those the manifest names. While a
stage writes, the manifest of an earlier one is gone, so that no kill leaves it beside other files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training import clock, manifest
from training.audit_gate import sha256
from training.manifest import NAME, Manifest, begin
from training.pair_rows import PairRow, write_pairs

PAIRS, HELD_OUT = "pairs.jsonl", "held_out.jsonl"


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
