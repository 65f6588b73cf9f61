"""Verdicts become files for training: pairs.jsonl, its steps.jsonl, and manifest.json which accounts for every verdict.

    manifest = export(Path("runs/annotation"), Path("pairs.jsonl"), Rules())

The three are written beside one another, each whole or not at all, the manifest last. In every block of the manifest
`in` is `out` plus what was dropped, by reason: verdicts (kept or refused), preferences (items), corrections (a doctor's
text over either answer), steps (answers). `inputs` lists the files as they were read. Same folder, same rules, same
bytes, but for the manifest's clock.

Not covered: decontamination. Pairs on questions of a suite are counted by suite in the manifest, for training to leave
out of models that are measured on it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.items import FILE as ITEMS
from annotation.pairs import Made, corrections, preferences
from annotation.steps import step_labels
from annotation.usable import Rules, failed, sort_out
from annotation.workspace import FILES, Workspace, as_typed, read_workspace
from gaokerena import __version__
from gaokerena.files import atomic

STEPS_FILE, MANIFEST = "steps.jsonl", "manifest.json"
SCHEMA = 2
TRIES = 5
Input = dict[str, Any]


class ExportError(ValueError):
    """The files cannot be written there; the text names the place and the next step."""


def export(folder: Path, out: Path, rules: Rules, more: Sequence[Path] = ()) -> dict[str, Any]:
    """Write the three files and return the manifest; `more` are further files of verdicts.

    Raises ExportError, WorkspaceError, VerdictFileError, OSError.
    """
    if out.name in (STEPS_FILE, MANIFEST):
        raise ExportError(f"{out}: {out.name} is the name of a file written beside it; choose another with --out")
    if out.resolve().parent == folder.resolve():
        raise ExportError(f"{out}: {folder} is where push and pull keep their files; choose another place with --out")
    began = time.monotonic()
    found, inputs = _read_at_rest(folder, more)
    made = {
        "preferences": preferences(found.judged, rules, found.marked),
        "corrections": corrections(found.judged, rules, found.marked),
        "steps": step_labels(found.judged, rules, found.marked),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, [*made["preferences"].pairs, *made["corrections"].pairs])
    _write(out.with_name(STEPS_FILE), made["steps"].pairs)
    manifest = _manifest(found, rules, made, inputs)
    manifest["files"] = {name: _sha256(out.with_name(name)) for name in (out.name, STEPS_FILE)}
    manifest["seconds"] = round(time.monotonic() - began, 3)
    with atomic(out.with_name(MANIFEST)) as half:
        half.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return manifest


def _read_at_rest(folder: Path, more: Sequence[Path]) -> tuple[Workspace, list[Input]]:
    """The workspace and the files it was read from; read again where a pull has changed one meanwhile."""
    for _ in range(TRIES):
        inputs = _inputs(folder, more)
        found = read_workspace(folder, more)
        if inputs == _inputs(folder, more):
            return found, inputs
    raise ExportError(f"{folder}: its files change all the time; give the command again when no pull is running")


def _inputs(folder: Path, more: Sequence[Path]) -> list[Input]:
    """Name, hash and rows of every file that an export reads."""
    named = [(name, folder / name) for name in (ITEMS, *FILES.values())] + [(as_typed(path), path) for path in more]
    read = [(name, path.read_bytes()) for name, path in named if path.exists()]
    return [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "rows": data.count(b"\n")} for name, data in read
    ]


def _manifest(found: Workspace, rules: Rules, made: Mapping[str, Made], inputs: list[Input]) -> dict[str, Any]:
    kept, refused = sort_out(found.judged, rules, found.marked)
    dropped = Counter[str](reason for _, reason in refused)
    dropped["unknown_item"] += len(found.unknown)
    pairs = made["preferences"].pairs + made["corrections"].pairs
    return {
        "schema": SCHEMA,
        "stage": "annotation export",
        "inputs": inputs,
        "rules": rules.model_dump(),
        "verdicts": _counted(len(found.judged) + len(found.unknown), len(kept), dropped),
        **{name: _counted(each.candidates, len(each.pairs), each.dropped) for name, each in made.items()},
        "scrubbed": dict(sorted(made["corrections"].scrubbed.items())),
        "failed_doctors": failed(found.judged, rules),
        "guidelines": dict(sorted(Counter(row.verdict.guideline_version for row in kept).items())),
        "suites": dict(sorted(Counter(str(pair["provenance"]["suite"] or "") for pair in pairs).items())),
        "versions": {"gaokerena": __version__, "python": platform.python_version()},
    }


def _counted(candidates: int, out: int, dropped: Counter[str]) -> dict[str, Any]:
    reasons = {reason: count for reason, count in sorted(dropped.items()) if count}
    if candidates != out + sum(reasons.values()):
        raise AssertionError(f"{candidates} came in, but {out} went out and {reasons} were dropped; please report this")
    return {"in": candidates, "out": out, "dropped": reasons}


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic(path) as half:
        half.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
