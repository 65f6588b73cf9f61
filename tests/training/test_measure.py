"""What is measured of the mini pair: scores by hand, shares of hand-made answers, and the whole command on toy data."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gaokerena.answers import Answer
from gaokerena.engines import loading
from gaokerena.engines.base import Sampling
from gaokerena.options import read_option
from gaokerena.presets import PLANS
from gaokerena.prompts import COT_FREE
from gaokerena.questions import Question
from tests import tiny
from tests.training import small, toy
from training import measure as measuring
from training.manifest import read_json, write_jsonl
from training.measure import (
    accuracy,
    behaviour,
    bits_per_character,
    held_out_questions,
    loops,
    mean_interval,
    measure,
    rewards,
    score,
    share,
    suite_sample,
)
from training.report import as_text

ASKED = "سرم درد می‌کند، چه کنم؟"
SAID = "استراحت کنید و آب بنوشید."
OPTIONS = ("تب", "سرفه", "درد", "خارش")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_tiny(tmp_path_factory.mktemp("measure"), length=2048)


@pytest.fixture(scope="module")
def loaded(models: Path) -> loading.Loaded:
    return loading.load(str(models / "base"), {name: str(models / name) for name in ("v", "r")})


class TestScore:
    @pytest.mark.parametrize("model", ["base", "v", "r"])
    def test_it_is_the_sum_of_the_log_probabilities_of_answer_and_end(
        self, models: Path, loaded: loading.Loaded, model: str
    ) -> None:
        from peft import PeftModel

        plain, tokenizer = small.load(models / "base")
        if model != "base":
            plain = PeftModel.from_pretrained(plain, models / model).eval()
        by_hand = small.logprob(plain, tokenizer, small.pair(ASKED, SAID, ""), "chosen")
        found = score(loaded, [model], ASKED, SAID)[model]
        assert found.logprob == pytest.approx(by_hand, rel=1e-5)
        assert found.characters == len(SAID)

    def test_models_differ(self, loaded: loading.Loaded) -> None:
        assert len({round(one.logprob, 3) for one in score(loaded, ("base", "v", "r"), ASKED, SAID).values()}) == 3

    def test_models_scored_together_score_as_each_does_alone(self, loaded: loading.Loaded) -> None:
        for model, together in score(loaded, ("base", "v", "r"), ASKED, SAID).items():
            assert together.logprob == pytest.approx(score(loaded, [model], ASKED, SAID)[model].logprob, rel=1e-5)

    def test_what_lies_beyond_the_context_is_not_counted(self, loaded: loading.Loaded) -> None:
        whole = score(loaded, ["v"], ASKED, SAID)["v"]
        turns = [{"role": "user", "content": ASKED}]
        head = loaded.tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
        said = loaded.tokenizer(SAID, add_special_tokens=False).input_ids
        cut = score(loaded, ["v"], ASKED, SAID, context=len(head) + 5)["v"]
        assert cut.characters == len(loaded.tokenizer.decode(said[:5]))
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([head + said[:5]])).logits[0].log_softmax(-1)
        by_hand = sum(logits[len(head) - 1 + place, said[place]] for place in range(5))
        assert cut.logprob == pytest.approx(float(by_hand), rel=1e-5)
        assert whole.logprob < cut.logprob < 0

    def test_bits_per_character_are_summed_before_they_are_divided(self, loaded: loading.Loaded) -> None:
        rows = [{"kind": "consultation", "user": ASKED, "assistant": text} for text in (SAID, SAID * 6)]
        rows.append({"kind": "explained", "user": ASKED, "assistant": SAID})
        found = bits_per_character(loaded, rows)
        assert set(found) == {"consultation", "explained"}
        scores = [score(loaded, ("base", "v"), ASKED, text) for text in (SAID, SAID * 6)]
        characters = sum(one["v"].characters for one in scores)
        bits = {name: -sum(one[name].logprob for one in scores) / math.log(2) / characters for name in ("base", "v")}
        assert found["consultation"]["v"]["value"] == pytest.approx(bits["v"], abs=1e-3)
        difference = found["consultation"]["v_minus_base"]
        assert difference["value"] == pytest.approx(bits["v"] - bits["base"], abs=1e-3)
        assert difference["low"] <= difference["value"] <= difference["high"]
        assert found["consultation"]["v"]["n"] == 2


def test_rewards_are_beta_times_what_r_gained_over_the_base(loaded: loading.Loaded) -> None:
    pairs = [small.pair(small.QUESTIONS[place], small.ANSWERS[place], small.ANSWERS[place - 1]) for place in range(4)]
    margins = []
    for pair in pairs:
        asked = pair["prompt"][0]["content"]
        gain = [
            score(loaded, ["r"], asked, pair[side][0]["content"])["r"].logprob
            - score(loaded, ["base"], asked, pair[side][0]["content"])["base"].logprob
            for side in ("chosen", "rejected")
        ]
        margins.append(0.1 * (gain[0] - gain[1]))
    found = rewards(loaded, pairs)
    assert found["margin"]["value"] == pytest.approx(np.mean(margins), abs=1e-3)
    assert found["accuracy"]["value"] == 25.0 * sum(margin > 0 for margin in margins)
    turned = [
        small.pair(p["prompt"][0]["content"], p["rejected"][0]["content"], p["chosen"][0]["content"]) for p in pairs
    ]
    assert rewards(loaded, turned)["margin"]["value"] == pytest.approx(-found["margin"]["value"], abs=1e-3)
    assert any(abs(margin) > 0.01 for margin in margins)


class TestIntervals:
    def test_a_ratio_of_sums_with_the_spread_of_its_rows(self) -> None:
        found = mean_interval([10.0, 20.0, 30.0], [5.0, 10.0, 15.0])
        assert found == {"value": 2.0, "low": 2.0, "high": 2.0, "n": 3}, "all rows agree"
        values = np.random.default_rng(3).normal(1.0, 0.5, 400)
        found = mean_interval(values.tolist(), [1.0] * 400)
        half = 1.96 * values.std() / math.sqrt(400)
        assert found["low"] == pytest.approx(values.mean() - half, abs=0.015)
        assert found["high"] == pytest.approx(values.mean() + half, abs=0.015)

    def test_long_rows_weigh_more(self) -> None:
        assert mean_interval([1.0, 99.0], [1.0, 9.0])["value"] == 10.0, "not the mean of 1 and 11"

    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3: 81 of 263 is 0.2553 to 0.3662.
    def test_a_share_in_per_cent_with_wilsons_interval(self) -> None:
        assert share(81, 263) == {"value": 30.8, "low": 25.5, "high": 36.6, "n": 263}


class TestLoops:
    @pytest.mark.parametrize(
        "text",
        [
            "چهار واژه پشت هم " * 4,
            "آغاز سخن. " + "و باز هم همان، و دوباره. " * 5,
            "این سطر سه بار آمده است و باز هم می‌آید.\n" * 3,
        ],
    )
    def test_a_text_that_turns_round(self, text: str) -> None:
        assert loops(text)

    @pytest.mark.parametrize(
        "text",
        ["", "یک دو سه", *tiny.TEXTS, "چهار واژه پشت هم " * 3, "این سطر دو بار آمده است و بس.\n" * 2],
    )
    def test_a_text_that_goes_on(self, text: str) -> None:
        assert not loops(text)


def answer(text: str, **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "question_id": "q", "model": "v", "prompting": "straight", "text": text, "conclusion": text,
        "finish_reason": "stop", "seed": 0, "seconds": 0.1, "choice": read_option(text, OPTIONS).choice,
    }  # fmt: skip
    return Answer.model_validate(values | changes)


GOOD = "درد از همه مهم‌تر است؛ بنابراین گزینهٔ [C] درست است."


class TestBehaviour:
    question = Question(text="کدام نشانه مهم‌تر است؟", options=OPTIONS, gold="C")

    def shares(self, *answers: Answer) -> dict[str, float]:
        return {name: found["value"] for name, found in behaviour([(self.question, one) for one in answers]).items()}

    def test_a_good_answer_and_one_with_every_fault(self) -> None:
        bad = answer("and so on and so on " * 12 + "漢字", finish_reason="length")
        thoughtful = answer(GOOD, reasoning="نخست نشانه‌ها.", conclusion="گزینهٔ [C] درست است.")
        assert self.shares(answer(GOOD), bad) == {
            "ends_by_itself": 50.0,
            "stays_in_persian": 50.0,
            "does_not_loop": 50.0,
            "has_reasoning_and_conclusion": 0.0,
            "chooses_exactly_one_option": 50.0,
        }
        assert self.shares(thoughtful)["has_reasoning_and_conclusion"] == 100.0

    @pytest.mark.parametrize("text", ["these words are not Persian at all", GOOD + " слово"])
    def test_another_script_is_not_persian(self, text: str) -> None:
        assert self.shares(answer(text))["stays_in_persian"] == 0.0

    @pytest.mark.parametrize(("reason", "value"), [("stop", 100.0), ("length", 0.0), ("failed", 0.0)])
    def test_only_a_stop_of_its_own_is_an_end(self, reason: str, value: float) -> None:
        assert self.shares(answer(GOOD, finish_reason=reason))["ends_by_itself"] == value

    @pytest.mark.parametrize("text", ["پاسخ گزینهٔ [A] یا [B] است.", "درد مهم است، سرفه هم مهم است."])
    def test_two_options_or_none_are_not_one(self, text: str) -> None:
        assert self.shares(answer(text))["chooses_exactly_one_option"] == 0.0

    def test_free_questions_have_nothing_to_choose(self) -> None:
        free = Question(text="چه کنم؟")
        assert "chooses_exactly_one_option" not in behaviour([(free, answer(SAID))])
        both = behaviour([(free, answer(SAID)), (self.question, answer(GOOD))])
        assert both["chooses_exactly_one_option"]["n"] == 1
        assert both["ends_by_itself"]["n"] == 2

    def test_no_choice_is_wrong(self) -> None:
        answered = [(self.question, answer(GOOD, choice=choice)) for choice in ("C", "A", None, "D")]
        assert accuracy(answered)["value"] == 25.0


CHAIN = f"{ASKED}\n\n{COT_FREE}"


def toy_run(folder: Path) -> Path:
    """A toy data folder and the held-out files of a toy run."""
    stems = [f"کدام نشانه در بیماری شمارهٔ {number} بیشتر دیده می‌شود؟" for number in range(5)]
    suites = [
        toy.benchmark(suite, stem, OPTIONS, gold)
        for suite, gold in (("mmlu_fa", "B"), ("ibmsee_2023", "3"), ("kopp_larger", "1"))
        for stem in stems
    ]
    toy.write(folder / "data", benchmarks=suites)
    documents = [
        {"kind": "consultation", "prompting": "cot", "user": CHAIN, "assistant": SAID, "question": "1"},
        {
            "kind": "consultation",
            "prompting": "straight",
            "user": small.QUESTIONS[1],
            "assistant": SAID,
            "question": "2",
        },
        {"kind": "explained", "prompting": "straight", "user": small.QUESTIONS[2], "assistant": GOOD, "question": "3"},
    ]
    for stage, rows in (("documents", documents), ("pairs", [small.pair(ASKED, GOOD, SAID)] * 2)):
        (folder / "run" / stage).mkdir(parents=True)
        write_jsonl(folder / "run" / stage / "held_out.jsonl", rows)
    return folder


class TestSamples:
    def test_a_suite_is_drawn_by_the_seed_with_its_gold_as_a_letter(self, tmp_path: Path) -> None:
        data = toy_run(tmp_path) / "data"
        drawn = suite_sample(data, "ibmsee_2023", 3, 1)
        assert drawn == suite_sample(data, "ibmsee_2023", 3, 1)
        assert drawn != suite_sample(data, "ibmsee_2023", 3, 2)
        assert len({question.id for question in drawn}) == 3
        assert {(question.gold, question.suite) for question in drawn} == {("C", "ibmsee_2023")}
        assert {question.gold for question in suite_sample(data, "mmlu_fa", 99, 1)} == {"B"}
        assert len(suite_sample(data, "mmlu_fa", 99, 1)) == 5

    def test_free_questions_are_the_consultations_in_plain_wording(self) -> None:
        rows = [
            {"kind": "consultation", "user": CHAIN},
            {"kind": "consultation", "user": ASKED},
            {"kind": "explained", "user": small.QUESTIONS[2]},
        ]
        assert held_out_questions(rows, 9, 1) == [Question(text=ASKED)], "once, and without what asks for thinking"


def test_the_whole_measurement_runs_and_can_be_printed(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = toy_run(tmp_path)
    monkeypatch.setenv("GAOKERENA_DATA", str(folder / "data"))
    short = Sampling(temperature=0.5, max_new_tokens=8)
    monkeypatch.setattr(measuring, "PLANS", {"mini": dataclasses.replace(PLANS["mini"], straight=short, cot=short)})
    found = measure(models, folder / "run", 2)
    assert found == measure(models, folder / "run", 2), "the same seed, the same figures"
    assert set(found["revisions"]) == {"base", "v", "r"}
    assert set(found["bits_per_character"]) == {"consultation", "explained"}
    for model in ("base", "v", "r"):
        assert {name: figure["n"] for name, figure in found["suites"][model].items()} == {
            "mmlu_fa": 2, "ibmsee_2023": 2, "kopp_larger": 2,
        }  # fmt: skip
        habits = found["behaviour"][model]
        assert habits["ends_by_itself"]["n"] == 8, "two free questions and two of each suite"
        assert habits["ends_by_itself"]["value"] == 0.0, "the tiny model talks until it is cut"
        assert habits["chooses_exactly_one_option"]["n"] == 6
    assert found["rewards"]["accuracy"]["n"] == 2
    assert "IBMSEE 2023" in as_text(found)
    assert read_json(models / "v" / "adapter_config.json"), "measuring changes nothing in the models"
