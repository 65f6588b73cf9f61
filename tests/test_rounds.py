"""Adapters that come into a folder: offered while the page runs beside the models they continue, or refused."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaokerena.engines.base import EngineError, Request, Sampling
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.engines.loading import revision
from gaokerena.intake import RefusalError
from gaokerena.messages import Message
from gaokerena.presets import Preset, load_preset
from gaokerena.questions import Prompting, Question
from gaokerena.rounds import ModelInfo, Models, Rounds, pairs
from gaokerena.session import Asker
from gaokerena.settings import load_settings
from gaokerena.store import Store
from gaokerena.visits import Desk
from tests.engines.contract import play
from tests.test_session import Record
from tests.tiny import make_tiny

STRAIGHT, COT = Sampling(max_new_tokens=5), Sampling(temperature=1.0, max_new_tokens=9)
SAMPLINGS: dict[Prompting, Sampling] = {"straight": STRAIGHT, "cot": COT}


class Engine:
    """Notes what it is given; `refuse` names what it will not take."""

    def __init__(self, *refuse: str) -> None:
        self.added: list[tuple[str, str]] = []
        self.closed = False
        self._refuse = refuse

    def add(self, name: str, folder: str) -> None:
        if name in self._refuse:
            raise EngineError(f"adapter {name} was made on base weights x")
        self.added.append((name, folder))


def models() -> Models:
    v, r = ModelInfo("v", "گوکرنا-V", "straight", STRAIGHT), ModelInfo("r", "گوکرنا-R", "cot", COT)
    return Models({"v": v, "r": r, "base": ModelInfo("base", "پایه", "straight", STRAIGHT)})


def put(folder: Path, name: str, **lineage: Any) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "lineage.json").write_text(json.dumps(lineage), "utf-8")
    return folder / name


class TestLooking:
    def test_what_is_there_is_offered_once_with_what_its_lineage_says(self, tmp_path: Path) -> None:
        engine, known = Engine(), models()
        rounds = Rounds(tmp_path / "rounds", engine, known, SAMPLINGS)
        assert rounds.look() == [], "no folder is no fault"
        folder = put(tmp_path / "rounds", "r2", round={"continues": "r", "prompting": "cot"})
        assert rounds.look() == ["r2"]
        assert rounds.look() == []
        assert engine.added == [("r2", str(folder))]
        assert known["r2"] == ModelInfo("r2", "گوکرنا-R (r2)", "cot", COT, "r")
        assert list(known) == ["v", "r", "base", "r2"]

    def test_a_round_of_a_round_is_called_by_its_own_name_alone(self, tmp_path: Path) -> None:
        known = models()
        names = [f"r{number}" for number in range(2, 11)]
        for parent, name in zip(["r", *names], names, strict=False):
            put(tmp_path, name, round={"continues": parent, "prompting": "cot"})
        assert Rounds(tmp_path, Engine(), known, SAMPLINGS).look() == names, "r9 first: r10 goes on from it"
        assert [known[name].label for name in ("r2", "r3", "r4")] == [
            f"گوکرنا-R ({name})" for name in ("r2", "r3", "r4")
        ]

    def test_an_adapter_without_a_round_is_asked_as_it_was_trained(self, tmp_path: Path) -> None:
        known = models()
        put(tmp_path, "mine", recipe={"kind": "dpo"})
        put(tmp_path, "other", recipe={"kind": "sft"})
        assert Rounds(tmp_path, Engine(), known, SAMPLINGS).look() == ["mine", "other"]
        assert (known["mine"].prompting, known["other"].prompting) == ("cot", "straight")
        assert known["mine"].continues == "v"

    def test_one_whose_weights_come_after_its_lineage_is_offered_when_they_are_there(self, tmp_path: Path) -> None:
        class Wants(Engine):
            def add(self, name: str, folder: str) -> None:
                if not (Path(folder) / "weights").exists():
                    raise EngineError("no weights")
                super().add(name, folder)

        rounds = Rounds(tmp_path, Wants(), models(), SAMPLINGS)
        folder = put(tmp_path, "r2")
        assert [rounds.look(), rounds.look()] == [[], []]
        (folder / "weights").write_bytes(b"all of them")
        assert rounds.look() == ["r2"]

    def test_a_fault_that_passes_is_tried_again(self, tmp_path: Path) -> None:
        class Once(Engine):
            failed = False

            def add(self, name: str, folder: str) -> None:
                if not self.failed:
                    self.failed = True
                    raise OSError("too many open files")
                super().add(name, folder)

        rounds = Rounds(tmp_path, Once(), models(), SAMPLINGS)
        put(tmp_path, "r2")
        with pytest.raises(OSError, match="too many"):
            rounds.look()
        assert rounds.look() == ["r2"]

    def test_only_what_is_named(self, tmp_path: Path) -> None:
        for name in ("r2", "r3"):
            put(tmp_path, name)
        assert Rounds(tmp_path, Engine(), models(), SAMPLINGS).look(["r3"]) == ["r3"]

    def test_half_a_folder_and_a_folder_on_its_way_are_not_looked_at(self, tmp_path: Path) -> None:
        (tmp_path / "r2").mkdir()
        put(tmp_path, ".r3.new")
        engine = Engine()
        assert Rounds(tmp_path, engine, models(), SAMPLINGS).look() == []
        assert not engine.added

    @pytest.mark.parametrize(
        ("name", "lineage", "said"),
        [
            ("R2", "{}", "no name for a model"),
            ("base", "{}", "no name for a model"),
            ("r", "{}", "there is a model r already"),
            ("r2", "[]", "no JSON object"),
            ("r2", "{", "cannot be read"),
            ("other-base", "{}", "made on base weights x"),
        ],
    )
    def test_what_cannot_be_offered_is_logged_once_and_tried_again_when_it_changes(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, lineage: str, said: str
    ) -> None:
        caplog.set_level(logging.WARNING)
        (put(tmp_path, name) / "lineage.json").write_text(lineage)
        known = models()
        rounds = Rounds(tmp_path, Engine("other-base"), known, SAMPLINGS)
        assert rounds.look() == rounds.look() == []
        (record,) = caplog.records
        assert said in record.getMessage()
        assert list(known) == ["v", "r", "base"]
        (tmp_path / name / "lineage.json").touch()
        rounds.look()
        assert len(caplog.records) == 2


class TestPairs:
    def test_the_usual_two_then_the_newest_against_what_it_continues(self) -> None:
        known = models()
        known.add(ModelInfo("r2", "", "cot", COT, "r"))
        known.add(ModelInfo("r3", "", "cot", COT, "r2"))
        assert pairs(known) == [("v", "r"), ("r2", "r3"), ("v", "r3"), ("r", "r3"), ("r", "r2"), ("v", "r2")]

    def test_a_loop_does_not_break_when_a_model_comes(self) -> None:
        known = models()
        for _ in known:
            known.add(ModelInfo(f"r{len(known)}", "", "cot", COT, "r"))
        assert len(known) == 6

    def test_a_comparison_of_the_old_r_with_the_new_is_blind_and_stays_that_pair(self, tmp_path: Path) -> None:
        known = models()
        known.add(ModelInfo("r2", "", "cot", COT, "r"))
        engine = EchoEngine({name: Script(f"مایعات بنوشید، گفت {name}.") for name in ("v", "r", "r2")})
        with Store(tmp_path / "store.sqlite3") as store:
            desk = Desk(Asker(engine, known, store), store)
            seats = set()
            for number in range(20):
                visit = desk.visit(str(number))
                attempt = visit.ask(Question(text="تب دارم"), pair=desk.asker.read_pair("r2,r"))
                again = visit.again()
                for one in (attempt, again):
                    for _ in one.updates(every=0.01):
                        pass
                    seats.add((one.comparison.left, one.comparison.right))
                    assert one.comparison.blind
                follow = visit.follow(Question(text="و فردا؟"))
                assert (follow.comparison.left, follow.comparison.right) == (
                    again.comparison.left,
                    again.comparison.right,
                )
                follow.stop()
                for _ in follow.updates(every=0.01):
                    pass
        assert seats == {("r", "r2"), ("r2", "r")}

    def test_a_pair_that_is_not_offered_is_refused(self) -> None:
        asker = Asker(EchoEngine({"v": Script(""), "r": Script("")}), models(), Record())
        assert asker.read_pair("") is None
        assert asker.read_pair("r, v") == ("v", "r")
        for text in ("v,base", "v,v", "v", "v,r,r", "x,y"):
            with pytest.raises(RefusalError, match="are not compared; there are v,r"):
                asker.read_pair(text)


class TestThePreset:
    @pytest.fixture
    def tiny(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = make_tiny(tmp_path / "tiny")
        monkeypatch.chdir(tmp_path)
        return folder

    @pytest.fixture
    def opened(self) -> Iterator[list[Preset]]:
        presets: list[Preset] = []
        yield presets
        for preset in presets:
            preset.engine.close()

    def load(self, tiny: Path, *given: Any, **named: Any) -> Preset:
        adapters = {name: str(tiny / name) for name in "vr"}
        return load_preset(load_settings(base=str(tiny / "base"), adapters=adapters, threads=1), *given, **named)

    def publish(self, tiny: Path, name: str) -> None:
        """As a round does: whole, under another name, then in its place."""
        half = tiny.parent / "models/rounds" / f".{name}.new"
        shutil.copytree(tiny / "r", half)
        lineage = {"base_weights": revision(str(tiny / "base")), "round": {"continues": "r", "prompting": "cot"}}
        (half / "lineage.json").write_text(json.dumps(lineage), "utf-8")
        half.rename(half.with_name(name))

    def test_a_round_that_ends_while_the_preset_is_in_use_answers_without_a_restart(
        self, tiny: Path, opened: list[Preset], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Rounds.watch, "__defaults__", (0.05,))
        preset = self.load(tiny, watch=True)
        opened.append(preset)
        assert list(preset.models) == ["v", "r", "base"]
        self.publish(tiny, "r2")
        until = time.monotonic() + 30
        while "r2" not in preset.models and time.monotonic() < until:
            time.sleep(0.02)
        assert preset.models["r2"].label == "گوکرنا-R کوچک (r2)"
        request = Request("r2", (Message("user", "تب دارم"),), sampling=Sampling(max_new_tokens=5))
        new, old = play(preset.engine, request, Request("r", request.messages, sampling=request.sampling))
        assert new.text == old.text, "its weights are those of r"
        assert preset.revisions["r2"] == preset.revisions["r"]

    def test_what_is_there_at_the_start_is_there_for_the_door_too_and_only_when_asked_for(
        self, tiny: Path, opened: list[Preset]
    ) -> None:
        self.publish(tiny, "r2")
        opened.append(self.load(tiny))
        assert list(opened[0].models) == ["v", "r", "base", "r2"]
        opened.append(self.load(tiny, ["r2"]))
        assert list(opened[1].models) == ["base", "r2"]
        opened.append(self.load(tiny, ["v"]))
        assert list(opened[2].models) == ["v", "base"]
