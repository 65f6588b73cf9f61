"""What `measure` found, as a page of Markdown tables for people.

    python -m training report docs/mini.json > docs/mini.md

Every figure comes with its interval, and every sentence about chance is worked out from the intervals, never asserted.

Not covered: measuring (`measure`), and what the figures mean for readers (the model cards' limits).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.manifest import read_json

CHANCE = 25.0
"""Per cent right by guessing among four options."""

COIN = 50.0
"""Per cent of pairs ordered as wished by guessing."""

NAMES = {
    "base": "base",
    "v": "V",
    "r": "R",
    "v_minus_base": "V − base",
    "r_minus_base": "R − base",
    "consultation": "consultations",
    "explained": "explained questions",
    "pair_chosen": "preferred answers of pairs",
    "pair_rejected": "rejected answers of pairs",
    "ends_by_itself": "end by themselves",
    "stays_in_persian": "stay in Persian script",
    "does_not_loop": "do not loop",
    "has_reasoning_and_conclusion": "have reasoning and a conclusion",
    "chooses_exactly_one_option": "choose exactly one option",
    "mmlu_fa": "MMLU-fa",
    "ibmsee_2023": "IBMSEE 2023",
    "kopp_larger": "KOPP",
}

Figure = Mapping[str, float]
"""`value`, its interval `low` to `high`, and `n`, how many it is of."""


def name(key: str) -> str:
    """What a key of the figures is called on the page."""
    return NAMES.get(key, key)


def shown(figure: Figure | None, digits: int = 1) -> str:
    """`31.0 [22.8, 40.6]`, or a dash for what was not measured."""
    if figure is None:
        return "–"
    value, low, high = (f"{figure[part]:.{digits}f}" for part in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def table(
    rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Figure], digits: int = 1
) -> list[str]:
    """Markdown lines: one row a key of `rows`, one column a key of `columns`, and how many each row is of."""
    found = ["| | " + " | ".join(map(name, columns)) + " | n |", "| --- |" + " ---: |" * (len(columns) + 1)]
    for row in rows:
        figures = [cells.get((row, column)) for column in columns]
        counts = sorted({str(int(figure["n"])) for figure in figures if figure}, key=int)
        found.append(
            f"| {name(row)} | " + " | ".join(shown(figure, digits) for figure in figures) + f" | {' / '.join(counts)} |"
        )
    return found


def beside(figure: Figure, level: float) -> str:
    """Where an interval lies: `above`, `below` or `around` the level."""
    if figure["low"] > level:
        return "above"
    return "below" if figure["high"] < level else "around"


def by_model(figures: Mapping[str, Mapping[str, Figure]]) -> tuple[list[str], dict[tuple[str, str], Figure]]:
    """{model: {key: figure}} as row keys in their order of first mention, and cells by (key, model)."""
    cells = {(key, model): figure for model, found in figures.items() for key, figure in found.items()}
    return list(dict.fromkeys(key for key, _ in cells)), cells


def about_chance(suites: Mapping[str, Mapping[str, Figure]]) -> str:
    """Which accuracies are apart from chance, and how many would seem so by luck alone."""
    every = [(model, suite, figure) for model, found in suites.items() for suite, figure in found.items()]
    apart = [(model, suite, figure) for model, suite, figure in every if beside(figure, CHANCE) != "around"]
    if not apart:
        return f"Chance is {CHANCE:.0f} %, and all {len(every)} intervals contain it: guessing would do as well."
    told = "; ".join(
        f"{name(model)} on {name(suite)}, {shown(figure)}, {beside(figure, CHANCE)} it"
        for model, suite, figure in apart
    )
    luck = 100 * (1 - math.pow(0.95, len(every)))
    return (
        f"Chance is {CHANCE:.0f} %. {len(every) - len(apart)} of {len(every)} intervals contain it; outside: {told}. "
        f"Of {len(every)} independent 95 % intervals at least one misses by luck alone in {luck:.0f} % of cases."
    )


def about_rewards(rewards: Mapping[str, Figure]) -> str:
    """The reward accuracy and margin in one sentence, with where they lie from knowing nothing."""
    accuracy, margin = rewards["accuracy"], rewards["margin"]
    where = {"above": "lies above", "below": "lies below", "around": "contains"}
    return (
        f"DPO's implicit reward prefers the chosen side on {shown(accuracy)} % of {int(accuracy['n'])} held-out pairs; "
        f"the interval {where[beside(accuracy, COIN)]} {COIN:.0f} %, a coin's share. Mean margin {shown(margin, 3)}; "
        f"the interval {where[beside(margin, 0.0)]} 0, where R began."
    )


def as_text(figures: Mapping[str, Any]) -> str:
    """The whole page. Raises TrainingError naming what is missing from `figures`."""
    wanted = ("sample", "seed", "behaviour", "suites", "bits_per_character", "rewards")
    if missing := [key for key in wanted if key not in figures]:
        raise TrainingError(f"the figures lack {', '.join(missing)}; make them with `python -m training measure --out`")
    models = list(figures["behaviour"])
    habits, habit_cells = by_model(figures["behaviour"])
    suites, suite_cells = by_model(figures["suites"])
    bits = figures["bits_per_character"]
    bit_cells = {(kind, model): figure for kind, found in bits.items() for model, figure in found.items()}
    parts = [
        ["# The mini pair, measured"],
        [
            f"{figures['sample']} questions a suite and as many free questions at most, seed {figures['seed']}. "
            "In brackets 95 % intervals: Wilson's for shares, a bootstrap over documents or pairs for means; n says of "
            "how many documents, answers, pairs or questions. The mini pair shows how the system works; it knows no "
            "medicine."
        ],
        ["## Bits per character of held-out answers, given their questions (lower is better)"],
        table(list(bits), list(dict.fromkeys(name for found in bits.values() for name in found)), bit_cells, 3),
        ["## Of generated answers, per cent that"],
        table(habits, models, habit_cells),
        ["## R's preference for the chosen side"],
        [about_rewards(figures["rewards"])],
        ["## Per cent right on the suites"],
        table(suites, models, suite_cells),
        [about_chance(figures["suites"])],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def read_figures(path: Path) -> dict[str, Any]:
    """What `measure --out` wrote to `path`. Raises TrainingError when there is no such file or it is no JSON object."""
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"no figures in {path} ({error}); run `python -m training measure --out {path}` first"
        ) from error
    if not isinstance(found, dict):
        raise TrainingError(f"{path} holds no JSON object; run `python -m training measure --out {path}` again")
    return found
