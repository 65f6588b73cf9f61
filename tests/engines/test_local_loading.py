"""What cannot be loaded is refused at the start with its name and the next step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from gaokerena.engines import loading
from gaokerena.engines.base import EngineError
from gaokerena.engines.local import LocalEngine
from tests.tiny import make_tiny


class TestLoading:
    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(EngineError, match="no base model at /nowhere/at/all"):
            LocalEngine("/nowhere/at/all", {})

    def test_a_hub_model_that_cannot_be_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(EngineError, match="give its folder"):
            LocalEngine("nobody/nothing", {})

    def test_a_missing_adapter(self, tiny: Path) -> None:
        with pytest.raises(EngineError, match=r"no adapter v at .*gone"):
            LocalEngine(str(tiny / "base"), {"v": str(tiny / "gone")})

    def test_an_adapter_folder_without_weights(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        (tmp_path / "v" / "adapter_model.safetensors").unlink()
        with pytest.raises(EngineError, match=r"adapter v .*missing or incomplete"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    def test_an_adapter_of_another_shape(self, tiny: Path, tmp_path: Path) -> None:
        other = make_tiny(tmp_path, vocabulary=400)
        weights = json.loads((other / "base" / "config.json").read_text())
        assert weights["hidden_size"] == 64
        config = json.loads((other / "v" / "adapter_config.json").read_text()) | {"r": 6}
        (other / "v" / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match=r"adapter v .*does not fit the base"):
            LocalEngine(str(tiny / "base"), {"v": str(other / "v")})

    @pytest.mark.parametrize(
        "change", [{"use_dora": True}, {"modules_to_save": ["norm"]}, {"bias": "all"}, {"lora_bias": True}]
    )
    def test_an_adapter_that_is_not_plain_lora(self, tiny: Path, tmp_path: Path, change: dict[str, object]) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        config = json.loads((tmp_path / "v" / "adapter_config.json").read_text()) | change
        (tmp_path / "v" / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match=rf"adapter v is LORA with {next(iter(change))}; only plain LoRA"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    @pytest.mark.parametrize("part", ["base/model.safetensors", "v/adapter_model.safetensors"])
    def test_damaged_weights(self, tiny: Path, tmp_path: Path, part: str) -> None:
        shutil.copytree(tiny, tmp_path / "copy")
        (tmp_path / "copy" / part).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
        with pytest.raises(EngineError, match=r"SafetensorError"):
            LocalEngine(str(tmp_path / "copy" / "base"), {"v": str(tmp_path / "copy" / "v")})

    def test_an_adapter_trained_on_other_weights(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        (tmp_path / "v" / "lineage.json").write_text('{"base_weights": "0123456789abcdef"}')
        with pytest.raises(EngineError, match="trained on base weights 0123456789abcdef"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    def test_a_model_that_is_no_language_model(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "base", tmp_path / "base")
        config = json.loads((tmp_path / "base" / "config.json").read_text()) | {"architectures": ["CohereModel"]}
        (tmp_path / "base" / "config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match="not a causal language model"):
            LocalEngine(str(tmp_path / "base"), {})

    def test_a_tokenizer_without_a_template(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "base", tmp_path / "base")
        (tmp_path / "base" / "chat_template.jinja").unlink()
        with pytest.raises(EngineError, match="no chat template"):
            LocalEngine(str(tmp_path / "base"), {})

    def test_a_device_that_is_not_there(self, tiny: Path) -> None:
        absent = "mps" if not torch.backends.mps.is_available() else "cuda"
        with pytest.raises(EngineError, match=f"device '{absent}' is not on this machine"):
            LocalEngine(str(tiny / "base"), {}, device=absent)

    def test_four_bits_without_a_gpu(self, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(EngineError, match="4-bit weights need a CUDA GPU"):
            LocalEngine(str(tiny / "base"), {}, quantise="4bit")

    def test_small_models_compute_in_float32_on_a_cpu_and_large_ones_in_bfloat16(self) -> None:
        cpu = torch.device("cpu")
        assert loading.pick_dtype(cpu, 15_000_000) is torch.float32
        assert loading.pick_dtype(cpu, 8_000_000_000) is torch.bfloat16
        assert loading.pick_dtype(torch.device("mps"), 8_000_000_000) is torch.float16
        with pytest.raises(EngineError, match="dtype 'int3'"):
            loading.pick_dtype(cpu, 1, "int3")
