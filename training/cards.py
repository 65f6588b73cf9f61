"""Model cards of the mini pair, every number read from a file: `python -m training cards`.

What `measure --out` wrote gives the figures, the manifests under the run's folder the counts, drops, steps, tokens and
seconds, they and `lineage.json` the values trained with. A card is refused when these do not belong together: figures
of other weights, an adapter of another base.

Not covered: uploading (a Hub wants a repository id in `base_model`, where the cards name the folder beside them).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gaokerena.engines.loading import revision
from gaokerena.files import atomic
from training import report
from training.card_parts import ABOUT, COMMANDS, LICENCE, TITLES, WARNING, audit_line, drops, front, table, values, work
from training.errors import TrainingError
from training.manifest import NAME, read_json

Manifests = Mapping[str, dict[str, Any]]

STAGES = ("documents", "tokenizer", "base", "v_data", "v_corpus", "v_instruct", "pairs", "r_dpo")


def write_cards(figures: Path, models: Path, run: Path) -> None:
    """Write `README.md` into `base`, `v` and `r` under `models`.

    Raises TrainingError for a missing file, and for files that do not belong together.
    """
    found, manifests = report.read_figures(figures), _manifests(run)
    hashes = {name: _weights(models / name) for name in TITLES}
    lineages = {name: _json(models / name / "lineage.json") for name in ("v", "r")}
    lineages["v_corpus"] = _json(run / "v_corpus" / "adapter" / "lineage.json")
    _check(found, hashes, lineages)
    sections = {
        "base": _base(models, manifests),
        "v": _v(manifests, lineages),
        "r": _r(manifests, lineages),
    }
    for name, middle in sections.items():
        parts = [
            front(name),
            f"# {TITLES[name]}",
            ABOUT[name],
            WARNING,
            *middle,
            "## Figures",
            _figures(name, found),
            "## Lineage",
            _lineage(name, hashes, lineages, manifests),
            "## Licence",
            LICENCE,
            "## Made by",
            COMMANDS,
        ]
        with atomic(models / name / "README.md") as half:
            half.write_text("\n\n".join(parts) + "\n", "utf-8")


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise TrainingError(f"{path} is missing; run `python -m training mini --ship` to the end first")
    return read_json(path)


def _manifests(run: Path) -> Manifests:
    return {stage: _json(run / stage / NAME) for stage in STAGES}


def _weights(folder: Path) -> str:
    found = revision(str(folder))
    if found == "unknown" or not folder.is_dir():
        raise TrainingError(f"no weights in {folder}; run `python -m training mini --ship {folder.parent}` first")
    return found


def _check(figures: Mapping[str, Any], hashes: Mapping[str, str], lineages: Mapping[str, Mapping[str, Any]]) -> None:
    """That figures, adapters and base are of one make."""
    for name, lineage in lineages.items():
        if lineage["base_weights"] != hashes["base"]:
            raise TrainingError(
                f"{name} was trained on base weights {lineage['base_weights']}, the base here holds {hashes['base']}; "
                "ship all three from one run"
            )
    here = {"base": hashes["base"], **{name: f"{hashes[name]}+{hashes['base']}" for name in ("v", "r")}}
    if figures.get("revisions") != here:
        raise TrainingError(
            f"the figures are of {figures.get('revisions')}, the weights here are {here}; "
            "run `python -m training measure --out` again"
        )


def _base(models: Path, manifests: Manifests) -> list[str]:
    documents, tokens = manifests["documents"], manifests["tokenizer"]
    data = [
        ("documents trained on", documents["counts_out"]["train"]),
        ("characters in them", documents["characters"]),
        ("documents held out, by question", documents["counts_out"]["held_out"]),
        (
            "runs of words of what is tested, which a document may not share",
            documents["counts_in"]["reference_8_grams"],
        ),
        ("vocabulary", tokens["counts_out"]["vocabulary"]),
        ("tokens in the documents", tokens["tokens"]),
        ("characters a token", tokens["characters_per_token"]),
        ("parameters", _json(models / "base" / "parameters.json")["parameters"]),
    ]
    return [
        "## Data",
        "Doctors' consultations, translated textbook questions with explanations, both sides of the preference pairs.",
        table(("what", "how many"), data),
        drops("Documents left out", documents),
        "## Training",
        table(("what", "value"), [*values("base", manifests["base"]["recipe"]), *work("base", manifests["base"])]),
    ]


def _v(manifests: Manifests, lineages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows: list[tuple[str, Any]] = [("straight documents", manifests["v_data"]["counts_in"]["documents"])]
    stages = {"stage 1": ("v_corpus", "v_corpus"), "stage 2": ("v_instruct", "v")}
    trained: list[tuple[str, Any]] = []
    for stage, (key, lineage) in stages.items():
        manifest = manifests[key]
        rows += [(f"{stage}: rows", manifest["counts_in"]["rows"])]
        rows += [(f"{stage}: {reason}, left out", count) for reason, count in manifest["dropped"].items()]
        rows += [(f"{stage}: rows kept", manifest["counts_out"]["rows"])]
        rows += [(f"{stage}: rows seen in training", manifest["rows_seen"])]
        trained += [*values(stage, lineages[lineage]["recipe"]), *work(stage, manifest)]
    return ["## Data", table(("what", "how many"), rows), "## Training", table(("what", "value"), trained)]


def _r(manifests: Manifests, lineages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    pairs, run = manifests["pairs"], manifests["r_dpo"]
    rows: list[tuple[str, Any]] = [
        ("pairs fit to train on", pairs["counts_out"]["train"]),
        ("pairs held out, by question", pairs["counts_out"]["held_out"]),
        ("of these, fit the length", run["counts_out"]["train"]),
        ("pairs seen in training", run["rows_seen"]),
        ("watched while training, as they fit the length", run["counts_out"]["held_out"]),
    ]
    before, after = pairs["cues"]["before"], pairs["cues"]["after"]
    told = [(cue.replace("_", " "), f"{before[cue]:.3f} → {after[cue]:.3f}") for cue in before]
    return [
        "## Data",
        table(("what", "how many"), rows),
        drops("Published pairs left out", pairs),
        "How often one surface feature alone picks the preferred side (0.5 is no cue), as published and as trained on:",
        table(("feature", "before → after"), told),
        _audited(run),
        "## Training",
        table(("what", "value"), [*values("DPO", lineages["r"]["recipe"]), *work("DPO", run)]),
    ]


def _audited(run: Mapping[str, Any]) -> str:
    """What the shortcut audit of R's pairs said, and why they were trained on if it failed."""
    if "audit" not in run:
        return "Shortcut audit: none was made of these pairs before they were trained on."
    return audit_line(run["audit"])


