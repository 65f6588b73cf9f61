"""A Persian byte-level BPE tokenizer with Aya's special tokens and Aya's own chat template (as TRL ships it).

    python -m training mini --only tokenizer

Text is cut by Qwen2's pattern (`tokenizer.ggml.pre = qwen2` in a GGUF): it keeps a ZWNJ with the letters after it, so
that `می‌شود` is two pieces and not three, and single digits apart. No normaliser: what goes in comes out, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS, END_OF_TURN = "<PAD>", "<BOS_TOKEN>", "<EOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"
SPECIAL = (
    PAD, "<UNK>", "<CLS>", "<SEP>", "<MASK_TOKEN>", BOS, EOS, "<EOP_TOKEN>",
    "<|START_OF_TURN_TOKEN|>", END_OF_TURN, "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>",
)  # fmt: skip
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def chat_template() -> str:
    """The Jinja template of aya-expanse-8b."""
    return (files("trl") / "chat_templates" / "cohere.jinja").read_text("utf-8")


def train(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A BPE of `vocabulary` tokens, special tokens first, learned from `texts`. Same texts, same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def wrap(tokenizer: Tokenizer) -> Any:
    """The tokenizer as transformers loads it: Aya's special tokens and chat template, padding on the left."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=END_OF_TURN,
        pad_token=PAD,
        unk_token="<UNK>",
        padding_side="left",
        chat_template=chat_template(),
        model_max_length=1024,
    )


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer files into `folder`."""
    wrap(tokenizer).save_pretrained(folder)
