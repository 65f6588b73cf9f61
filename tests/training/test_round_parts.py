"""The parts of a round by themselves: what is asked anew, how old and new are compared, the safety items, the plan."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.engines.base import Sampling
from gaokerena.persian import tidy
from gaokerena.prompts import VERSION, user_text
from gaokerena.questions import Prompting, Question
from gaokerena.safety import red_flags
from training import round_cli, round_measure, round_safety
from training.errors import TrainingError
from training.pair_rows import PairRow
from training.recipe import FOLDER, DpoRecipe, load
from training.round_asked import as_asked
from training.round_compare import better, compare, worse
from training.round_plan import Round, prompting_of
from training.round_scorer import scorer_hash, scorer_of

OPTIONS = ("ادامهٔ همان دارو", "سنجش دوبارهٔ فشار خون", "جراحی فوری شکم", "بستری در خانه")


def row(question: Question, how: Prompting, **provenance: Any) -> PairRow:
    return PairRow.model_validate(
        {
            "id": "e1", "source": "expert", "question_id": question.id,
            "prompt": [{"role": "user", "content": user_text(question, how)}],
            "chosen": [{"role": "assistant", "content": "الف"}], "rejected": [{"role": "assistant", "content": "ب"}],
            "provenance": {"prompts": VERSION} | provenance,
        }
    )  # fmt: skip


class TestAskedAnew:
    @pytest.mark.parametrize("options", [(), OPTIONS])
    @pytest.mark.parametrize("before", ["straight", "cot"])
    @pytest.mark.parametrize("wanted", ["straight", "cot"])
    def test_every_prompt_of_ours_becomes_the_wanted_one(
        self, options: tuple[str, ...], before: Prompting, wanted: Prompting
    ) -> None:
        question = Question(text="برای تب کودک چه کنم؟", options=options)
        (made,) = as_asked([row(question, before)], wanted)
        assert made.asked == user_text(question, wanted)
        assert made.provenance.get("asked_anew") == (wanted if before != wanted else None)
        assert (made.better, made.worse, made.id) == ("الف", "ب", "e1")

    def test_the_prompt_no_longer_tells_which_side_was_chosen(self) -> None:
        question = Question(text="سرم درد می‌کند.")
        rows = as_asked([row(question, "straight"), row(question, "cot")], "cot")
        assert len({made.asked for made in rows}) == 1

    def test_another_wording_stays(self) -> None:
        made = row(Question(text="تب دارم"), "straight", prompts="of another project")
        assert as_asked([made], "cot") == [made]


class TestCompared:
    def test_shares_by_hand(self) -> None:
        told = compare([0, 0, 0, 1], [1, 1, 1, 1], list("abcd"), unit="share", seed=1)
        assert (told["old"], told["new"], told["difference"], told["n"]) == (25.0, 100.0, 75.0, 4)
        assert (told["test"], told["discordant"]) == ("mcnemar_exact", [0, 3])
        assert told["p"] == pytest.approx(0.25), "two-sided, three to none: 2 / 8"
        low, high = told["ci95"]
        assert low <= 75 <= high

    def test_several_values_of_a_question_count_as_one(self) -> None:
        told = compare([0, 1, 0, 0], [1, 1, 0, 1], ["a", "a", "b", "b"], unit="share", seed=1)
        assert (told["n"], told["values"]) == (2, 4)
        assert (told["old"], told["new"], told["test"]) == (25.0, 75.0, "sign_flip")

    def test_nats_are_not_per_cent(self) -> None:
        told = compare([1.5, 2.5], [2.5, 3.5], ["a", "b"], unit="nats", seed=1)
        assert (told["old"], told["new"], told["difference"], told["unit"]) == (2.0, 3.0, 1.0, "nats")

    @pytest.mark.parametrize(("losses", "is_worse"), [(4, False), (5, True), (12, True)])
    def test_worse_from_the_fifth_question_that_changed_for_the_worse(self, losses: int, is_worse: bool) -> None:
        """One-sided at 5 %: five of five is 1/32, four of four 1/16."""
        old, new = [1.0] * 30, [0.0] * losses + [1.0] * (30 - losses)
        told = compare(old, new, [str(place) for place in range(30)], unit="share", seed=1)
        assert worse(told) is is_worse
        assert not better(told)
        turned = compare(new, old, [str(place) for place in range(30)], unit="share", seed=1)
        assert better(turned) is (losses > 5), "five of five is p = 0.0625"
        assert not worse(turned)

    def test_what_is_called_better_has_an_interval_above_nothing(self) -> None:
        """Ten to three of 34: p = 0.092, too much to boast with and enough to refuse by."""
        old, new = [0.0] * 10 + [1.0] * 3 + [0.0] * 21, [1.0] * 10 + [0.0] * 24
        names = [str(place) for place in range(34)]
        assert not better(compare(old, new, names, unit="share", seed=1))
        assert worse(compare(new, old, names, unit="share", seed=1))

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
    def test_turned_round_it_says_the_opposite(self, pairs: list[tuple[bool, bool]]) -> None:
        old, new = zip(*pairs, strict=True)
        names = [str(place) for place in range(len(pairs))]
        told = compare(list(map(float, old)), list(map(float, new)), names, unit="share", seed=1)
        other = compare(list(map(float, new)), list(map(float, old)), names, unit="share", seed=1)
        assert math.isclose(told["difference"], -other["difference"], abs_tol=1e-9)
        assert told["p"] == other["p"]
        assert not (worse(told) and better(told))

    @pytest.mark.parametrize(("old", "new", "names"), [([], [], []), ([1.0], [], ["a"]), ([1.0], [1.0], [])])
    def test_nothing_to_compare(self, old: list[float], new: list[float], names: list[str]) -> None:
        with pytest.raises(TrainingError, match="nothing to compare"):
            compare(old, new, names, unit="share", seed=1)


class TestSafetyItems:
    def test_each_raises_the_flag_of_its_kind_and_is_typed_with_care(self) -> None:
        items = round_safety.load()
        assert len(items) >= 30
        assert len({item.question.id for item in items}) == len(items)
        for item in items:
            assert item.kind in [flag.kind for flag in red_flags(item.question.text)], item.question.text
            assert tidy(item.question.text) == item.question.text

    def test_none_stands_in_the_cases_its_patterns_were_made_with(self) -> None:
        cases = (Path(__file__).parents[1] / "red_flag_cases.toml").read_text("utf-8")
        assert not [item for item in round_safety.load() if item.question.text in cases]

    def test_what_sends_and_what_does_not(self) -> None:
        for item in round_safety.load():
            assert round_safety.sends(item, "همین حالا با ۱۱۵ تماس بگیرید.") == 1.0
            assert round_safety.sends(item, "استراحت کنید و مایعات بنوشید.") == 0.0

    def test_it_is_counted_on_how_many_the_old_one_can_get_worse(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two draws a question: the first question is heeded in one of them, the second in both, no other."""
        items, care = round_safety.load(), "همین حالا با اورژانس ۱۱۵ تماس بگیرید."
        heeded = {0, 2, 3}
        said = {
            "old": [
                SimpleNamespace(text=care if place in heeded else "استراحت کنید.") for place in range(2 * len(items))
            ],
            "new": [SimpleNamespace(text=care) for _ in range(2 * len(items))],
        }
        monkeypatch.setattr(round_measure, "answers", lambda *_: said)
        wanted: Any = SimpleNamespace(draws=2, seed=1)
        told = round_measure.safety(None, wanted)  # type: ignore[arg-type]
        assert told["can_worsen"] == 2
        assert told["sends_to_care"]["old"] == pytest.approx(100 * 3 / (2 * len(items)), abs=1e-3)
        assert told["sends_to_care"]["new"] == 100


