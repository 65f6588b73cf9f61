"""An adapter that joins a running engine says what it says alone; what cannot join is named."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaokerena.engines.base import EngineError, Text
from gaokerena.engines.loading import revision
from gaokerena.engines.local import LocalEngine
from tests.engines.asking import LONG, SHORT, ask
from tests.engines.contract import Row, play


def made(tiny: Path, folder: Path, name: str = "r", base_weights: str | None = None) -> Path:
    """The tiny adapter `name` in a folder of its own, with the lineage a training run leaves."""
    shutil.copytree(tiny / name, folder)
    weights = base_weights or revision(str(tiny / "base"))
    (folder / "lineage.json").write_text(json.dumps({"base_weights": weights}), "utf-8")
    return folder


@pytest.fixture
def running(tiny: Path) -> Iterator[LocalEngine]:
    """An engine that knows V alone."""
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, threads=1)
    yield engine
    engine.close()


def test_it_says_what_it_says_alone_and_the_others_what_they_said(
    running: LocalEngine, tiny: Path, tmp_path: Path, alone: Any
) -> None:
    before = play(running, ask("v", LONG), ask("base", LONG))
    running.add("later", str(made(tiny, tmp_path / "later")))
    assert running.models == ("v", "later", "base")
    rows = play(running, ask("v", LONG), ask("later", LONG, 40), ask("base", LONG), ask("later", SHORT))
    assert [row.text for row in (rows[0], rows[2])] == [row.text for row in before]
    expected = [alone("r", LONG, 40), alone("r", SHORT, 24)]
    assert [row.text.rstrip("\ufffd") for row in (rows[1], rows[3])] == [text.rstrip("\ufffd") for text in expected]
    weights = revision(str(tiny / "r"))
    assert rows[1].last.revision == f"{weights}+{revision(str(tiny / 'base'))}"  # type: ignore[union-attr]


def test_it_joins_while_a_row_is_being_written(running: LocalEngine, tiny: Path, tmp_path: Path, alone: Any) -> None:
    folder, writing, rows = made(tiny, tmp_path / "later"), threading.Event(), list[Row]()
    first = ask("v", SHORT, 400)

    def write() -> None:
        rows.extend(play(running, first, each=lambda _, event: writing.set() if isinstance(event, Text) else None))

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(30)
    running.add("later", str(folder))
    assert thread.is_alive(), "it was added while the row was still being written"
    (row,) = play(running, ask("later"))
    thread.join(60)
    assert row.text.rstrip("\ufffd") == alone("r", SHORT, 24).rstrip("\ufffd")
    assert rows[0].text.rstrip("\ufffd") == alone("v", SHORT, 400).rstrip("\ufffd")


def test_a_bare_base_takes_adapters_too(tiny: Path, tmp_path: Path, alone: Any) -> None:
    engine = LocalEngine(str(tiny / "base"), {}, threads=1)
    try:
        for name in ("v", "r"):
            engine.add(f"{name}2", str(made(tiny, tmp_path / name, name)))
        rows = play(engine, ask("v2", LONG), ask("base", LONG), ask("r2", LONG))
    finally:
        engine.close()
    expected = [alone(name, LONG, 24) for name in ("v", "base", "r")]
    assert [row.text.rstrip("\ufffd") for row in rows] == [text.rstrip("\ufffd") for text in expected]
    assert len({*expected}) == 3


class TestRefused:
    def refusal(self, engine: LocalEngine, folder: Path, name: str = "later") -> str:
        before = engine.models, play(engine, ask("v"))[0].text
        with pytest.raises(EngineError) as caught:
            engine.add(name, str(folder))
        assert (engine.models, play(engine, ask("v"))[0].text) == before, "the engine is as it was"
        return str(caught.value)

    def test_a_name_that_is_taken(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        assert "there is a model v already" in self.refusal(running, made(tiny, tmp_path / "v2"), "v")

    def test_an_adapter_of_another_base(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        said = self.refusal(running, made(tiny, tmp_path / "later", base_weights="0123456789abcdef"))
        assert "made on base weights 0123456789abcdef" in said
        assert revision(str(tiny / "base")) in said

    def test_an_adapter_that_does_not_say_what_it_was_made_on(
        self, running: LocalEngine, tiny: Path, tmp_path: Path
    ) -> None:
        (made(tiny, tmp_path / "later") / "lineage.json").unlink()
        assert "no lineage.json that names its base_weights" in self.refusal(running, tmp_path / "later")

    def test_one_without_weights(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        (made(tiny, tmp_path / "later") / "adapter_model.safetensors").unlink()
        assert "missing or incomplete" in self.refusal(running, tmp_path / "later")

    def test_one_of_another_shape(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        config = made(tiny, tmp_path / "later") / "adapter_config.json"
        config.write_text(json.dumps(json.loads(config.read_text("utf-8")) | {"r": 6}), "utf-8")
        assert "does not fit the base" in self.refusal(running, tmp_path / "later")

    def test_one_that_is_not_plain_lora(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        config = made(tiny, tmp_path / "later") / "adapter_config.json"
        config.write_text(json.dumps(json.loads(config.read_text("utf-8")) | {"use_dora": True}), "utf-8")
        assert "only plain LoRA can be batched" in self.refusal(running, tmp_path / "later")

    def test_one_whose_weights_are_not_all_there(self, running: LocalEngine, tiny: Path, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = made(tiny, tmp_path / "later") / "adapter_model.safetensors"
        weights = load_file(path)
        del weights[next(name for name in weights if "lora_A" in name)]
        save_file(weights, path)
        assert "it lacks model.layers.0.mlp.down_proj.lora_A" in self.refusal(running, tmp_path / "later")

    def test_a_closed_engine(self, tiny: Path, tmp_path: Path) -> None:
        engine = LocalEngine(str(tiny / "base"), {}, threads=1)
        engine.close()
        with pytest.raises(EngineError, match="the engine is closed"):
            engine.add("later", str(made(tiny, tmp_path / "later")))