def _figures(name: str, figures: Mapping[str, Any]) -> str:
    """The model's own figures beside the base's."""
    columns = ["base"] if name == "base" else ["base", name]
    habits, habit_cells = report.by_model(figures["behaviour"])
    suites, suite_cells = report.by_model(figures["suites"])
    bits = figures["bits_per_character"]
    bit_cells = {(kind, model): figure for kind, found in bits.items() for model, figure in found.items()}
    parts = [
        "In brackets 95 % intervals; n says how many.",
        "Bits per character of held-out answers (lower is better):",
        "\n".join(
            report.table(list(bits), [*columns, *([] if name == "base" else [f"{name}_minus_base"])], bit_cells, 3)
        ),
        "Of generated answers, per cent that:",
        "\n".join(report.table(habits, columns, habit_cells)),
        "Per cent right on the suites:",
        "\n".join(report.table(suites, columns, suite_cells)),
        report.about_chance({model: figures["suites"][model] for model in columns}),
    ]
    if name == "r":
        parts.append(report.about_rewards(figures["rewards"]))
    return "\n\n".join(parts)


def _lineage(
    name: str, hashes: Mapping[str, str], lineages: Mapping[str, Mapping[str, Any]], manifests: Manifests
) -> str:
    """Hashes of weights, data and what they were made from; sixteen hex digits each."""
    rows: list[tuple[str, Any]] = [("weights", f"`{hashes[name]}`"), ("base weights", f"`{hashes['base']}`")]
    if name == "base":
        rows += [(f"fingerprint of {stage}", f"`{manifests[stage]['fingerprint']}`") for stage in STAGES[:3]]
    else:
        rows += [("data", f"`{lineages[name]['data']}`")]
    if name == "v":
        rows += [
            ("adapter of stage 1", f"`{lineages['v']['starts_from']}`"),
            ("data of stage 1", f"`{lineages['v_corpus']['data']}`"),
        ]
    return table(("what", "hash"), rows)
