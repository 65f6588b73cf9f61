"""The audit of a file of pairs, written beside it: pairs.audit.md, .html, .svg, and last pairs.audit.json.

    found = audit_file(Path("pairs.jsonl"))

The JSON carries the SHA-256 of the pairs; `audit_gate` reads it. Equal pairs, equal bytes. Not covered: the audit
itself (`audit`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gaokerena.files import atomic
from training.audit_gate import LIMIT, SEED, audit_code, audit_path, sha256
from training.manifest import NAME, read_json
from training.pair_rows import read_pairs
from training.pairing.audit import audit
from training.pairing.figure import figure
from training.pairing.page import as_html, as_markdown


def audit_file(path: Path, *, limit: float = LIMIT, seed: int = SEED) -> dict[str, Any]:
    """Audit the pairs at `path` and write what was found beside them; returns it. Raises TrainingError."""
    digest = sha256(path) if path.is_file() else ""
    found = audit(read_pairs(path), limit=limit, seed=seed) | {"pairs_sha256": digest, "code": audit_code()}
    costs = costs_of(path, digest)
    place = audit_path(path)
    texts = {
        ".md": as_markdown(found, costs),
        ".html": as_html(found, costs),
        ".svg": figure(found),
        ".json": json.dumps(found, ensure_ascii=False, indent=2) + "\n",
    }
    for suffix, text in texts.items():
        with atomic(place.with_suffix(suffix)) as half:
            half.write_text(text, "utf-8")
    return found


def costs_of(path: Path, digest: str) -> dict[str, int]:
    """What repair and checks cost, when the manifest beside the pairs is of this very file; empty otherwise.

    Pairs left out by reason, and pairs that stayed with another text than they came with ("rewritten"). The manifest of
    `annotation export` counts verdicts, not pairs: nothing of it.
    """
    try:
        manifest = read_json(path.with_name(NAME))
    except (OSError, ValueError):
        return {}
    if manifest.get("files", {}).get(path.name) != digest:
        return {}
    changed = {f"{repair} (rewritten, kept)": count for repair, count in manifest.get("changed", {}).items()}
    return {reason: count for reason, count in (manifest.get("dropped", {}) | changed).items() if count}
