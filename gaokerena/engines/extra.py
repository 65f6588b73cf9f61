"""One more adapter for a model that is already answering: read beside it, then put into its layers between two tokens.

    add(loaded, "models/mini/base", "r2", "models/rounds/r2")      # in the thread that decodes

PEFT reads the adapter's config onto a copy of the base without memory (the real one is packed and in use), so that
ranks, scalings and refusals are those of the start. All new matrices are made before the first is put in place: what
fails leaves the model as it was.

Not covered: taking an adapter out again, and replacing one; a restart does both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from peft.utils import load_peft_weights
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from gaokerena.engines.adapters import Part, StackedLora, check_config, check_layer, exact, part_of, side_by_side
from gaokerena.engines.base import EngineError
from gaokerena.engines.loading import Loaded, find, line, revision

_INSIDE = "adapter_extra"


def add(loaded: Loaded, base: str, name: str, folder: str) -> None:
    """Make `name` a model of `loaded` from the next token on.

    Raises EngineError for a name that is taken, a folder that is no adapter, one made on another base.
    """
    if name in loaded.revisions:
        raise EngineError(f"there is a model {name} already; give the adapter at {folder} another name")
    find(folder, f"adapter {name}")
    _check_base(loaded, name, folder)
    parts = _read(base, name, folder)
    _grow(loaded, parts)
    loaded.selection.add(name)
    loaded.revisions[name] = revision(folder) + "+" + loaded.revisions["base"]


def _check_base(loaded: Loaded, name: str, folder: str) -> None:
    """An adapter that joins a running page must say which weights it was made on: nobody watches it being loaded."""
    try:
        made_on = json.loads((Path(folder) / "lineage.json").read_text("utf-8"))["base_weights"]
    except (OSError, ValueError, KeyError, TypeError):
        raise EngineError(f"adapter {name} at {folder} has no lineage.json that names its base_weights") from None
    if made_on != loaded.revisions["base"]:
        raise EngineError(
            f"adapter {name} at {folder} was made on base weights {made_on}, the base in use holds "
            f"{loaded.revisions['base']}; train it on that base, or serve its own"
        )


def _read(base: str, name: str, folder: str) -> dict[str, Part]:
    """The adapter's matrices by the path of their layer."""
    try:
        config = PeftConfig.from_pretrained(folder)
        check_config(name, config)
        config.init_lora_weights = False  # nothing to begin with where there is no memory
        with torch.device("meta"):
            bare = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
            wrapped = PeftModel(bare, config, _INSIDE, autocast_adapter_dtype=False)
        weights = load_peft_weights(folder, device="cpu")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise EngineError(f"adapter {name} at {folder} is missing or incomplete: {line(error)}") from error
    found = {}
    for path, layer in wrapped.get_base_model().named_modules():
        if hasattr(layer, "lora_A"):
            check_layer(path, layer)
            if shape := part_of(layer, _INSIDE):
                found[path] = _part(weights, path, shape, f"adapter {name} at {folder}")
    if weights or not found:
        left = ", ".join(sorted(weights)[:3]) or "no weights"
        raise EngineError(
            f"adapter {name} at {folder} does not fit the base {base}: {left} belongs to none of its layers"
        )
    return found


def _part(weights: dict[str, torch.Tensor], path: str, shape: Part, what: str) -> Part:
    """The weights of one layer, taken out of `weights`. Raises EngineError where they lack or have another shape."""
    pair = []
    for side, wanted in (("lora_A", shape.down.shape), ("lora_B", shape.up.shape)):
        weight = weights.pop(f"base_model.model.{path}.{side}.weight", None)
        if weight is None:
            raise EngineError(f"{what} is incomplete: it lacks {path}.{side}")
        if weight.shape != wanted:
            raise EngineError(
                f"{what} does not fit the base: {path}.{side} is {tuple(weight.shape)}, not {tuple(wanted)}"
            )
        pair.append(weight)
    return Part(pair[0], pair[1], shape.scaling)


def _grow(loaded: Loaded, parts: dict[str, Part]) -> None:
    """Give every adapted layer one adapter more; layers that had none become stacked."""
    model, earlier = loaded.model, len(loaded.selection) - 1
    dtype, device = model.dtype, model.device
    grown: list[tuple[StackedLora, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]] = []
    wrapped: list[tuple[str, StackedLora]] = []
    for path, layer in list(model.named_modules()):
        part = parts.get(path)
        if part:
            part = exact(Part(part.down.to(device), part.up.to(device), part.scaling), dtype)
        if isinstance(layer, StackedLora):
            grown.append((layer, side_by_side([*layer.parts(), part])))
        elif part:
            wrapped.append((path, StackedLora(layer, [*[None] * earlier, part], loaded.selection)))
    for layer, matrices in grown:
        layer.settle(*matrices)
    for path, layer in wrapped:
        parent, _, leaf = path.rpartition(".")
        _set(model.get_submodule(parent), leaf, layer)


def _set(parent: Any, leaf: str, layer: nn.Module) -> None:
    setattr(parent, leaf, layer)
