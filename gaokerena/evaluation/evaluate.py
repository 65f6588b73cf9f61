"""Recorded answers evaluated whole: cells, comparisons, agreement of the option reader, curves; one JSON object.

    GAOKERENA_DATA=… python -m gaokerena evaluate transcripts $GAOKERENA_DATA/transcripts.parquet --json out.json

Nothing here samples a model: the file is all there is. Equal files, options and seed give equal figures.
Not covered: searching for better rules (`search`), drawing (`report`).
"""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation import extraction, verifier_file
from gaokerena.evaluation.alignment import Alignment, align
from gaokerena.evaluation.answers import Group, Rows, grouped, letters, load
from gaokerena.evaluation.cells import Decision, cells_of
from gaokerena.evaluation.curves import abstention, invariance
from gaokerena.evaluation.decisions import Name, Pool, decisions_of, left_out
from gaokerena.evaluation.paired import comparisons_of
from gaokerena.evaluation.resampling import RESAMPLES
from gaokerena.options import Reading
from gaokerena.statistics import holm
from gaokerena.transcripts import TranscriptsError

SCHEMA = 1
Choices = Literal["annotated", "extracted"]


@dataclass(frozen=True)
class Suite:
    """What was asked of one suite, matched and decided."""

    groups: list[Group]
    alignment: Alignment
    finals: Mapping[Name, NDArray[np.int8]]
    decisions: list[Decision]


@dataclass(frozen=True)
class Evaluated:
    """Everything read and decided, before it is written down."""

    rows: Rows
    reading: Callable[[], list[Reading]] | None
    choices: Choices
    seed: int
    suites: dict[str, Suite]
    notes: tuple[str, ...] = ()
    """What was found beside the transcripts and not used, with the reason."""
    verified: tuple[dict[str, Any], ...] = ()
    """The verifier's files used, and whose answers each one settles."""

    @cached_property
    def read(self) -> list[Reading] | None:
        """What the option reader made of every answer; waits for it, which other work need not."""
        return self.reading() if self.reading else None


def evaluate(
    path: Path,
    *,
    choices: Choices = "annotated",
    verifiers: Sequence[Path] | None = None,
    pools: Sequence[Pool] | None = None,
    extract: bool = True,
    seed: int = 1,
) -> Evaluated:
    """Read and decide. Raises TranscriptsError, PoolError.

    `verifiers` None takes the files beside the transcripts; one that belongs to other transcripts is then left out and
    noted, while one given by name is an error.
    With `choices` annotated, rows that nobody read count as without a choice; a file where nobody read any is refused.
    `extract` also reads every answer with the option reader, to measure it.
    """
    rows = load(path)
    if choices == "annotated" and not any(rows.annotated):
        raise TranscriptsError(f"{path}: no row has an annotated_choice; evaluate with --choices extracted")
    verified = _Verifiers(verifiers is None)
    verified.read(verifier_file.beside(path) if verifiers is None else verifiers, {place[0] for place in rows.places})
    reading = cache(extraction.begin(rows)) if extract or choices == "extracted" else None
    chosen = extraction.choices(reading()) if choices == "extracted" and reading else rows.annotated
    by_suite: dict[str, list[Group]] = defaultdict(list)
    for group in grouped(rows, letters(chosen)):
        by_suite[group.suite].append(group)
    suites = {suite: _suite(groups, verified, pools, seed) for suite, groups in by_suite.items()}
    return Evaluated(rows, reading, choices, seed, suites, tuple(verified.notes), tuple(verified.used))


@dataclass
class _Verifiers:
    """The rows of the verifier's files. Files nobody named (`found`) may not fit; they are then noted, not used."""

    found: bool
    rows: list[verifier_file.Verified] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: list[dict[str, Any]] = field(default_factory=list)

    def read(self, files: Sequence[Path], suites: set[str]) -> None:
        """Raises TranscriptsError for a broken file, and for one of other suites that was named."""
        for path in files:
            rows = verifier_file.read(path)
            its = {row.suite for row in rows}
            if its & suites:
                self.rows += rows
            else:
                self._refuse(
                    f"{path}: verifies {', '.join(sorted(its))}, the transcripts hold {', '.join(sorted(suites))}; "
                    "give the transcripts it was made from, or leave it out with --no-verifier"
                )

    def attach(self, groups: Sequence[Group]) -> dict[Name, NDArray[np.int8]]:
        """Final choices of a suite by their group. Raises TranscriptsError where a file that was named fits none."""
        rows = [row for row in self.rows if row.suite == groups[0].suite]
        try:
            return verifier_file.attach(rows, groups, self.used)
        except TranscriptsError as error:
            self._refuse(str(error))
            return {}

    def _refuse(self, what: str) -> None:
        if not self.found:
            raise TranscriptsError(what)
        self.notes.append(f"not used: {what}")


