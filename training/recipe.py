"""Recipes: one YAML file a run, read strictly. An unknown or missing key stops the run with its name.

The same schema serves the mini pair and aya-expanse-8b; only the values differ (recipes/mini, recipes/gaokerena).
Values marked "papers" are those of arXiv 2505.16000 (V) and 2510.20059 (R); shared hyperparameters keep TRL's names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from training.errors import TrainingError

FOLDER = Path(__file__).parent / "recipes"
PATHS = ("base", "start_from", "data", "held_out", "doctors")
"""Keys that name places of one machine; lineages name files and weights by their hashes instead."""


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
    """Of SFT alone: on pairs TRL switches dropout off, and lineages then say 0."""
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


class EarlyStop(BaseModel):
    """Stop when held-out pairs get no better, and keep the best adapter, not the last one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patience: int = Field(ge=1)
    """Evaluations in a row without a new best."""
    min_delta: float = Field(default=0.0, ge=0)
    """How much better a new best must be to count."""


class _Trained(_Strict):
    """What every recipe that trains an adapter has."""

    base: str
    data: str
    held_out: str | None = None
    """Rows like those of `data`, evaluated on while training and never trained on."""
    eval_steps: int = Field(default=50, ge=1)
    early_stop: EarlyStop | None = None
    max_length: int = Field(ge=8)
    report_to: Literal["none", "tensorboard", "trackio"] = "none"
    """Where the log goes besides log.json and curves.svg; both write into the run's folder, neither needs a network."""
    lora: Lora
    optimiser: Optimiser

    @model_validator(mode="after")
    def _saved_where_evaluated(self) -> _Trained:
        if self.early_stop and self.optimiser.save_steps % self.eval_steps:
            raise ValueError(
                f"early_stop keeps the best checkpoint, so save_steps ({self.optimiser.save_steps}) must be a "
                f"multiple of eval_steps ({self.eval_steps})"
            )
        return self


class _OnPairs(_Trained):
    """What learns from pairs, which pass the audit gate first (`audit_gate`)."""

    override_audit: str | None = Field(default=None, pattern=r"\S")
    """Why this recipe's own pairs are trained on though the gate refuses them; not read for pairs given by --data."""


class SftRecipe(_Trained):
    """Supervised fine-tuning of a LoRA adapter: raw text (`corpus`) or question and answer (`instruction`)."""

    kind: Literal["sft"]
    start_from: str | None = None
    """An adapter of the stage before; it is frozen below the new one and joined with it at the end."""
    form: Literal["corpus", "instruction"]
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the data, drawn at random (the papers took the first 60 %)."""
    packing: bool = False


SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")
"""TRL's losses that read label_smoothing; `sigmoid` does not."""


class DpoRecipe(_OnPairs):
    """Direct preference optimisation of a LoRA adapter on pairs."""

    kind: Literal["dpo"]
    start_from: str | None = None
    """An adapter both policy and reference start from; without it both start from the base."""
    beta: float = Field(gt=0)
    loss_type: list[str] = ["sigmoid"]
    loss_weights: list[float] | None = None
    label_smoothing: float | Literal["from_report"] = 0.0
    """How often a label is the wrong way round; `from_report` works it out of the doctors' own contradictions."""
    doctors: str | None = None
    """The doctors.json of `python -m annotation report`, for `from_report`."""
    precompute_ref_log_probs: bool = True

    @field_validator("label_smoothing", mode="plain")
    @classmethod
    def _share_or_report(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value != "from_report" and not (number and 0 <= value < 0.5):  # type: ignore[operator]
            raise ValueError(f"{value!r} is neither a number from 0 to below 0.5 nor from_report")
        return value

    @model_validator(mode="after")
    def _smoothing_is_read(self) -> DpoRecipe:
        if self.label_smoothing and not set(self.loss_type) & set(SMOOTHED):
            raise ValueError(
                f"label_smoothing is {self.label_smoothing}, but {', '.join(self.loss_type)} does not read it; "
                f"use one of {', '.join(SMOOTHED)}"
            )
        if self.loss_weights and len(self.loss_weights) != len(self.loss_type):
            raise ValueError(f"{len(self.loss_weights)} loss_weights for {len(self.loss_type)} losses")
        return self


class RewardRecipe(_OnPairs):
    """An outcome reward model on pairs: a LoRA adapter and a score on the base, Bradley-Terry loss."""

    kind: Literal["reward"]
    start_from: None = None
    """Always the bare base: a score head has nothing to go on with."""
    center: float = Field(default=0.01, ge=0)
    """Weight of the squared sum of both scores, which keeps them around zero (arXiv 2312.09244, eq. 2); 0: none."""


TrainedRecipe = SftRecipe | DpoRecipe | RewardRecipe
Recipe = DocumentsRecipe | PairsRecipe | TokenizerRecipe | BaseRecipe | TrainedRecipe
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
