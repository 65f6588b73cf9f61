"""The mini pair from nothing: documents, tokenizer, base, V in two stages, R by DPO, and what is measured of them.

    GAOKERENA_DATA=... python -m training mini            # all of it, or go on where it stopped
    GAOKERENA_DATA=... python -m training mini --only base

Every stage reads files, writes files into its own folder under `--out` and leaves a manifest; a stage whose recipe and
inputs have not changed is not run again. The mini pair shows how the system works; it knows no medicine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from training import base, documents, sources, tokenizer
from training.manifest import Manifest, file_hash, fingerprint, finished, read_jsonl, write_jsonl
from training.recipe import FOLDER, BaseRecipe, DocumentsRecipe, TokenizerRecipe, load

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
    manifest.counts_out = {"train": write_jsonl(out / "train.jsonl", kept), "held_out": write_jsonl(out / "held_out.jsonl", away)}
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


STAGES: dict[str, tuple[Callable[[Any, Path, Manifest], None], tuple[str, ...]]] = {
    "documents": (run_documents, ()),
    "tokenizer": (run_tokenizer, ("documents",)),
    "base": (run_base, ("tokenizer",)),
}
"""Stage name to (what runs it, the stages it reads)."""


def inputs_of(stage: str, out: Path) -> list[str]:
    """What the stage's result depends on besides its recipe: the data files, or the stages before."""
    if stage == "documents":
        return [file_hash(path) for path in sorted(sources.data_folder().glob("*.parquet"))]
    return [(out / before / "manifest.json").read_text("utf-8") for before in STAGES[stage][1]]


def make(out: Path, only: str | None = None, recipes: Path = RECIPES) -> None:
    """Run the stages in order, skipping what is finished; `only` runs one stage (its inputs must be there)."""
    for stage in [only] if only else STAGES:
        run, _ = STAGES[stage]
        recipe = load(recipes / f"{stage}.yaml")
        mark = fingerprint(stage, recipe.model_dump(), inputs_of(stage, out))
        folder = out / stage
        folder.mkdir(parents=True, exist_ok=True)
        if finished(folder, mark):
            log.info("%s: finished earlier, nothing to do", stage)
            continue
        log.info("%s: running", stage)
        manifest = Manifest(stage, recipe.seed, mark)
        run(recipe, folder, manifest)
        manifest.write(folder)
        log.info("%s: %s", stage, manifest.counts_out)
