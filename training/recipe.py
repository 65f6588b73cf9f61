"""Recipes: one YAML file a run, read strictly. An unknown or missing key stops the run with its name.

The same schema serves the mini pair and aya-expanse-8b; only the values differ (recipes/mini, recipes/gaokerena).
Values marked "papers" are those of arXiv 2505.16000 (V) and 2510.20059 (R); shared hyperparameters keep TRL's names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from training.errors import TrainingError

FOLDER = Path(__file__).parent / "recipes"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int


class DocumentsRecipe(_Strict):
    """What is read: the documents of the mini base, or V's share of them."""

    kind: Literal["documents"]


class PairsRecipe(_Strict):
    """Which published pairs are fit to train on."""

    kind: Literal["pairs"]


class TokenizerRecipe(_Strict):
    """A byte-level BPE."""

    kind: Literal["tokenizer"]
    vocabulary: int = Field(ge=300, le=65_000)


class BaseRecipe(_Strict):
    """Pretraining from nothing. Learning rates are peaks; a step is `accumulate` batches of `micro_tokens`."""

    kind: Literal["base"]
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    logit_scale: float
    length: int
    micro_tokens: int
    accumulate: int
    steps: int
    warmup: int
    decay_share: float = Field(gt=0, le=1)
    matrix_lr: float
    embedding_lr: float
    weight_decay: float
    bf16: bool = True
    log_every: int = 10
    checkpoint_seconds: float = 300


class Lora(BaseModel):
    """A LoRA adapter; names as in peft.LoraConfig."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    r: int = Field(ge=1)
    lora_alpha: float
    lora_dropout: float = Field(ge=0, lt=1)
    target_modules: str | list[str] = "all-linear"


class Optimiser(BaseModel):
    """Names as in transformers.TrainingArguments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: float = Field(gt=0)
    lr_scheduler_type: Literal["linear", "cosine", "constant"]
    warmup_ratio: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    per_device_train_batch_size: int = Field(ge=1)
    gradient_accumulation_steps: int = Field(ge=1)
    num_train_epochs: float = Field(gt=0)
    max_steps: int = -1
    save_steps: int = Field(ge=1)
    logging_steps: int = Field(default=10, ge=1)
    gradient_checkpointing: bool = False
    bf16: bool = True


class SftRecipe(_Strict):
    """Supervised fine-tuning of a LoRA adapter: raw text (`corpus`) or question and answer (`instruction`)."""

    kind: Literal["sft"]
    base: str
    start_from: str | None = None
    """An adapter of the stage before; it is frozen below the new one and joined with it at the end."""
    data: str
    form: Literal["corpus", "instruction"]
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the data, drawn at random (the papers took the first 60 %)."""
    max_length: int
    packing: bool = False
    lora: Lora
    optimiser: Optimiser


class DpoRecipe(_Strict):
    """Direct preference optimisation of a LoRA adapter on pairs."""

    kind: Literal["dpo"]
    base: str
    start_from: str | None = None
    """An adapter both policy and reference start from; without it both start from the base."""
    data: str
    beta: float = Field(gt=0)
    loss_type: list[str] = ["sigmoid"]
    loss_weights: list[float] | None = None
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    max_length: int
    precompute_ref_log_probs: bool = True
    eval_steps: int = 50
    lora: Lora
    optimiser: Optimiser


Recipe = DocumentsRecipe | PairsRecipe | TokenizerRecipe | BaseRecipe | SftRecipe | DpoRecipe
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Annotated[Recipe, Field(discriminator="kind")])


def load(path: Path) -> Any:
    """The recipe in `path`. Raises TrainingError that names the file and every wrong key."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
        return _ADAPTER.validate_python(values)
    except FileNotFoundError as error:
        raise TrainingError(f"no recipe at {path}; those that ship lie under {FOLDER.name}/") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'][1:])) or 'kind'}: {fault['msg']}" for fault in error.errors()
        )
        raise TrainingError(f"{path}: {faults}") from error
