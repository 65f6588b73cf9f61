"""The tokenizer part of a GGUF file: from a Hugging Face byte-level BPE to what llama.cpp reads.

llama.cpp keeps its pre-tokenizers (the patterns that cut text before BPE) under names; `pre_tokenizer_name` finds the
name whose pattern is the tokenizer's own, so that both cut every text alike, and refuses a tokenizer without a name.
The names' patterns are those of llama.cpp, src/llama-vocab.cpp.

Not covered: SentencePiece and WordPiece tokenizers, normalisers (llama.cpp has none for BPE; NFC is let through, which
is exact for text that is already NFC).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from training.errors import TrainingError

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False}
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_KNOWN: dict[str, list[dict[str, Any]]] = {
    "gpt-2": [{**_BYTE_LEVEL, "use_regex": True}],
    "command-r": [{"type": "Digits", "individual_digits": True}, {**_BYTE_LEVEL, "use_regex": True}],
    "qwen2": [
        {"type": "Split", "pattern": {"Regex": _QWEN2}, "behavior": "Isolated", "invert": False},
        {**_BYTE_LEVEL, "use_regex": False},
    ],
}


def pre_tokenizer_name(pre_tokenizer: dict[str, Any] | None) -> str:
    """llama.cpp's name for the `pre_tokenizer` of a tokenizer.json. Raises TrainingError when it has none."""
    steps = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer or {}])
    plain = [{key: value for key, value in step.items() if key != "trim_offsets"} for step in steps]
    for name, known in _KNOWN.items():
        if plain == known:
            return name
    raise TrainingError(
        f"llama.cpp has no known name for the pre-tokenizer {json.dumps(plain, ensure_ascii=False)}; "
        f"build the tokenizer with the one of {', '.join(_KNOWN)}"
    )


def add_tokenizer(writer: gguf.GGUFWriter, folder: Path, vocabulary: int) -> None:
    """Write the tokenizer in `folder` into `writer`, filled up to the model's `vocabulary` with unused tokens."""
    described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    _check(described, folder)
    wrapped = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokens, types = _tokens(described, vocabulary)
    merges = described["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer_name(described["pre_tokenizer"]))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    for name in ("bos", "eos", "unk", "pad"):
        token = getattr(wrapped, f"{name}_token_id")
        if token is not None:
            getattr(writer, f"add_{name}_token_id")(token)
    starts = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("").ids
    writer.add_add_bos_token(bool(starts) and starts[0] == wrapped.bos_token_id)
    template = wrapped.chat_template
    if isinstance(template, dict):  # some models, aya-expanse-8b among them, carry one for tools as well
        template = template["default"]
    if template:
        writer.add_chat_template(template)


def _check(described: dict[str, Any], folder: Path) -> None:
    model, normalizer = described["model"], described.get("normalizer")
    if model["type"] != "BPE" or model.get("ignore_merges") or model.get("byte_fallback"):
        raise TrainingError(f"{folder}/tokenizer.json is no plain byte-level BPE; only that is converted")
    if normalizer is not None and normalizer["type"] != "NFC":
        raise TrainingError(
            f"{folder}/tokenizer.json normalises with {normalizer['type']}, which llama.cpp does not do"
        )


def _tokens(described: dict[str, Any], vocabulary: int) -> tuple[list[str], list[int]]:
    """(text, type) of each id below `vocabulary`; ids without a token are marked unused."""
    tokens = {number: token for token, number in described["model"]["vocab"].items()}
    types = dict.fromkeys(tokens, int(gguf.TokenType.NORMAL))
    for added in described["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], int(kind)
    if tokens and max(tokens) >= vocabulary:
        raise TrainingError(
            f"the tokenizer has token {max(tokens)}, the model only {vocabulary}; they do not belong together"
        )
    unused = int(gguf.TokenType.UNUSED)
    numbers = range(vocabulary)
    return [tokens.get(number, f"[unused{number}]") for number in numbers], [types.get(n, unused) for n in numbers]