def _suite(groups: list[Group], verified: _Verifiers, pools: Sequence[Pool] | None, seed: int) -> Suite:
    alignment = align(groups)
    finals = verified.attach(groups)
    return Suite(groups, alignment, finals, decisions_of(groups, alignment, finals, pools, seed=seed))


def as_json(found: Evaluated, command: str) -> dict[str, Any]:
    """The object that `--json` writes and the report reads; schema in docs/evaluation.md."""
    rows, seed = found.rows, found.seed
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "command": command,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": {
            "files": [path.name for path in rows.files],
            "sha256": rows.digest(),
            "rows": len(rows),
            "unscored": dict(_by_suite(rows)),
            "unscored_reasons": [
                {"suite": suite, "reason": why, "rows": count} for (suite, why), count in rows.unscored.items()
            ],
            "verifiers": list(found.verified),
        },
        "notes": list(found.notes),
        "choices": found.choices,
        "seed": seed,
        "resamples": RESAMPLES,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy")}},
        "left_out": {suite: what for suite, each in found.suites.items() if (what := left_out(each.groups))},
        "alignment": [suite.alignment.report() | {"incomplete": _incomplete(suite)} for suite in found.suites.values()],
        "cells": [],
        "extraction": [],
        "comparisons": [],
        "abstention": [],
        "invariance": [],
    }
    for suite in found.suites.values():
        report["cells"] += cells_of(suite.decisions, seed=seed)
        report["comparisons"] += comparisons_of(pairs(suite.decisions), suite.alignment, seed=seed)
        report["abstention"] += [abstention(group) for group in suite.groups if group.samples > 1]
        report["invariance"] += _invariances(suite, seed)
    for entry, adjusted in zip(report["comparisons"], holm([each["p"] for each in report["comparisons"]]), strict=True):
        entry["p_holm"] = adjusted
    if any(rows.annotated) and found.read:  # asked for last: the answers are read by other processes meanwhile
        report["extraction"] = extraction.measured(rows, found.read, seed=seed)
    return report


def _by_suite(rows: Rows) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (suite, _), count in rows.unscored.items():
        counts[suite] += count
    return counts


def _incomplete(suite: Suite) -> list[dict[str, Any]]:
    """Questions of which some runs are missing; they count with the runs they have."""
    return [
        {"model": group.model, "prompting": group.prompting, "subject": subject, "questions": count}
        for group in suite.groups
        for subject, count in group.incomplete().items()
    ]


def _invariances(suite: Suite, seed: int) -> list[dict[str, Any]]:
    by_name = {group.name: group for group in suite.groups}
    found = []
    for model in dict.fromkeys(group.model for group in suite.groups):
        straight, cot = by_name.get((model, "straight")), by_name.get((model, "cot"))
        if straight and cot and (entry := invariance(straight, cot, suite.alignment, seed=seed)):
            found.append(entry)
    return found


def pairs(decisions: Sequence[Decision]) -> list[tuple[Decision, Decision]]:
    """What is compared: models under one rule and prompting, and one model's or pool's rules with each other.

    The verifier's decision is compared with every other model's straight answer and plurality: to beat what abstains
    is no news. Decisions over several models are compared with it, or where there is none with plurality.
    """
    own = [decision for decision in decisions if decision.own is not None]
    several = [decision for decision in decisions if decision.own is None]
    found = [
        (one, other)
        for place, one in enumerate(own)
        for other in own[place + 1 :]
        if _alike(one, other) or _one_models_rules(one, other)
    ]
    verified = [decision for decision in own if decision.rule == "verifier"]
    found += [
        (one, o)
        for one in verified
        for o in own
        if o.model != one.model and (o.prompting == "straight" or o.rule == "plurality")
    ]
    yardsticks = verified or [decision for decision in own if decision.rule == "plurality"]
    return found + [(one, other) for one in several for other in yardsticks]


def _alike(one: Decision, other: Decision) -> bool:
    return one.rule == other.rule and one.prompting == other.prompting


def _one_models_rules(one: Decision, other: Decision) -> bool:
    return one.model == other.model
