"""The table of `python -m training ledger`: what runs cost, beside what the papers say theirs did.

    python -m training ledger runs            # every run below it that kept a book
    python -m training ledger --json

Figures of the papers are theirs, not measured here: V in arXiv 2505.16000, R in arXiv 2510.20059, prices in the first
author's thesis. The tokens of theirs are words of their own counting. Energy that was worked out of
a processor's load is called estimated, and the CO2 with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from training.energy import ESTIMATED
from training.errors import TrainingError
from training.ledger import NAME
from training.manifest import read_json

PUBLISHED: tuple[dict[str, Any], ...] = (
    {
        "run": "Gaokerena-V, both stages", "stage": "sft", "tokens": 57_000_000, "gpu_hours": 19.0, "price": 300.0,
        "energy_kwh": 4.75, "co2_kg": 2.66, "hardware": "A100 PCIe 40 GB", "source": "published (2505.16000, thesis)",
    },
    {
        "run": "Gaokerena-R, DPO", "stage": "dpo", "tokens": None, "gpu_hours": 1.0, "price": 70.0,
        "energy_kwh": 0.35, "co2_kg": 0.03, "hardware": "H100 PCIe 80 GB", "source": "published (2510.20059, thesis)",
    },
)  # fmt: skip
COLUMNS = ("run", "stage", "tokens", "gpu_hours", "cpu_hours", "price", "energy_kwh", "co2_kg", "hardware", "source")
HEADS = ("run", "stage", "tokens", "GPU h", "CPU h (main process)", "price", "kWh", "kg CO2", "hardware", "source")


def books(places: Iterable[Path]) -> list[Path]:
    """Every ledger at or below the given folders. Raises TrainingError for a place that is not there."""
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise TrainingError(f"no run at {place}; name a run's folder, or one above several")
        found += sorted(place.rglob(NAME)) if place.is_dir() else [place]
    return list(dict.fromkeys(found))


def rows(found: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each book, then the published ones; the tokens of a run that did not end are not known."""
    made = []
    for path, run in zip(found, _names(found), strict=True):
        book = read_json(path)
        machine = book["hardware"]
        name = f"{machine['gpus']} x {machine['gpu']}" if machine["gpus"] else f"CPU, {machine['cores']} cores"
        state = "measured" if book["finished"] else "measured, not finished"
        made.append(
            {"run": run, **{key: book.get(key) for key in COLUMNS[1:8]}, "hardware": name, "source": state}
            | {"currency": book["rates"]["currency"], "starts": len(book["starts"]), "commit": book["commit"]}
            | {"energy_estimated": estimated(book)}
            | ({} if book["finished"] else {"tokens": None})
        )
    return [*made, *({"cpu_hours": None} | row | {"currency": "USD"} for row in PUBLISHED)]


def _names(found: Sequence[Path]) -> list[str]:
    """What tells the runs apart: folders below the one they share (`r2/dpo`, `r3/dpo`), the name of a lone one."""
    folders = [path.parent.resolve() for path in found]
    if not folders:
        return []
    above = Path(os.path.commonpath(folders))
    above = above.parent if above in folders else above
    return [folder.relative_to(above).as_posix() for folder in folders]


def estimated(book: dict[str, Any]) -> bool:
    """Whether some of the energy of the book is an estimate from the processor's load."""
    return book["energy_kwh"] is not None and any(ESTIMATED in start["energy_by"] for start in book["starts"])


def as_table(made: Sequence[dict[str, Any]]) -> str:
    """Markdown; a dash where nothing is known."""
    lines = [f"| {' | '.join(HEADS)} |", "| --- | --- | " + "---: | " * 6 + "--- | --- |"]
    lines += ["| " + " | ".join(_cell(row, column) for column in COLUMNS) + " |" for row in made]
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return "–"
    if column == "price":
        return f"{value:,.2f} {row['currency']}"
    if isinstance(value, float):
        guessed = " (estimated)" if column in ("energy_kwh", "co2_kg") and row.get("energy_estimated") else ""
        return (f"{value:,.2f}" if value >= 0.1 else f"{value:.2g}") + guessed
    return f"{value:,}" if isinstance(value, int) else str(value)
