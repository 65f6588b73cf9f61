"""Whether a file of pairs may be trained on: its shortcut audit must have passed, and it shares nothing with a suite.

    kept = check(Path("pairs.jsonl"), None)                     # TrainingError unless audited, passed and compared
    kept = check(Path("pairs.jsonl"), "a planted preference")   # trained all the same; the reason is kept

The audit of `pairs.jsonl` is `pairs.audit.json` beside it (`python -m training pairs audit pairs.jsonl` writes it),
bound to the file by its SHA-256. It must be of the fixed seed and of the audit's present code: with a seed to choose,
one that passes is soon found.

That the pairs were compared with every suite stands in the manifest beside them (`training pairs build`, `mix`), bound
to the file by its SHA-256 too. Files that nobody compared (of `rlaif`, of an export, built with `--no-suites` or
`--as-is`) are refused; a round without the data folder has nothing to compare with, and its card says so
(`uncompared="told"`). What comes back belongs into the manifest of the run.

Not covered: how an audit is made (`training.pairing.audit`); held-out pairs, which teach nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from training.code import code_hash
from training.errors import TrainingError

SCHEMA, SEED = 1, 1
LIMIT = 0.60
"""The share of pairs a surface cue may tell apart; an audit with a laxer limit does not open the gate."""


class _Audit(BaseModel):
    """What the gate reads of an audit."""

    pairs_sha256: str
    limit: float
    seed: int
    passed: bool
    reason: str | None
    failed: list[str]
    code: str = ""


@cache
def audit_code() -> str:
    """The code behind an audit."""
    return code_hash("training.pairing.audit")


def audit_path(pairs: Path) -> Path:
    """Where the audit of `pairs` lies."""
    return pairs.with_name(f"{pairs.stem}.audit.json")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(
    path: Path, override: str | None = None, *, uncompared: Literal["refused", "told"] = "refused"
) -> dict[str, Any]:
    """What is known of the pairs at `path`, with the reason given to train in spite of it.

    Keys: `audit` (file name), `pairs_sha256`, `passed` (the audit), `found` (what is wrong with the audit; None when it
    passed), `limit`, `cues` (names of the cues above the limit), `decontaminated` (compared with the suites),
    `overridden` (the reason, only where one was needed), `overrode` (of which findings: "audit", "suites").
    Raises TrainingError when the gate is shut and `override` is None or blank. `uncompared` says whether pairs that
    were never compared with the suites shut it.
    """
    if override is not None and not override.strip():
        raise TrainingError("--override-audit needs a reason; it goes into the run's manifest")
    if not path.exists():
        raise TrainingError(f"no pairs at {path}; `python -m training pairs build` makes such a file")
    digest = sha256(path)
    audit, compared = _read(audit_path(path)), decontaminated(path)
    found = _shut(path, audit, digest)
    refused = {"audit": found, "suites": None if compared or uncompared == "told" else _uncompared(path)}
    shut = {name: why for name, why in refused.items() if why}
    if shut and override is None:
        first = {"suites": shut["suites"]} if "suites" in shut and not audit else shut  # what is built is another file
        raise TrainingError(f"{'; and '.join(first.values())}; to train all the same, give --override-audit REASON")
    return {
        "audit": audit_path(path).name if audit else None,
        "pairs_sha256": digest,
        "passed": found is None,
        "found": found,
        "limit": audit.get("limit"),
        "cues": audit.get("failed", []),
        "decontaminated": compared,
        "overridden": override if shut else None,
        "overrode": list(shut),
    }


def decontaminated(path: Path) -> bool:
    """Whether the manifest beside the pairs is of this very file and says that they share nothing with a suite."""
    try:
        told = json.loads(path.with_name("manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    files = told.get("files") if isinstance(told, dict) else None
    named = files.get(path.name) if isinstance(files, dict) else None
    return bool(named) and told.get("decontaminated") is True and named == sha256(path)


def _uncompared(path: Path) -> str:
    return (
        f"{path} was never compared with the evaluation suites, and may hold their questions; with GAOKERENA_DATA set, "
        f"run `python -m training pairs build {path} --out FOLDER`, audit FOLDER/pairs.jsonl, and train on that"
    )


def _read(path: Path) -> dict[str, Any]:
    """The audit at `path`; empty when there is none. Raises TrainingError for a file that is no audit."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON ({error}); delete it and audit the pairs again") from None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise TrainingError(f"{path} is no audit of schema {SCHEMA}; delete it and audit the pairs again")
    try:
        return _Audit.model_validate(value).model_dump()
    except ValidationError as error:
        fault = error.errors()[0]
        raise TrainingError(f"{path}: {fault['loc'][0]}: {fault['msg']}; delete it and audit the pairs again") from None


def _shut(path: Path, audit: dict[str, Any], digest: str) -> str | None:
    """Why these pairs must not be trained on; None when they may."""
    again = f"run `python -m training pairs audit {path}`"
    if not audit:
        return f"{path} has no shortcut audit; {again}"
    if audit["pairs_sha256"] != digest:
        return f"{audit_path(path)} is of another file than {path} (the pairs changed since); {again}"
    if audit["limit"] > LIMIT:
        return f"{audit_path(path)} allows {audit['limit']:.2f}, the gate {LIMIT:.2f}; {again} without --limit"
    if audit["seed"] != SEED:
        return f"{audit_path(path)} is of seed {audit['seed']}, the gate's is {SEED}; {again} without --seed"
    if audit["code"] != audit_code():
        return f"{audit_path(path)} was made by other code than today's; {again}"
    if not audit["passed"]:
        return f"{path} failed its shortcut audit: {audit['reason']} (see {audit_path(path).with_suffix('.md').name})"
    return None
