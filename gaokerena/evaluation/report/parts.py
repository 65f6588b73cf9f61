"""What the report's parts share: short makers of table entries, and a colour for each model."""

from __future__ import annotations

from gaokerena.evaluation.report.schema import ALL, Cell, Evaluation
from gaokerena.evaluation.report.values import Number, Phrase, Range, Value

GUESSING = 25.0
"""Percent right by guessing one of four options."""


def head(*keys: str) -> tuple[Value, ...]:
    return tuple(Phrase(key) for key in keys)


def span(bounds: tuple[float, float] | None, *, signed: bool = False) -> Value:
    return Range(*bounds, signed=signed) if bounds else None


def number(value: float | None, decimals: int = 2, *, signed: bool = False) -> Value:
    return None if value is None else Number(value, decimals, signed)


class Slots:
    """A colour for each model, the same in all figures; the models most is known of come first, joined ones last."""

    def __init__(self, evaluation: Evaluation) -> None:
        often: dict[str, int] = {}
        for cell in evaluation.cells:
            if cell.subject == ALL and cell.pass_at_k is not None:
                often[cell.model] = often.get(cell.model, 0) + 1 + cell.samples
        self.models = tuple(sorted(often, key=lambda model: -often[model]))

    def sorted(self, cells: list[Cell]) -> list[Cell]:
        """`cells` in the order of their models, else as they were."""
        return sorted(cells, key=lambda cell: self[cell.model])

    def __getitem__(self, model: str) -> int:
        return self.models.index(model) if model in self.models else len(self.models)


def whole(evaluation: Evaluation, suite: str) -> list[Cell]:
    return [cell for cell in evaluation.cells if cell.suite == suite and cell.subject == ALL]
