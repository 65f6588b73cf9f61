"""The mini pair from nothing: documents, tokenizer, base, V in two stages, R by DPO, and what is measured of them.

    GAOKERENA_DATA=... python -m training mini            # all of it, or go on where it stopped
    GAOKERENA_DATA=... python -m training mini --only base

Every stage reads files, writes files into its own folder under `--out` and leaves a manifest; a stage whose recipe and
inputs have not changed is not run again. The mini pair shows how the system works; it knows no medicine.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from training import base, documents, dpo, pairs, sft, sources, tokenizer
from training.errors import TrainingError
from training.manifest import (
    NAME,
    Manifest,
    begin,
    file_hash,
    fingerprint,
    finished,
    read_json,
    read_jsonl,
    write_jsonl,
)
from training.recipe import (
    FOLDER,
    BaseRecipe,
    DocumentsRecipe,
    DpoRecipe,
    PairsRecipe,
    SftRecipe,
    TokenizerRecipe,
    load,
)

log = logging.getLogger("training")

RECIPES = FOLDER / "mini"


def chat(user: str, assistant: str) -> list[dict[str, str]]:
    """A question and its answer as chat messages."""
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def run_documents(recipe: DocumentsRecipe, out: Path, manifest: Manifest) -> None:
    """Write `train.jsonl` and `held_out.jsonl`."""
    data = sources.data_folder()
    references = sources.reference(data)
    rows = list(documents.build(data, recipe.seed, references, manifest.dropped))
    kept = [row.row() for row in rows if not documents.held_out(row.question_key)]
    away = [row.row() for row in rows if documents.held_out(row.question_key)]
    manifest.counts_in = {"reference_8_grams": len(references)}
    manifest.counts_out = {
        "train": write_jsonl(out / "train.jsonl", kept),
        "held_out": write_jsonl(out / "held_out.jsonl", away),
    }
    manifest.extra["characters"] = sum(len(row["user"]) + len(row["assistant"]) for row in kept)


def run_tokenizer(recipe: TokenizerRecipe, out: Path, manifest: Manifest) -> None:
    """Learn the tokenizer and write the training documents as token ids."""
    rows = read_jsonl(out.parent / "documents" / "train.jsonl")
    learned = tokenizer.train((text for row in rows for text in (row["user"], row["assistant"])), recipe.vocabulary)
    tokenizer.save(learned, out)
    wrapped = tokenizer.wrap(learned)
    texts = [wrapped.apply_chat_template(chat(row["user"], row["assistant"]), tokenize=False) for row in rows]
    encoded = [np.array(code.ids, np.uint16) for code in learned.encode_batch(texts, add_special_tokens=False)]
    np.save(out / "ids.npy", np.concatenate(encoded))
    np.save(out / "ends.npy", np.cumsum([len(ids) for ids in encoded]))
    manifest.counts_in = {"documents": len(rows)}
    manifest.counts_out = {"vocabulary": len(wrapped)}
    manifest.tokens = sum(map(len, encoded))
    manifest.extra["characters_per_token"] = round(sum(map(len, texts)) / manifest.tokens, 3)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer a stage before has saved."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def run_base(recipe: BaseRecipe, out: Path, manifest: Manifest) -> None:
    """Pretrain the base and write it in bfloat16."""
    source = out.parent / "tokenizer"
    tokens = load_tokenizer(source)
    rows = base.load_documents(source / "ids.npy", source / "ends.npy")
    manifest.counts_in = {"documents": len(rows), "tokens": sum(map(len, rows))}
    model = base.train(base.build_model(recipe, tokens), recipe, rows, out, manifest)
    base.save_weights(model, tokens, out / "model")


def run_v_data(_: DocumentsRecipe, out: Path, manifest: Manifest) -> None:
    """V's two readings of the straight documents: plain text for stage 1, question and answer for stage 2."""
    rows = [row for row in read_jsonl(out.parent / "documents" / "train.jsonl") if row["prompting"] == "straight"]
    asked = ({"prompt": chat(row["user"], "")[:1], "completion": chat("", row["assistant"])[1:]} for row in rows)
    manifest.counts_in = {"documents": len(rows)}
    manifest.counts_out = {
        "corpus": write_jsonl(out / "corpus.jsonl", ({"text": row["assistant"]} for row in rows)),
        "instruct": write_jsonl(out / "instruct.jsonl", asked),
    }


