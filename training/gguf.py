"""Write a `CohereForCausalLM` and its LoRA adapters as GGUF files that llama.cpp (and so Ollama, LM Studio …) serves.

    convert_model(Path("mini/base"), Path("base.gguf"), "f16")
    convert_adapter(Path("mini/r"), Path("mini/base"), Path("r.gguf"))

One base and an adapter for V and one for R: llama.cpp takes them per request (`{"lora": [{"id": 0, "scale": 1.0}]}`).
Weights are read and written one tensor at a time, so an 8 B model needs no more memory than its largest matrix. Keys
and tensor names are those of llama.cpp's architecture `command-r`; its RoPE is interleaved like Cohere's, so nothing
is permuted. A file appears whole or not at all.

Not covered: quantising below 16 bits (llama.cpp's own tool does that), Cohere2, models with biases, with query and key
norms or with an untied output; DoRA, and adapters that train more than the seven linear layers.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from training.errors import TrainingError
from training.gguf_tokenizer import add_tokenizer

Dtype = Literal["f32", "f16", "bf16"]

_ARCHITECTURE = "command-r"
_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
}
_TORCH_TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
_GGML_TYPES = {
    torch.float32: gguf.GGMLQuantizationType.F32,
    torch.float16: gguf.GGMLQuantizationType.F16,
    torch.bfloat16: gguf.GGMLQuantizationType.BF16,
}
_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_TOP = {"model.embed_tokens": "token_embd", "model.norm": "output_norm"}
_IN_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")
_IN_ADAPTER = re.compile(r"base_model\.model\.(.+)\.lora_(A|B)(?:\.default)?\.weight")


def convert_model(folder: Path, out: Path, dtype: Dtype = "f16") -> Path:
    """Write the model in `folder` (config, safetensors, tokenizer) to `out`; norms stay float32. Returns `out`.

    Raises TrainingError for a model or tokenizer that llama.cpp would read differently.
    """
    config = _config(folder)
    with _Tensors(sorted(folder.glob("model*.safetensors"))) as tensors:
        writer = gguf.GGUFWriter(None, _ARCHITECTURE)
        _describe(writer, config, folder.name, dtype)
        add_tokenizer(writer, folder, config["vocab_size"])
        names = {name: _gguf_name(name) for name in tensors if name != "lm_head.weight"}
        if not names:
            raise TrainingError(f"{folder} holds no model*.safetensors; save the model with save_pretrained")
        rows = [(new, old, _stored(tensors.shape(old), dtype)) for old, new in names.items()]
        _write(writer, out, tensors, rows)
    return out


def convert_adapter(adapter_folder: Path, base_folder: Path, out: Path) -> Path:
    """Write the PEFT LoRA in `adapter_folder`, made for the model in `base_folder`, to `out` in float32. Returns `out`.

    Raises TrainingError when the adapter is no plain LoRA or does not fit that base.
    """
    _config(base_folder)
    settings = json.loads((adapter_folder / "adapter_config.json").read_text("utf-8"))
    alpha = _alpha(settings, adapter_folder)
    base_files = sorted(base_folder.glob("model*.safetensors"))
    with _Tensors([adapter_folder / "adapter_model.safetensors"]) as tensors, _Tensors(base_files) as base:
        writer = gguf.GGUFWriter(None, _ARCHITECTURE)
        writer.add_type("adapter")
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        rows = []
        for old in tensors:
            found = _IN_ADAPTER.fullmatch(old)
            if not found:
                raise TrainingError(f"{adapter_folder} holds {old}, which is no LoRA matrix of a linear layer")
            layer, half = f"{found[1]}.weight", found[2].lower()
            _check_fit(layer, half, tensors.shape(old), base)
            rows.append((f"{_gguf_name(layer)}.lora_{half}", old, torch.float32))
        _write(writer, out, tensors, rows)
    return out


class _Tensors:
    """Tensors of one or several safetensors files by name, each read when asked for."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._stack = ExitStack()
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        for path in self._paths:
            file = self._stack.enter_context(safe_open(path, framework="pt"))
            self._files.update(dict.fromkeys(file.keys(), file))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files))

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def shape(self, name: str) -> list[int]:
        return list(self._files[name].get_slice(name).get_shape())

    def read(self, name: str, dtype: torch.dtype) -> NDArray[Any]:
        """The tensor as numpy holds it; bfloat16, which numpy lacks, as its bytes."""
        tensor = self._files[name].get_tensor(name).to(dtype).contiguous()
        found: NDArray[Any] = tensor.view(torch.uint8).numpy() if dtype == torch.bfloat16 else tensor.numpy()
        return found