class TestThePlan:
    @pytest.mark.parametrize(
        ("known", "lineage", "given", "how"),
        [
            ("v", {}, None, "straight"),
            ("r", {}, "cot", "cot"),
            (None, {"round": {"prompting": "straight"}, "recipe": {"kind": "dpo"}}, None, "straight"),
            (None, {"recipe": {"kind": "sft"}, "starts_from": "a hash"}, None, "straight"),
            (None, {"recipe": {"kind": "dpo"}, "starts_from": None}, None, "cot"),
            (None, {"recipe": {"kind": "dpo"}, "starts_from": None}, "straight", "straight"),
            (None, {"recipe": {"kind": "dpo"}, "starts_from": "of who knows whom"}, "straight", "straight"),
            (None, {}, "cot", "cot"),
        ],
    )
    def test_who_is_continued_says_how_it_is_asked(
        self, known: str | None, lineage: dict[str, Any], given: Prompting | None, how: str
    ) -> None:
        assert prompting_of("somewhere", known, lineage, given) == how

    @pytest.mark.parametrize("lineage", [{}, {"recipe": {"kind": "dpo"}, "starts_from": "a hash"}])
    def test_where_nobody_says_how_it_is_asked_a_person_must(self, lineage: dict[str, Any]) -> None:
        with pytest.raises(TrainingError, match="nothing says how owner/r9 is asked: give --prompting straight"):
            prompting_of("owner/r9", None, lineage, None)

    @pytest.mark.parametrize(("known", "lineage"), [("r", {}), (None, {"round": {"prompting": "cot"}})])
    def test_what_is_known_is_not_contradicted(self, known: str | None, lineage: dict[str, Any]) -> None:
        with pytest.raises(TrainingError, match="--prompting straight: a/b is asked cot"):
            prompting_of("a/b", known, lineage, "straight")

    @pytest.mark.parametrize(
        ("start", "how"), [("gaokerena/gaokerena-v1.0", "straight"), ("v", "straight"), ("r", "cot")]
    )
    def test_a_published_adapter_is_asked_as_its_short_name_is(self, tmp_path: Path, start: str, how: str) -> None:
        asked = Round(tmp_path / "v.jsonl", start, tmp_path / "r9", preset="gaokerena")
        assert asked.settled().prompting == how

    @pytest.mark.parametrize("size", ["mini", "gaokerena"])
    def test_the_shipped_recipes_are_rounds(self, size: str) -> None:
        assert isinstance(load(FOLDER / size / "round.yaml"), DpoRecipe)

    def test_a_scorer_whose_code_changed_is_another_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        found = []
        for value in (0.25, 0.75):
            (tmp_path / "my_scorer.py").write_text(f"def points(question, answer):\n    return {value}\n", "utf-8")
            found.append(scorer_hash("my_scorer:points"))
        assert found[0] != found[1]
        assert scorer_hash(None) is None

    def test_a_scorer_is_found_by_name(self) -> None:
        assert scorer_of(None) is None
        assert scorer_of("tests.training.round_cases:verdicts") is not None
        for name in ("nothing", "tests.training.round_cases:nothing", "no.such:thing"):
            with pytest.raises(TrainingError, match="give module:function"):
                scorer_of(name)


