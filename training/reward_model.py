"""An outcome reward model: a LoRA adapter and one score on a Cohere base, read at the answer's last token.

    model = load(Path("runs/reward/adapter"), "models/mini/base")
    model.score([[user, assistant], ...])                 # one number each; only differences mean something

transformers has no sequence classifier for Cohere, so it is put together here from its parts. Saved in the dtype it was
trained in and loaded again bit-equal. Right padding, the chat template of the base.

Not covered: process rewards (scores of single steps).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedModel
from transformers.modeling_layers import GenericForSequenceClassification
from transformers.models.cohere.modeling_cohere import CoherePreTrainedModel
from trl.trainer.reward_trainer import suppress_seqcls_warning

from gaokerena.engines.loading import pick_device, revision
from gaokerena.messages import Message
from training.errors import TrainingError
from training.fit import settle


class CohereForReward(GenericForSequenceClassification, CoherePreTrainedModel):  # type: ignore[misc]
    """The decoder with a linear score of one output instead of the language head."""


class Reward:
    """Loads a base as a reward model; `fit.load_base` asks it as it asks transformers' Auto classes."""

    @staticmethod
    def from_pretrained(source: str, dtype: torch.dtype) -> PreTrainedModel:
        """The base with a fresh score. The head starts at zero: no answer is better than another before training."""
        with suppress_seqcls_warning():
            model = CohereForReward.from_pretrained(source, dtype=dtype, num_labels=1)
        torch.nn.init.zeros_(model.score.weight)
        return model


@dataclass
class Scorer:
    """A loaded reward model."""

    model: Any
    tokenizer: Any
    revision: str

    @torch.inference_mode()
    def score(self, chats: list[list[Message]], at_once: int = 8) -> list[float]:
        """A score for each chat, which must end with the assistant's turn; the order is kept, long ones go together.

        Raises TrainingError for a chat longer than the model's context: its conclusion would not be seen.
        """
        turns = [[{"role": one.role, "content": one.content} for one in chat] for chat in chats]
        ids = [self.tokenizer.apply_chat_template(turn, return_dict=False) for turn in turns]
        context = self.model.config.max_position_embeddings
        if too_long := [len(one) for one in ids if len(one) > context]:
            raise TrainingError(f"{len(too_long)} answers are longer than the context of {context} tokens")
        found = [0.0] * len(ids)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for start in range(0, len(order), at_once):
            places = order[start : start + at_once]
            batch = self.tokenizer.pad({"input_ids": [ids[place] for place in places]}, return_tensors="pt")
            scores = self.model(**batch.to(self.model.device), use_cache=False).logits[:, 0].float().tolist()
            for place, score in zip(places, scores, strict=True):
                found[place] = score
        return found


def load(adapter: Path, base: str, dtype: torch.dtype | None = None) -> Scorer:
    """The reward model in `adapter` on `base`. Raises TrainingError when it was trained on other weights."""
    try:
        lineage = json.loads((adapter / "lineage.json").read_text("utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"no reward model at {adapter}: no lineage.json there") from None
    if lineage["recipe"]["kind"] != "reward":
        raise TrainingError(f"{adapter} is an adapter of kind {lineage['recipe']['kind']}, not a reward model")
    if Path(base).is_dir() and lineage["base_weights"] != revision(base):
        raise TrainingError(
            f"{adapter} was trained on base weights {lineage['base_weights']}, {base} holds {revision(base)}"
        )
    settle()
    device = pick_device()
    dtype = dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)
    bare = Reward.from_pretrained(base, dtype)
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="right")
    bare.config.pad_token_id = tokenizer.pad_token_id
    model = PeftModel.from_pretrained(bare, adapter).to(device).eval()
    return Scorer(model, tokenizer, revision(str(adapter)))