def _config(folder: Path) -> dict[str, Any]:
    """The model's config, checked: what llama.cpp's command-r cannot express is refused."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    expected = {
        "model_type": "cohere", "attention_bias": False, "use_qk_norm": False, "tie_word_embeddings": True,
        "hidden_act": "silu",
    }  # fmt: skip
    for key, value in expected.items():
        if config.get(key, value) != value:
            raise TrainingError(f"{folder}/config.json has {key}={config[key]!r}; only {value!r} can be converted")
    rope = config.get("rope_parameters") or config
    if rope.get("rope_type", "default") != "default" or config.get("rope_scaling"):
        raise TrainingError(f"{folder}/config.json scales its RoPE ({rope}); only the default can be converted")
    return {**config, "rope_theta": rope["rope_theta"]}


def _describe(writer: gguf.GGUFWriter, config: dict[str, Any], name: str, dtype: Dtype) -> None:
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(_FILE_TYPES[dtype])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config.get("num_key_value_heads") or config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_logit_scale(config["logit_scale"])


def _alpha(settings: dict[str, Any], folder: Path) -> float:
    """The alpha llama.cpp divides by the rank; for rank-stabilised LoRA the one that gives the same product."""
    plain = {"peft_type": "LORA", "use_dora": False, "bias": "none", "fan_in_fan_out": False}
    for key, value in plain.items():
        if settings.get(key, value) != value:
            raise TrainingError(
                f"{folder}/adapter_config.json has {key}={settings[key]!r}; only {value!r} can be converted"
            )
    for key in ("alpha_pattern", "rank_pattern", "modules_to_save"):
        if settings.get(key):
            raise TrainingError(f"{folder}/adapter_config.json sets {key}, which cannot be converted; train without it")
    alpha = float(settings["lora_alpha"])
    return alpha * math.sqrt(settings["r"]) if settings.get("use_rslora") else alpha


def _check_fit(layer: str, half: str, shape: list[int], base: _Tensors) -> None:
    if layer not in base:
        raise TrainingError(f"the adapter changes {layer}, which the base does not have; was it made for another base?")
    rows, columns = base.shape(layer)
    fits = shape[1] == columns if half == "a" else shape[0] == rows
    if not fits:
        raise TrainingError(f"lora_{half} of {layer} is {shape}, the base's matrix {[rows, columns]}; wrong base?")


def _gguf_name(name: str) -> str:
    """`model.layers.3.mlp.up_proj.weight` becomes `blk.3.ffn_up.weight`."""
    stem = name.removesuffix(".weight")
    inside = _IN_LAYER.fullmatch(stem)
    if inside and inside[2] in _LAYER:
        return f"blk.{inside[1]}.{_LAYER[inside[2]]}.weight"
    if stem in _TOP:
        return f"{_TOP[stem]}.weight"
    raise TrainingError(f"tensor {name} has no place in llama.cpp's {_ARCHITECTURE}; is this a Cohere model?")


def _stored(shape: list[int], dtype: Dtype) -> torch.dtype:
    return _TORCH_TYPES[dtype] if len(shape) > 1 else torch.float32


def _write(writer: gguf.GGUFWriter, out: Path, tensors: _Tensors, rows: list[tuple[str, str, torch.dtype]]) -> None:
    """Write header and `rows` of (new name, old name, type) to `out`, by way of a `.part` file."""
    part = out.with_name(out.name + ".part")
    for new, old, dtype in rows:
        shape = tensors.shape(old)
        size = math.prod(shape) * dtype.itemsize
        writer.add_tensor_info(new, shape, np.dtype(np.float32), size, raw_dtype=_GGML_TYPES[dtype])
    writer.write_header_to_file(part)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, old, dtype in rows:
        writer.write_tensor_data(tensors.read(old, dtype))
    writer.close()
    os.replace(part, out)
