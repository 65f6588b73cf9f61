"""What SFT and DPO share: rows seen, the revision of a model before it is there, TRL's head in small tiles."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import tokenization_utils_base
from trl.kernels import chunked_logprob

from tests.tiny import make_tiny
from tests.training import small
from training import fit, fit_run
from training.errors import TrainingError


@pytest.mark.parametrize(
    ("rows", "steps", "seen"),
    [
        (16, 4, 16),
        (16, 1, 4),
        (18, 5, 18),  # the fifth step holds two rows
        (18, 6, 22),  # and the second epoch begins
        (18, 10, 36),
        (3, 2, 6),
        (1000, 0, 0),
    ],
)
def test_rows_seen_are_steps_times_batch_but_for_short_batches(rows: int, steps: int, seen: int) -> None:
    given = SimpleNamespace(train_batch_size=2, gradient_accumulation_steps=2, world_size=1)
    trainer = SimpleNamespace(args=given, train_dataset=range(rows), state=SimpleNamespace(global_step=steps))
    assert fit_run.rows_seen(trainer) == seen


def test_a_repository_is_asked_for_its_commit_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cached: list[str] = []
    monkeypatch.setattr(fit, "revision", lambda source: "0123456789abcdef" if cached else "unknown")
    monkeypatch.setattr(fit, "hf_hub_download", lambda source, name: cached.append(f"{source} {name}"))
    assert fit.pinned("owner/name") == "0123456789abcdef"
    assert cached == ["owner/name config.json"]


def test_an_adapters_repository_has_no_config_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    cached: list[str] = []

    def download(source: str, name: str) -> None:
        if name == "config.json":
            raise OSError("404\nnot there")
        cached.append(name)

    monkeypatch.setattr(fit, "revision", lambda source: "0123456789abcdef" if cached else "unknown")
    monkeypatch.setattr(fit, "hf_hub_download", download)
    assert fit.pinned("owner/name") == "0123456789abcdef"
    assert cached == ["adapter_config.json"]


def test_neither_folder_nor_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such folder, and no such repository"):
        fit.pinned(str(tmp_path / "nowhere"))


def test_small_tiles_change_no_log_probability_and_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(3 * fit.CPU_TILE + 5, 16), torch.randn(50, 16)
    targets = torch.randint(0, 50, (len(hidden),))

    def run(tile: int) -> tuple[torch.Tensor, torch.Tensor]:
        monkeypatch.setattr(chunked_logprob, "TOKEN_CHUNK_SIZE", tile)
        given = hidden.clone().requires_grad_()
        function: Any = chunked_logprob.ChunkedLogProbFunction
        found = function.apply(given, weight, None, targets, 1.0, 50)[0]
        found.sum().backward()
        assert given.grad is not None
        return found.detach(), given.grad

    for whole, tiled in zip(run(4096), run(fit.CPU_TILE), strict=True):
        torch.testing.assert_close(whole, tiled)
    monkeypatch.setattr(chunked_logprob, "TOKEN_CHUNK_SIZE", 4096)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    fit.settle()
    assert chunked_logprob.TOKEN_CHUNK_SIZE == fit.CPU_TILE
    monkeypatch.setattr(chunked_logprob, "TOKEN_CHUNK_SIZE", 4096)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    fit.settle()
    assert chunked_logprob.TOKEN_CHUNK_SIZE == 4096, "a GPU keeps TRL's own"


def test_a_text_that_is_split_or_left_out_raises_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny(tmp_path)
    said: list[str] = []
    monkeypatch.setattr(tokenization_utils_base.logger, "warning", lambda text, *_: said.append(text))
    tokenizer = fit.load_base(str(tmp_path / "base"), small.sft_recipe(tmp_path / "base", "corpus").optimiser)[1]
    assert len(tokenizer("تب " * 9000)["input_ids"]) > tokenizer.model_max_length
    assert not said
