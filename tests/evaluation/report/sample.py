"""A small evaluation, rule search and judging, made by hand, as their commands write them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

R, V, AYA = "gaokerena-r1.0", "gaokerena-v1.0", "aya-expanse-8b"
COMMAND = "python -m gaokerena evaluate transcripts made-up.parquet --json evaluation.json"
HASH = "0123456789abcdef" * 4


def cell(
    subject: str,
    model: str,
    n: int,
    correct: float,
    wrong: float,
    *,
    rule: str = "single",
    prompting: str = "straight",
    passes: dict[str, float] | None = None,
    suite: str = "mmlu_fa",
) -> dict[str, Any]:
    """One cell; its interval is only wide enough to be told apart."""
    accuracy = 100 * correct / n
    return {
        "suite": suite, "subject": subject, "model": model, "prompting": prompting, "rule": rule,
        "samples": 1 if prompting == "straight" else 5, "n": n, "correct": correct, "wrong": wrong,
        "abstained": n - correct - wrong, "accuracy": accuracy, "ci95": [accuracy - 7.25, accuracy + 7.5],
        "negative_marking": 100 * (correct - wrong / 3) / n, "pass_at_k": passes or {"1": accuracy},
        "pass_at_k_corrected": {k: (value - 25) / 0.75 for k, value in (passes or {"1": accuracy}).items()},
    }  # fmt: skip


def comparison(a: str, b: str, difference: float, ci95: list[float], p: float, **more: Any) -> dict[str, Any]:
    return {
        "a": a, "b": b, "suite": "mmlu_fa", "rule": "sc3of5", "prompting": "cot", "n": 279, "difference": difference,
        "ci95": ci95, "p": p, "test": "mcnemar_exact", "discordant": [31, 22], **more,
    }  # fmt: skip


def point(votes: int, coverage: float, accuracy: float | None, answered: int) -> dict[str, Any]:
    ci95 = None if accuracy is None else [accuracy - 5, accuracy + 5]
    return {
        "votes": votes, "coverage": coverage, "accuracy": accuracy, "ci95": ci95, "n_answered": answered,
        "negative_marking": 20.5,
    }  # fmt: skip


def evaluation() -> dict[str, Any]:
    """A fresh copy to change."""
    return copy.deepcopy(_EVALUATION)


def rules() -> dict[str, Any]:
    return copy.deepcopy(_RULES)


def judge() -> dict[str, Any]:
    return copy.deepcopy(_JUDGE)


def write(folder: Path, *, whole: bool = True, changed: dict[str, Any] | None = None) -> Path:
    """`folder` with the files of an evaluation; `whole` with those of the search and the judging as well."""
    files = {"evaluation.json": changed or _EVALUATION}
    if whole:
        files |= {"rules.json": _RULES, "judge.json": _JUDGE}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return folder


_CELLS = [
    *(
        cell(subject, model, n, right, n - right)
        for subject, model, n, right in (
            ("anatomy", V, 135, 65), ("anatomy", AYA, 135, 55), ("college_biology", V, 144, 68),
            ("college_biology", AYA, 144, 65), ("all", V, 279, 133), ("all", AYA, 279, 120),
        )
    ),
    cell("anatomy", R, 135, 57, 59, rule="sc3of5", prompting="cot", passes=None),
    cell("college_biology", R, 144, 71, 51, rule="sc3of5", prompting="cot", passes=None),
    cell("all", R, 279, 128, 110, rule="sc3of5", prompting="cot", passes=None),
    cell("anatomy", R, 135, 58.4, 76.6, prompting="cot", passes={"1": 43.259259, "2": 55.62963, "3": 62.888889}),
    cell("all", R, 279, 128.4, 150.6, prompting="cot", passes={"1": 46.021505, "2": 60.501792, "3": 68.458781}),
    cell("all", AYA, 279, 125.2, 153.8, prompting="cot", passes={"1": 44.874552, "2": 58.028674, "3": 64.982079}),
    cell("all", f"{R}+{AYA}", 279, 130.5, 148.5, prompting="cot", rule="pooled", passes=None),
]  # fmt: skip
for _cell in _CELLS:
    if _cell["rule"] in ("sc3of5", "pooled"):
        _cell["pass_at_k"] = _cell["pass_at_k_corrected"] = None

_EVALUATION: dict[str, Any] = {
    "schema": 1, "command": COMMAND, "at": "2026-11-21T08:30:00+00:00",
    "source": {"files": ["made-up.parquet"], "sha256": HASH, "rows": 3348, "unscored": {"mf3qa": 12}},
    "choices": "annotated", "seed": 7, "resamples": 10_000, "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "alignment": [{
        "suite": "mmlu_fa", "questions": 279, "aligned_by": {"text": 270, "options": 6, "similarity": 3},
        "unaligned": [{"model": AYA, "prompting": "straight", "subject": "anatomy", "rows": 2,
                       "example": "کدام عصب <b>دیافراگم</b> را عصب‌دهی می‌کند؟"}],
        "repeated": [], "missing": [{"model": V, "prompting": "cot", "subject": "anatomy", "questions": 4}],
    }],
    "cells": _CELLS,
    "extraction": [{
        "model": R, "prompting": "cot", "n": 1395, "agreement": 98.9964, "ci95": [98.4, 99.5], "n_lettered": 1390,
        "agreement_lettered": 99.2086, "ci95_lettered": [98.6, 99.7], "reasons": {"answer": 1300},
    }],
    "comparisons": [
        comparison(R, AYA, 3.225806, [-1.792115, 8.243728], 0.271739),
        comparison(V, AYA, 4.659498, [0.716846, 8.602151], 0.0281, rule="single", prompting="straight"),
        comparison(R, R, -4.157706, [-6.810036, -1.433692], 0.000977, rule="sc3of5 vs single",
                   a_rule="sc3of5", b_rule="single", a_prompting="cot", b_prompting="cot"),
        comparison(R, V, 0.512345, [-4.301075, 5.376344], 0.887, rule="sc3of5 vs single", prompting="cot vs straight",
                   a_rule="sc3of5", b_rule="single", a_prompting="cot", b_prompting="straight"),
        comparison(f"{R}+{AYA}", R, 0.896057, [-1.612903, 3.405018], 0.5012, rule="pooled vs sc3of5",
                   a_rule="pooled", b_rule="sc3of5", test="sign_flip", discordant=None),
    ],
    "abstention": [{"suite": "mmlu_fa", "model": R, "prompting": "cot", "area": 36.4125, "points": [
        point(1, 91.397849, 54.509804, 255), point(3, 80.645161, 57.333333, 225), point(5, 0.0, None, 0)]}],
    "invariance": [{
        "suite": "mmlu_fa", "model": AYA, "n": 279, "agree": 66.666667, "ci95": [61.2, 71.9], "kappa": 0.553,
        "accuracy_straight": 43.010753, "accuracy_cot": 45.878136, "accuracy_when_agree": 58.064516,
        "coverage_agree": 66.666667, "accuracy_both": 46.953405, "gain": 1.075269, "gain_ci95": [-1.433692, 3.584229],
    }],
}  # fmt: skip

_RULES: dict[str, Any] = {
    "schema": 1, "command": "python -m gaokerena evaluate rules made-up.parquet --json rules.json",
    "source": {"files": ["made-up.parquet"], "sha256": HASH}, "choices": "annotated", "seed": 7,
    "folds": {"outer": 10, "inner": 5},
    "suites": [{
        "suite": "mmlu_fa",
        "yardstick": {"model": R, "prompting": "cot", "rule": "verifier", "n": 279, "accuracy": 52.688172,
                      "ci95": [46.8, 58.5]},
        "families": [{
            "family": "votes", "candidates": 316, "n": 279, "accuracy": 51.612903, "ci95": [45.8, 57.4],
            "answers": 10.8, "chosen": {"gaokerena-r1.0:cot, shares squared": 8, "aya-expanse-8b:cot": 2},
            "against": {"difference": -1.075269, "ci95": [-4.301075, 2.150538], "p": 0.5078, "test": "sign_flip",
                        "n": 279, "discordant": None},
            "apparent": {"rule": "gaokerena-r1.0:cot, shares squared", "accuracy": 54.121864},
        }],
        "subjects": [{"subject": "anatomy", "n": 135, "difference": -2.222222, "ci95": [-7.4, 2.9], "won": 4.5,
                      "lost": 7.5}],
    }],
}  # fmt: skip

_SHARE = {"estimate": 55.25, "ci95": [48.25, 62.5], "n": 200}
_JUDGE: dict[str, Any] = {
    "schema": 1, "command": "python -m gaokerena evaluate judge runs/free --a v --b r --judge j", "suite": "mf3qa",
    "a": {"model": "v", "prompting": "straight"}, "b": {"model": "r", "prompting": "straight"},
    "judge": {"model": "j", "prompt_version": "1", "prompt": "a1b2c3d4"}, "reference": True,
    "pairs": {"judged": 200, "questions": 200, "a_wins": 80, "b_wins": 60, "ties": 20, "flipped": 30, "half": 8,
              "unreadable": 2},
    "win_rate": _SHARE, "win_rate_bounds": [54.5, 55.5], "sign_test": {"a": 80, "b": 60, "p": 0.1082},
    "consistency": _SHARE, "position": {"first_wins": {**_SHARE, "estimate": 61.5}},
    "length": {"longer_wins": {**_SHARE, "estimate": 64.25}, "win_rate_near": None, "win_rate_at_equal_length": _SHARE},
}  # fmt: skip
