"""The stages of the mini pair: what each reads, makes and counts. `mini` runs them in order and skips finished ones.

A stage is a function of (recipe, its folder, its manifest); the folders of the stages before lie beside its own. V's
data, the pairs and the base are refused when a row overlaps with what is tested.

Not covered: order, killing and resuming (`mini`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training import base, documents, dpo, overlap, pairs, sft, sources, tokenizer
from training.audit_gate import check, sha256
from training.manifest import Manifest, read_jsonl, write_jsonl
from training.pairing.audit_files import audit_file
from training.recipe import BaseRecipe, DocumentsRecipe, DpoRecipe, PairsRecipe, SftRecipe, TokenizerRecipe


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
    manifest.counts_in = {"reference_8_grams": len(references), "short_references": references.short.total()}
    manifest.extra["references_under_4_words"] = dict(sorted(references.unseen.items()))
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
    overlap.checked(out, manifest, {"train": out.parent / "documents" / "train.jsonl"})
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
    overlap.checked(out, manifest, {name: out / f"{name}.jsonl" for name in ("corpus", "instruct")})


def run_pairs(recipe: PairsRecipe, out: Path, manifest: Manifest) -> None:
    """Repaired, checked and balanced pairs, and how well one cue tells their sides apart before and after."""
    data = sources.data_folder()
    train, away, cues = pairs.build(data, recipe.seed, sources.reference(data), manifest.dropped)
    manifest.counts_out = {
        "train": write_jsonl(out / "train.jsonl", train),
        "held_out": write_jsonl(out / "held_out.jsonl", away),
    }
    manifest.extra["cues"] = cues
    overlap.checked(out, manifest, {"train": out / "train.jsonl"})
    manifest.extra |= {"files": {"train.jsonl": sha256(out / "train.jsonl")}, "decontaminated": True}  # for the gate


def run_sft(recipe: SftRecipe, out: Path, manifest: Manifest) -> None:
    """One stage of V."""
    recipe = placed(recipe, out.parent)
    sft.train(recipe, Path(recipe.data), out, manifest)


def run_dpo(recipe: DpoRecipe, out: Path, manifest: Manifest) -> None:
    """R. Its pairs are audited first; raises TrainingError where they fail and the recipe says no reason to go on."""
    recipe = placed(recipe, out.parent)
    audit_file(Path(recipe.data))
    told = check(Path(recipe.data), recipe.override_audit)
    found = told["found"] and str(told["found"]).replace(f"{Path(recipe.data).parent}/", "")  # the card names no place
    manifest.extra["audit"] = told | {"found": found}
    dpo.train(recipe, Path(recipe.data), Path(recipe.data).with_name("held_out.jsonl"), out, manifest)


def placed(recipe: Any, out: Path) -> Any:
    """The recipe with `stage:` names turned into folders and files under `out`."""
    names = ("base", "start_from", "data")
    found = {name: getattr(recipe, name) for name in names if getattr(recipe, name)}
    return recipe.model_copy(update={name: value.replace("stage:", f"{out}/") for name, value in found.items()})


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs a stage, the stages it reads (none: the data folder), and the code its result depends on."""

    run: Callable[[Any, Path, Manifest], None]
    before: tuple[str, ...]
    modules: tuple[str, ...]
    functions: tuple[Callable[..., object], ...] = ()
    """Besides `run`: functions of this module that it calls."""


STAGES: dict[str, Stage] = {
    "documents": Stage(run_documents, (), ("training.documents",)),
    "tokenizer": Stage(run_tokenizer, ("documents",), ("training.tokenizer",), (chat,)),
    "base": Stage(run_base, ("tokenizer",), ("training.base", "training.overlap"), (load_tokenizer,)),
    "v_data": Stage(run_v_data, ("documents",), ("training.overlap",), (chat,)),
    "v_corpus": Stage(run_sft, ("base", "v_data"), ("training.sft",), (placed,)),
    "v_instruct": Stage(run_sft, ("v_corpus", "v_data"), ("training.sft",), (placed,)),
    "pairs": Stage(run_pairs, (), ("training.pairs", "training.overlap")),
    "r_dpo": Stage(run_dpo, ("base", "pairs"), ("training.dpo",), (placed,)),
}