def test_a_published_round_names_the_page_that_looks_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, figures = tmp_path / "rounds" / "r2", tmp_path / "work"
    monkeypatch.setenv("GAOKERENA_ROUNDS", str(place.parent))
    assert "a page on its base offers it" in round_cli._end(place, figures)
    monkeypatch.setenv("GAOKERENA_ROUNDS", str(tmp_path / "elsewhere"))
    said = round_cli._end(place, figures)
    assert f"GAOKERENA_ROUNDS={place.parent} lets a page offer it" in said
    assert f"python -m training push {place} --to" in said
    assert round_cli._end(None, figures) == f"not published; all figures: {figures}"


def test_progress_of_an_evaluation_is_told_between_its_batches(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(round_measure, "SECONDS_BETWEEN", -1)
    monkeypatch.setattr(round_measure, "_said", lambda _engine, requests, _questions: iter(requests))
    wanted: Any = SimpleNamespace(prompting="straight", sampling=Sampling(), seed=1, batch=4)
    engine: Any = None
    with caplog.at_level("INFO", "training"):
        found = round_measure.answers(engine, wanted, [Question(text=f"پرسش {number}") for number in range(3)])
    assert [len(found[side]) for side in ("old", "new")] == [3, 3]
    assert [record.getMessage() for record in caplog.records][-1] == "evaluation: 4 of 6 answers to these questions"
