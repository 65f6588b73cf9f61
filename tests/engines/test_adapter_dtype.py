"""On a 16-bit base an adapter computes with the values its file holds: narrow ones narrow, finer ones unrounded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gaokerena.engines.adapters import Part, StackedLora, exact, side_by_side
from gaokerena.engines.loading import revision
from gaokerena.engines.local import LocalEngine
from tests.engines.asking import SHORT, ask
from tests.engines.contract import finished, play

FILE = "adapter_model.safetensors"


def rounded(tiny: Path, folder: Path, step: float = 0.0) -> Path:
    """The tiny R with values that bfloat16 has, moved by `step` (relative): a published adapter, and a round of it."""
    shutil.copytree(tiny / "r", folder)
    weights = {name: value.bfloat16().float() * (1 + step) for name, value in load_file(folder / FILE).items()}
    save_file(weights, folder / FILE, {"format": "pt"})
    (folder / "lineage.json").write_text(json.dumps({"base_weights": revision(str(tiny / "base"))}), "utf-8")
    return folder


@pytest.fixture
def engine(tiny: Path, tmp_path: Path) -> Iterator[LocalEngine]:
    adapters = {"r": str(rounded(tiny, tmp_path / "r"))}
    opened = LocalEngine(str(tiny / "base"), adapters, dtype="bfloat16", threads=1)
    yield opened
    opened.close()


def stacked(engine: LocalEngine) -> dict[str, StackedLora]:
    return {path: layer for path, layer in engine.loaded.model.named_modules() if isinstance(layer, StackedLora)}


def served(engine: LocalEngine, number: int, folder: Path) -> bool:
    """Whether every matrix of the adapter `number` is the file's, value by value."""
    weights = load_file(folder / FILE)
    same = []
    for path, layer in stacked(engine).items():
        part = layer.parts()[number]
        assert part
        for side, mine in (("lora_A", part.down), ("lora_B", part.up)):
            same.append(torch.equal(mine.float(), weights[f"base_model.model.{path}.{side}.weight"]))
    return bool(same) and all(same)


def test_values_that_bfloat16_has_are_kept_in_it(engine: LocalEngine, tmp_path: Path) -> None:
    assert {layer.down.dtype for layer in stacked(engine).values()} == {torch.bfloat16}
    assert served(engine, 0, tmp_path / "r")


def test_a_round_smaller_than_bfloat16_can_tell_is_served_where_it_joins(
    engine: LocalEngine, tiny: Path, tmp_path: Path
) -> None:
    later = rounded(tiny, tmp_path / "r2", step=1e-4)
    engine.add("r2", str(later))
    assert served(engine, 1, later)
    assert served(engine, 0, tmp_path / "r")
    for row in play(engine, ask("r", SHORT), ask("r2", SHORT), ask("base", SHORT)):
        assert finished(row)


def test_and_where_it_is_there_from_the_start(tiny: Path, tmp_path: Path) -> None:
    later = rounded(tiny, tmp_path / "r2", step=1e-4)
    adapters = {"r": str(rounded(tiny, tmp_path / "r")), "r2": str(later)}
    engine = LocalEngine(str(tiny / "base"), adapters, dtype="bfloat16", threads=1)
    try:
        assert served(engine, 0, tmp_path / "r")
        assert served(engine, 1, later)
        assert finished(play(engine, ask("r2", SHORT))[0])
    finally:
        engine.close()


def test_parts_of_two_dtypes_stand_in_the_wider_one() -> None:
    narrow = Part(torch.ones(2, 3, dtype=torch.bfloat16), torch.ones(4, 2, dtype=torch.bfloat16), 0.5)
    fine = Part(torch.full((1, 3), 1 + 1e-4), torch.ones(4, 1), 2.0)
    down, up, gate = side_by_side([narrow, None, fine])
    assert (down.dtype, up.dtype, gate.dtype) == (torch.float32,) * 3
    assert torch.equal(down[2:], fine.down)
    assert gate.tolist() == [[0, 0, 0], [0.5, 0.5, 0], [0, 0, 0], [0, 0, 2]]
    assert exact(fine, torch.bfloat16) is fine
    assert exact(Part(fine.up, fine.up, 1.0), torch.bfloat16).down.dtype == torch.bfloat16
