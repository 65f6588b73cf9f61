"""Load one base and its adapters, from local folders or the Hub, onto the best device there is.

Raises EngineError for what a person can mend: no such folder, no network, an adapter that is missing, does not fit or
was trained on other weights, an architecture this project cannot decode, 4-bit without bitsandbytes or a GPU.

Not covered: tensor parallel loading of one model on several GPUs (serve it with vLLM and use the endpoint engine).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers.utils.logging
from huggingface_hub import try_to_load_from_cache
from peft import PeftConfig, PeftModel
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from gaokerena.engines.adapters import Selection, check_config, stack
from gaokerena.engines.base import EngineError
from gaokerena.engines.packing import pack

_INSIDE = "adapter_"
"""Before a model's name inside PEFT, which mistakes a name like `r` for a part of its own prefix `lora_`."""

Quantise = Literal["none", "4bit"]
SMALL = 1_000_000_000
"""Parameters up to which a CPU computes in float32, where greedy text is exact; above it in bfloat16."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A base with stacked adapters, ready to decode; `revisions` names the weights behind each model name."""

    model: Any
    tokenizer: Any
    selection: Selection
    context: int
    end_tokens: frozenset[int]
    revisions: dict[str, str]
    parameters: int


def pick_device(wanted: str = "auto") -> torch.device:
    """The device named, or CUDA, then MPS, then the CPU. Raises EngineError for one that is not there."""
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, there in usable.items() if there))
    if not usable.get(wanted.split(":")[0]):
        there = ", ".join(name for name, present in usable.items() if present)
        raise EngineError(
            f"device {wanted!r} is not on this machine (there is: {there}); set device to one of them or auto"
        )
    return torch.device(wanted)


def pick_dtype(device: torch.device, parameters: int, wanted: str = "auto") -> torch.dtype:
    """The dtype named, or bfloat16 where it is fast, float16 on MPS and older GPUs, float32 for a small CPU model."""
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if wanted != "auto":
        if wanted not in named:
            raise EngineError(f"dtype {wanted!r} is none of auto, {', '.join(named)}")
        return named[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.float32 if parameters <= SMALL else torch.bfloat16


def find(name: str, what: str) -> str:
    """`name` when it is a folder or may be a Hub repository. Raises EngineError when it can be neither."""
    if Path(name).is_dir():
        return name
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise EngineError(f"no {what} at {name}: no such folder. Give a folder, or a Hub repository as owner/name")
    return name


def load(
    base: str,
    adapters: Mapping[str, str],
    *,
    device: str = "auto",
    dtype: str = "auto",
    quantise: Quantise = "none",
) -> Loaded:
    """The base in `base` with every adapter of `adapters` (name to folder or repository)."""
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)  # of peft
    target = pick_device(device)
    base = find(base, "base model")
    config, tokenizer = _described(base)
    kind = pick_dtype(target, _parameters(config), dtype)
    extra: dict[str, Any] = {"quantization_config": _four_bit(target, kind)} if quantise == "4bit" else {}
    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=kind, **extra)
        model = model if quantise == "4bit" else model.to(target)
    except torch.OutOfMemoryError as error:
        raise EngineError(
            f"{base} does not fit into the memory of {target}; try quantise = 4bit or another device"
        ) from error
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise EngineError(f"the base model {base} cannot be loaded, its files may be damaged: {line(error)}") from error
    selection = Selection(())
    revisions = {"base": revision(base)}
    if adapters:
        model, selection = _with_adapters(model, base, adapters)
        revisions |= {name: revision(folder) + "+" + revisions["base"] for name, folder in adapters.items()}
    model = model.eval().requires_grad_(False)
    pack(model)
    ends = model.generation_config.eos_token_id
    end_tokens = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
    context = config.max_position_embeddings
    return Loaded(model, tokenizer, selection, context, frozenset(end_tokens), revisions, _parameters(config))


def _described(base: str) -> tuple[Any, Any]:
    """Config and tokenizer. Raises EngineError for what is no causal language model with a chat template."""
    try:
        config = AutoConfig.from_pretrained(base)
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"{base} is not a model this machine can reach: {str(error).splitlines()[0]}. "
            "Check the name, log in with `hf auth login`, or download it and give its folder"
        ) from error
    if not any("CausalLM" in name for name in config.architectures or ()):
        raise EngineError(f"{base} is a {config.architectures}, not a causal language model")
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        raise EngineError(
            f"{base} ({config.model_type}) attends through a sliding window, which this engine cannot batch; "
            "serve it and use the endpoint preset"
        )
    if tokenizer.chat_template is None:
        raise EngineError(f"the tokenizer of {base} has no chat template; add chat_template.jinja to its folder")
    return config, tokenizer


def _parameters(config: Any) -> int:
    """Parameters of a decoder with this config, roughly: enough to tell a small model from a large one."""
    return int(config.vocab_size * config.hidden_size + 12 * config.num_hidden_layers * config.hidden_size**2)


def _four_bit(device: torch.device, dtype: torch.dtype) -> Any:
    if device.type != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
        raise EngineError(
            "4-bit weights need a CUDA GPU and the package bitsandbytes; install it or set quantise to none"
        )
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _with_adapters(model: Any, base: str, adapters: Mapping[str, str]) -> tuple[Any, Selection]:
    wrapped: Any = None
    for name, folder in adapters.items():
        folder = find(folder, f"adapter {name}")
        _check_lineage(name, folder, base)
        try:
            check_config(name, PeftConfig.from_pretrained(folder))
            if wrapped is None:
                wrapped = PeftModel.from_pretrained(model, folder, adapter_name=_INSIDE + name)
            else:
                wrapped.load_adapter(folder, adapter_name=_INSIDE + name)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise EngineError(f"adapter {name} at {folder} is missing or incomplete: {line(error)}") from error
        except RuntimeError as error:
            raise EngineError(
                f"adapter {name} at {folder} does not fit the base {base}: {str(error).splitlines()[-1].strip()}"
            ) from error
    return stack(wrapped, {name: _INSIDE + name for name in adapters})


def line(error: Exception) -> str:
    """An error's first line, with its kind when it says little."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _check_lineage(name: str, folder: str, base: str) -> None:
    """An adapter of ours names the weights it was trained on; another base of the same shape would go unnoticed."""
    path = Path(folder) / "lineage.json"
    if not path.exists() or not Path(base).is_dir():
        return
    trained_on, given = json.loads(path.read_text("utf-8")).get("base_weights"), revision(base)
    if trained_on and trained_on != given:
        raise EngineError(
            f"adapter {name} at {folder} was trained on base weights {trained_on}, but {base} holds {given}"
        )


def revision(source: str) -> str:
    """Sixteen hex digits for a folder's weights or a Hub repository's commit, "unknown" when neither is there."""
    folder = Path(source)
    if not folder.is_dir():
        return _commit(source)
    digest = hashlib.sha256()
    files = sorted(folder.glob("*.safetensors"))
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16] if files else "unknown"


def _commit(repository: str) -> str:
    """The commit whose files this machine's cache holds."""
    for name in ("config.json", "adapter_config.json"):
        if isinstance(path := try_to_load_from_cache(repository, name), str):
            return Path(path).parent.name[:16]
    return "unknown"
