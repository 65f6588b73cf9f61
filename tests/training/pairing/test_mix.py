"""Mixing sources: caps and shares hold, the better source wins, held-out questions stay out, seeds decide."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gaokerena.prompts import COT_FREE, VERSION, user_text
from gaokerena.questions import Prompting, Question
from tests.training.pairing.samples import exchangeable
from training.audit_gate import sha256
from training.cli import app
from training.errors import TrainingError
from training.manifest import read_json, write_json
from training.pair_rows import SOURCES, PairRow, Turn, read_pairs, write_pairs
from training.pairing.built import ORDER, Built
from training.pairing.mix import Recipe, counts, make, mix

ROWS = {source: exchangeable(30, seed=place, source=source) for place, source in enumerate(SOURCES)}


def mixed(*rows: PairRow, held_out: tuple[PairRow, ...] = (), **recipe: Any) -> Built:
    built = Built()
    for row in rows:
        built.take(row)
    mix(built, held_out, Recipe(files=("a.jsonl",), **recipe))
    return built


def asked_with(rows: list[PairRow], prompting: Prompting) -> list[PairRow]:
    """The rows asked in our wording, each a question of its own."""
    turns = [Turn(role="user", content=user_text(Question(text=f"پرسش {row.id}؟"), prompting)) for row in rows]
    told = {"prompts": VERSION}
    return [
        row.model_copy(update={"prompt": (turn,), "question_id": row.id, "provenance": row.provenance | told})
        for row, turn in zip(rows, turns, strict=True)
    ]


def sources_of(built: Built) -> Counter[str]:
    return Counter(row.source for row in built.train)


def test_every_source_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(SOURCES)


NUMBERS = st.integers(1, 30)


@settings(max_examples=20, deadline=None)
@given(NUMBERS, NUMBERS, st.integers(0, 40), st.integers(0, 40))
def test_caps_hold_and_every_pair_is_accounted_for(experts: int, judged: int, cap: int, other: int) -> None:
    rows = [*ROWS["expert"][:experts], *ROWS["judge"][:judged]]
    if min(cap, experts) + min(other, judged) == 0:
        with pytest.raises(TrainingError, match="nothing is left"):
            mixed(*rows, cap={"expert": cap, "judge": other})
        return
    built = mixed(*rows, cap={"expert": cap, "judge": other})
    assert sources_of(built) == +Counter(expert=min(cap, experts), judge=min(other, judged))
    assert len(built.train) + built.dropped.total() == len(rows)


@given(
    st.dictionaries(st.sampled_from(SOURCES), st.integers(1, 2000), min_size=2),
    st.dictionaries(st.sampled_from(SOURCES), st.floats(0.05, 0.45), min_size=1, max_size=2),
)
def test_shares_hold_up_to_rounding_and_use_a_source_up(have: dict[str, int], share: dict[str, float]) -> None:
    share = {name: part for name, part in share.items() if name in have}
    if not share or not set(have) - set(share):
        return
    found = counts(have, share)
    assert all(0 <= found[name] <= have[name] for name in have)
    total = sum(found.values())
    for name, part in share.items():
        assert abs(found[name] - part * total) <= len(have) + 1
    full = [name for name in have if found[name] >= have[name] - 1]
    assert full, "it is the largest such set: something is used up"


def test_shares_by_hand() -> None:
    assert counts({"expert": 100, "public": 900}, {"expert": 0.5}) == {"expert": 100, "public": 100}
    assert counts({"expert": 100, "public": 30, "judge": 30}, {"expert": 0.25}) == {
        "expert": 20,
        "public": 30,
        "judge": 30,
    }
    assert counts({"expert": 10, "public": 90}, {"expert": 0.2, "public": 0.8}) == {"expert": 10, "public": 40}
    assert counts({"expert": 10, "public": 9}, {}) == {"expert": 10, "public": 9}
    with pytest.raises(TrainingError, match="no other source"):
        counts({"expert": 10}, {"expert": 0.5})


def test_weights_multiply_the_rows_own() -> None:
    rows = [row.model_copy(update={"weight": 0.8}) for row in ROWS["expert"][:3]]
    built = mixed(*rows, *ROWS["public"][:2], weight={"expert": 0.5})
    assert [row.weight for row in built.train] == [0.4] * 3 + [1.0] * 2


def test_of_a_pair_in_two_sources_the_better_one_stays() -> None:
    expert = ROWS["expert"][0]
    judged = expert.model_copy(update={"id": "j", "source": "judge"})
    swapped = judged.model_copy(update={"id": "s", "chosen": expert.rejected, "rejected": expert.chosen})
    for rows in ((judged, swapped, expert), (expert, swapped, judged)):
        built = mixed(*rows)
        assert built.train == [expert], "a doctor's verdict is not outvoted, nor weighed anew, by a model's"
        assert built.dropped == {"judge: duplicate": 1, "judge: contradicts a better source": 1}


def test_a_question_held_out_by_one_file_is_trained_on_by_none() -> None:
    expert, other = ROWS["expert"][:2]
    same = other.model_copy(update={"prompt": expert.prompt})
    built = mixed(same, ROWS["judge"][0], held_out=(expert,))
    assert [row.source for row in built.train] == ["judge"]
    assert built.dropped == {"expert: its question is held out": 1}


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"weight": {"doctor": 1.0}}, "--weight doctor: no such source; there are teacher_correction"),
        ({"cap": {"public": 3}}, r"public: no pairs of that source in a\.jsonl"),
        ({"cap": {"expert": 0}}, "nothing is left of 2 pairs"),
        ({"cap": {"expert": -1}}, "expert=-1: a number of pairs from 0"),
        ({"weight": {"expert": 1.5}}, "above 0 and at most 1"),
        ({"weight": {"expert": 0}}, "above 0 and at most 1"),
        ({"share": {"expert": 1.5}}, "above 0 and at most 1"),
        ({"share": {"expert": 0.8, "judge": 0.7}}, r"add up to 1\.5"),
    ],
)
def test_what_cannot_be_mixed_is_named(recipe: Any, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        mixed(*ROWS["expert"][:2], **recipe)


class TestFiles:
    @pytest.fixture
    def files(self, tmp_path: Path) -> list[str]:
        for name, source in (("doctors", "expert"), ("models", "judge")):
            (tmp_path / name).mkdir()
            write_pairs(tmp_path / name / "pairs.jsonl", ROWS[source][:20])
            write_pairs(tmp_path / name / "held_out.jsonl", ROWS[source][20:25])
        return [str(tmp_path / name / "pairs.jsonl") for name in ("doctors", "models")]

    def test_the_door_mixes_once_and_the_same_again(self, files: list[str], tmp_path: Path) -> None:
        out = tmp_path / "out"
        arguments = ["pairs", "mix", *files, "--out", str(out), "--cap", "judge=8", "--weight", "judge=0.5"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        manifest = read_json(out / "manifest.json")
        assert manifest["counts_in"] == {"expert": 20, "judge": 20}
        assert manifest["by_source"] == {"expert": 20, "judge": 8}
        assert manifest["counts_out"] == {"pairs": 28, "held_out": 10}
        assert manifest["dropped"] == {"judge: cap": 12}
        before = (out / "pairs.jsonl").read_bytes()
        assert {row.weight for row in read_pairs(out / "pairs.jsonl")} == {1.0, 0.5}

        times = [path.stat().st_mtime_ns for path in sorted(out.iterdir())]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert [path.stat().st_mtime_ns for path in sorted(out.iterdir())] == times, "finished: nothing is written"
        (out / "pairs.jsonl").write_text("", "utf-8")
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert (out / "pairs.jsonl").read_bytes() == before, "a file that changed is made again"

    def test_every_source_can_be_asked_with_one_prompt(self, tmp_path: Path) -> None:
        for name, source, prompting in (("doctors", "expert", "straight"), ("models", "judge", "cot")):
            (tmp_path / name).mkdir()
            for file, some in (("pairs.jsonl", ROWS[source][:20]), ("held_out.jsonl", ROWS[source][20:25])):
                write_pairs(tmp_path / name / file, asked_with(some, cast(Prompting, prompting)))
        files = tuple(str(tmp_path / name / "pairs.jsonl") for name in ("doctors", "models"))
        for out, wanted, found in (
            ("as-is", "as-is", {True, False}),
            ("cot", "cot", {True}),
            ("s", "straight", {False}),
        ):
            make(tmp_path / out, Recipe(files=files, prompting=cast(Any, wanted)))
            for file in ("pairs.jsonl", "held_out.jsonl"):
                rows = read_pairs(tmp_path / out / file)
                assert {row.asked.endswith(COT_FREE) for row in rows} == found

    def test_another_seed_draws_others(self, files: list[str], tmp_path: Path) -> None:
        for seed in (1, 2):
            make(tmp_path / str(seed), Recipe(files=tuple(files), cap={"judge": 8}, seed=seed))
        one, other = ((tmp_path / seed / "pairs.jsonl").read_bytes() for seed in "12")
        assert one != other

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--cap", "judge"], "'judge' is not SOURCE=NUMBER"),
            (["--cap", "judge=1", "--cap", "judge=2"], "judge is given twice"),
            (["none.jsonl"], r"no pairs at none\.jsonl"),
        ],
    )
    def test_errors_of_the_door(self, files: list[str], tmp_path: Path, arguments: list[str], said: str) -> None:
        result = CliRunner().invoke(app, ["pairs", "mix", *files, "--out", str(tmp_path / "out"), *arguments])
        assert isinstance(result.exception, TrainingError)
        assert result.exception.args
        with pytest.raises(TrainingError, match=said):
            raise result.exception


def test_a_mix_is_decontaminated_only_when_every_file_is(tmp_path: Path) -> None:
    for place, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        write_pairs(tmp_path / name / "pairs.jsonl", exchangeable(3, seed=place))
    files = tuple(str(tmp_path / name / "pairs.jsonl") for name in "ab")
    for name in "ab":
        told = {"decontaminated": True, "files": {"pairs.jsonl": sha256(tmp_path / name / "pairs.jsonl")}}
        assert make(tmp_path / f"before-{name}", Recipe(files=files))["decontaminated"] is False
        write_json(tmp_path / name / "manifest.json", told)
    assert make(tmp_path / "both", Recipe(files=files))["decontaminated"] is True
    assert make(tmp_path / "before-a", Recipe(files=files))["decontaminated"] is True, "the same pairs, compared since"
    write_pairs(tmp_path / "a" / "pairs.jsonl", exchangeable(4, seed=9))
    assert make(tmp_path / "changed", Recipe(files=files))["decontaminated"] is False