def run_pairs(recipe: PairsRecipe, out: Path, manifest: Manifest) -> None:
    """Repaired, checked and balanced pairs, and how well one cue tells their sides apart before and after."""
    data = sources.data_folder()
    train, away, cues = pairs.build(data, recipe.seed, sources.reference(data), manifest.dropped)
    manifest.counts_out = {
        "train": write_jsonl(out / "train.jsonl", train),
        "held_out": write_jsonl(out / "held_out.jsonl", away),
    }
    manifest.extra["cues"] = cues


def run_sft(recipe: SftRecipe, out: Path, manifest: Manifest) -> None:
    """One stage of V."""
    recipe = placed(recipe, out.parent)
    sft.train(recipe, Path(recipe.data), out, manifest)


def run_dpo(recipe: DpoRecipe, out: Path, manifest: Manifest) -> None:
    """R."""
    recipe = placed(recipe, out.parent)
    dpo.train(recipe, Path(recipe.data), Path(recipe.data).with_name("held_out.jsonl"), out, manifest)


def placed(recipe: Any, out: Path) -> Any:
    """The recipe with `stage:` names turned into folders and files under `out`."""
    names = ("base", "start_from", "data")
    found = {name: getattr(recipe, name) for name in names if getattr(recipe, name)}
    return recipe.model_copy(update={name: value.replace("stage:", f"{out}/") for name, value in found.items()})


STAGES: dict[str, tuple[Callable[[Any, Path, Manifest], None], tuple[str, ...]]] = {
    "documents": (run_documents, ()),
    "tokenizer": (run_tokenizer, ("documents",)),
    "base": (run_base, ("tokenizer",)),
    "v_data": (run_v_data, ("documents",)),
    "v_corpus": (run_sft, ("base", "v_data")),
    "v_instruct": (run_sft, ("v_corpus", "v_data")),
    "pairs": (run_pairs, ()),
    "r_dpo": (run_dpo, ("base", "pairs")),
}
"""Stage name to (what runs it, the stages it reads); without stages it reads the data folder."""


def inputs_of(stage: str, out: Path) -> list[str]:
    """What the stage's result depends on besides its recipe: the data files, or what the stages before were made of.

    Raises TrainingError when a stage before has not been run.
    """
    before = STAGES[stage][1]
    if not before:
        return [file_hash(path) for path in sorted(sources.data_folder().glob("*.parquet"))]
    missing = [name for name in before if not (out / name / NAME).exists()]
    if missing:
        raise TrainingError(f"{stage} reads {missing[0]}, which has not been run in {out}; run it first, or all stages")
    return [read_json(out / name / NAME)["fingerprint"] for name in before]


def make(out: Path, only: str | None = None, recipes: Path = RECIPES) -> None:
    """Run the stages in order, skipping what is finished; `only` runs one stage (its inputs must be there).

    Raises TrainingError for an unknown stage or a stage whose inputs are missing.
    """
    if only is not None and only not in STAGES:
        raise TrainingError(f"no stage {only!r}; there are {', '.join(STAGES)}")
    for stage in [only] if only else STAGES:
        run, _ = STAGES[stage]
        recipe = load(recipes / f"{stage}.yaml")
        mark = fingerprint(stage, recipe.model_dump(), inputs_of(stage, out))
        folder = out / stage
        folder.mkdir(parents=True, exist_ok=True)
        if finished(folder, mark):
            log.info("%s: finished earlier, nothing to do", stage)
            continue
        begin(folder, mark)
        log.info("%s: running", stage)
        manifest = Manifest(stage, recipe.seed, mark)
        run(recipe, folder, manifest)
        manifest.write(folder)
        log.info("%s: %s", stage, manifest.counts_out)


def ship(out: Path, models: Path) -> None:
    """Copy what a run made to where the preset `mini` reads it: base, v and r, each without its checkpoints."""
    parts = {"base": "base/model", "v": "v_instruct/adapter", "r": "r_dpo/adapter"}
    for name, source in parts.items():
        if not (out / source).is_dir():
            raise TrainingError(f"{out / source} is missing; run `python -m training mini` to the end first")
        shutil.copytree(out / source, models / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md"))
