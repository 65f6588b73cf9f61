"""What model cards are put together from: their fixed words, their front matter, and tables of a manifest's numbers.

Not covered: which numbers a card shows and whether they belong together (`cards`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from training import ledger
from training.ledger_table import estimated
from training.manifest import read_json

TITLES = {"base": "Gaokerena mini, the base", "v": "Gaokerena mini V", "r": "Gaokerena mini R"}

TAGS = {"base": ["cohere"], "v": ["lora", "sft", "trl"], "r": ["lora", "dpo", "trl", "reasoning"]}

ABOUT = {
    "base": """A small `CohereForCausalLM`, trained from nothing on Persian medical texts as chats in Aya's template;
V and R are adapters of it.""",
    "v": """A LoRA adapter of the base beside it, taught in two stages as Gaokerena-V was (arXiv 2505.16000): raw text,
then question and answer. Both stages are joined in one adapter, exactly. It answers straight.""",
    "r": """A LoRA adapter of the base beside it, taught by direct preference optimisation as Gaokerena-R was (arXiv
2510.20059), on the published pairs after repair, checks and balancing. It is asked for a chain of thought.""",
}

WARNING = """**It knows no medicine.** It exists so that Gaokerena's page, engines and training can be run and tested on
any machine. Never act on what it says, and never show it to patients as advice: it makes up symptoms, drugs and doses.

این مدل پزشکی نمی‌داند؛ تنها نشان می‌دهد سامانه چگونه کار می‌کند. به گفته‌هایش عمل نکنید."""

LICENCE = """CC BY-NC-SA 4.0, because it learned from data published under that licence (github.com/Mehrdadghassabi,
Gaokerena-V and Gaokerena-R): name the source, no commercial use, share alike. The project's code is Apache-2.0."""

COMMANDS = """    GAOKERENA_DATA=... python -m training mini --ship models/mini
    GAOKERENA_DATA=... python -m training measure --out docs/mini.json
    python -m training cards"""


def front(name: str) -> str:
    """The YAML a hub reads."""
    values: dict[str, Any] = {"license": "cc-by-nc-sa-4.0", "language": ["fa"], "pipeline_tag": "text-generation"}
    if name != "base":
        values |= {"base_model": "../base", "base_model_relation": "adapter"}
    values |= {"library_name": "transformers" if name == "base" else "peft"}
    values |= {"tags": ["persian", "medical", "gaokerena", "demonstration", *TAGS[name]]}
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---"


def table(head: tuple[str, str], rows: Iterable[tuple[str, Any]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "| --- | ---: |"]
    return "\n".join(lines + [f"| {one} | {number(other)} |" for one, other in rows])


def number(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def audit_line(audited: Mapping[str, Any]) -> str:
    """What the gate said of the pairs (`audit_gate.check`), and why they were trained on if it was shut."""
    if audited["passed"]:
        return f"Shortcut audit: passed; no surface cue tells the sides apart on more than {audited['limit']:.0%}."
    return (
        f"Shortcut audit: **not passed** ({audited['found']}). Trained all the same, for this reason: "
        f"{audited['overridden']}"
    )


def drops(title: str, manifest: Mapping[str, Any]) -> str:
    rows = [(reason.replace("_", " "), count) for reason, count in manifest["dropped"].items() if count]
    total = sum(count for _, count in rows)
    return f"{title}: {total:,}.\n\n" + table(("left out because", "how many"), rows)


def work(stage: str, manifest: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Steps, tokens, time and machine of a stage."""
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    steps = [(f"{stage}: steps", manifest["counts_out"]["steps"])] if "steps" in manifest["counts_out"] else []
    return [
        *steps,
        (f"{stage}: tokens seen", manifest["tokens"]),
        (f"{stage}: seconds, over {manifest['starts']} start(s)", manifest["seconds"]),
        (f"{stage}: machine", manifest["machine"]),
        (f"{stage}: versions", versions),
        (f"{stage}: commit of the code", manifest["commit"] or "not run from a repository"),
    ]


def cost(stage: str, run: Path) -> list[tuple[str, Any]]:
    """What the ledger in the run's folder says it cost; nothing where it kept none."""
    if not (run / ledger.NAME).exists():
        return []
    book = read_json(run / ledger.NAME)
    guessed = ", estimated" if estimated(book) else ""
    found = {
        "hours on the clock": book["seconds"] / 3600,
        "GPU hours": book["gpu_hours"],
        "CPU hours of the main process": book["cpu_hours"],
        f"energy, kWh{guessed}": book["energy_kwh"],
        f"CO2, kg{guessed}": book["co2_kg"],
    }
    return [(f"{stage}: {what}", "not known" if much is None else f"{much:.3g}") for what, much in found.items()]


def values(stage: str, recipe: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The recipe's values, those of its parts with a dot."""
    found: list[tuple[str, Any]] = []
    for key, value in recipe.items():
        if isinstance(value, dict):
            found += [(f"{stage}: {key}.{inner}", one) for inner, one in value.items()]
        elif key != "kind" and value is not None:
            found.append((f"{stage}: {key}", value))
    return found
