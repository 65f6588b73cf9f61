"""Whether the files trained on share a run of words with what is tested: counted, and refused when they do.

    checked(folder, manifest, {"train": folder / "train.jsonl"})

Looks at the files as they lie there, with the reference of today's data folder, so that a file made by older code or
from older tables cannot slip through. What was counted is kept beside the stage's output: a killed stage that is taken
up again does not count the same files twice.

Not covered: what `decontaminate` does not cover.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from training import sources
from training.code import code_hash
from training.decontaminate import Reference
from training.errors import TrainingError
from training.manifest import Manifest, file_hash, fingerprint, read_json, read_jsonl, write_json

NOTE = "overlap.json"
FIELDS = ("text", "user", "assistant", "prompt", "completion", "chosen", "rejected")
"""Where the rows of our files hold words: as text, or as chat messages."""


def texts(row: dict[str, Any]) -> Iterator[str]:
    """Every text of a row that is trained on. Raises TrainingError for a row with none of `FIELDS`."""
    found = [row[name] for name in FIELDS if name in row]
    if not found:
        raise TrainingError(f"a row with {', '.join(row) or 'nothing'} holds none of {', '.join(FIELDS)}")
    for value in found:
        yield from [value] if isinstance(value, str) else (turn["content"] for turn in value)


def count(rows: Iterable[dict[str, Any]], reference: Reference) -> Counter[str]:
    """Rows that share a run with each set of `reference`; a row counts once, for the first set found."""
    known: dict[str, str | None] = {}  # one answer stands in several files, one prompt in several rows
    found: Counter[str] = Counter()
    for row in rows:
        for text in texts(row):
            if text not in known:
                known[text] = reference.hit(text)
            if owner := known[text]:
                found[owner] += 1
                break
    return found


def checked(out: Path, manifest: Manifest, files: dict[str, Path]) -> None:
    """Write the counts over `files` into the manifest as `overlap`: {suite: rows}, empty when clean.

    Raises TrainingError with count and suite when a row overlaps: `files` must not be trained on.
    """
    data = sources.data_folder()
    made_of = [file_hash(path) for path in (*files.values(), *sorted(data.glob("*.parquet")))]
    mark = fingerprint(made_of, code_hash("training.overlap"))
    note = read_json(out / NOTE) if (out / NOTE).exists() else {}
    if note.get("of") != mark:
        rows = (row for path in files.values() for row in read_jsonl(path))
        note = {"of": mark, "overlap": dict(sorted(count(rows, sources.reference(data)).items()))}
        write_json(out / NOTE, note)
    manifest.extra["overlap"] = note["overlap"]
    if note["overlap"]:
        told = ", ".join(f"{number} with {suite}" for suite, number in note["overlap"].items())
        raise TrainingError(
            f"{manifest.stage}: rows of {', '.join(map(str, files.values()))} overlap with what is tested ({told}); "
            "delete the manifest of the stage that wrote them and run that stage again"
        )
