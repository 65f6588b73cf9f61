"""The rule search as JSON and as a table: nested figures against R with its verifier, losses included.

    report = as_json(evaluated, command)        # what `python -m gaokerena evaluate rules FILE --json OUT` writes

The yardstick is the verifier's decision where there is one, else the best plurality of one model. For every family:
the nested accuracy, the paired difference to the yardstick, how many questions are won and lost against it, answers
taken a question, what the folds chose, the accuracy with the folds of five seeds (mean, lowest, highest), and the
apparent accuracy for contrast; for the search over all families also subject by subject. Suites that were not searched
are listed with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaokerena.evaluation.cells import ALL, Decision, cells_of
from gaokerena.evaluation.evaluate import Evaluated, Suite
from gaokerena.evaluation.learned import INNER, OUTER
from gaokerena.evaluation.paired import comparisons_of, on
from gaokerena.evaluation.resampling import intervals_of
from gaokerena.evaluation.search import ANY, SEEDS, Nested, search
from gaokerena.evaluation.tables import table

SCHEMA = 1


def as_json(found: Evaluated, command: str) -> dict[str, Any]:
    """The search of every suite that has enough to search in."""
    suites = {name: _suite(suite, found.seed) for name, suite in sorted(found.suites.items())}
    return {
        "schema": SCHEMA,
        "command": command,
        "source": {"files": [path.name for path in found.rows.files], "sha256": found.rows.digest()},
        "choices": found.choices,
        "seed": found.seed,
        "folds": {"outer": OUTER, "inner": INNER},
        "suites": [entry for entry in suites.values() if isinstance(entry, dict)],
        "not_searched": [{"suite": name, "reason": why} for name, why in suites.items() if isinstance(why, str)],
    }


def yardstick(decisions: Sequence[Decision]) -> Decision | None:
    """The verifier's decision, or the best plurality of one model."""
    own = [decision for decision in decisions if decision.own is not None]
    verified = [decision for decision in own if decision.rule == "verifier"]
    voted = [decision for decision in own if decision.rule == "plurality"]
    return max(verified or voted, key=lambda decision: float(decision.scores.mean()), default=None)


def _suite(suite: Suite, seed: int) -> dict[str, Any] | str:
    """A suite's entry, or why it was not searched."""
    searched = search(suite.groups, suite.alignment, seed=seed)
    base, found = yardstick(suite.decisions), searched.families
    if not found or base is None:
        return searched.why_not
    cells = [cell for cell in cells_of([base, *(nested.decision for nested in found)], seed=seed)
             if cell["subject"] == ALL]  # fmt: skip
    compared = comparisons_of([(nested.decision, base) for nested in found], suite.alignment, seed=seed)
    families = [
        _family(nested, cell, against, seed) for nested, cell, against in zip(found, cells[1:], compared, strict=True)
    ]
    whole = next(nested for nested in found if nested.family == ANY)
    return {
        "suite": base.suite,
        "yardstick": {key: cells[0][key] for key in ("model", "prompting", "rule", "n", "accuracy", "ci95")},
        "families": families,
        "left_out": searched.left_out,
        "subjects": _subjects(whole.decision, base, seed),
    }


def _family(nested: Nested, cell: dict[str, Any], against: dict[str, Any], seed: int) -> dict[str, Any]:
    one, every = nested.decision.scores, [round(100 * share, 6) for share in nested.accuracies]
    return {
        "family": nested.family,
        "candidates": nested.candidates,
        "n": cell["n"],
        "accuracy": cell["accuracy"],
        "ci95": cell["ci95"],
        "fold_seeds": {
            "first": seed,
            "accuracies": every,
            "mean": round(float(np.mean(every)), 6),
            "low": min(every),
            "high": max(every),
        },
        "answers": round(float(nested.cost.mean()), 4),
        "against": {key: against[key] for key in ("difference", "ci95", "p", "test", "discordant", "n")},
        "chosen": dict(sorted(nested.chosen.items(), key=lambda item: (-item[1], item[0]))),
        "apparent": {"rule": nested.apparent[0], "accuracy": round(100 * nested.apparent[1], 6)},
        "split": int(((one > 0) & (one < 1)).sum()),
    }


def _subjects(decision: Decision, base: Decision, seed: int) -> list[dict[str, Any]]:
    """Subject by subject: the difference, and how many questions are won and lost."""
    found, differences = [], []
    for subject in sorted(set(decision.subjects)):
        numbers = decision.numbers[np.array(decision.subjects) == subject]
        a, b = np.nan_to_num(on(decision, numbers)), np.nan_to_num(on(base, numbers))
        differences.append(a - b)
        found.append({
            "subject": subject,
            "n": len(numbers),
            "difference": round(100 * float((a - b).mean()), 6),
            "won": round(float(np.maximum(a - b, 0).sum()), 6),
            "lost": round(float(np.maximum(b - a, 0).sum()), 6),
        })  # fmt: skip
    for entry, (low, high) in zip(found, intervals_of(differences, seed=seed), strict=True):
        entry["ci95"] = [round(100 * low, 6), round(100 * high, 6)]
    return found


def as_text(report: dict[str, Any]) -> str:
    """A table a suite, with what was left out; a line for each suite that was not searched."""
    parts = [_table(suite) for suite in report["suites"]]
    parts += [f"{entry['suite']}: nothing searched: {entry['reason']}" for entry in report["not_searched"]]
    return "\n\n".join(parts)


def _table(suite: dict[str, Any]) -> str:
    base = suite["yardstick"]
    rows = [(f"{base['model']} {base['rule']}", "", suite["suite"], str(base["n"]), f"{base['accuracy']:.2f}",
             _span(base["ci95"]), "", "", "", "", "")]  # fmt: skip
    for family in suite["families"]:
        against, seeds = family["against"], family["fold_seeds"]
        rows.append((
            f"search: {family['family']}", f"{family['candidates']} candidates", suite["suite"], str(family["n"]),
            f"{family['accuracy']:.2f}", _span(family["ci95"]), f"{against['difference']:+.2f}",
            _span(against["ci95"], "+.2f"), f"{against['p']:.2g}",
            f"{seeds['mean']:.2f} ({seeds['low']:.2f} to {seeds['high']:.2f})", f"{family['apparent']['accuracy']:.2f}",
        ))  # fmt: skip
    head = (
        "rule",
        "",
        "suite",
        "n",
        "accuracy",
        "95 % CI",
        "points",
        "95 % CI",
        "p",
        f"{SEEDS} fold seeds",
        "apparent",
    )
    lines = [table(head, rows)]
    lines += [
        f"  chosen by {family['family']}: "
        + "; ".join(f"{n} of {OUTER} folds {name}" for name, n in family["chosen"].items())
        for family in suite["families"]
    ]
    return "\n".join([*lines, *(f"  left out: {what}" for what in suite["left_out"])])


def _span(bounds: Sequence[float], form: str = ".2f") -> str:
    return f"[{bounds[0]:{form}}, {bounds[1]:{form}}]"
