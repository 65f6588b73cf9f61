"""Questions, answers, comparisons and verdicts: what they accept, and the fair draw of the seats."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gaokerena.answers import Answer, Usage
from gaokerena.comparisons import CHOICES, REASONS, SCHEMA_VERSION, SIDES, Comparison, Verdict, new_id, now, seat
from gaokerena.prompts import asked, user_text
from gaokerena.questions import LETTERS, Question

OPTIONS = ("یک", "دو", "سه", "چهار")
CHOICE = Question(text="کدام اندام انسولین می‌سازد؟", options=("کبد", "لوزالمعده", "طحال", "کلیه"), gold="B")
ANSWER = {
    "question_id": "q",
    "model": "v",
    "prompting": "straight",
    "text": "پاسخ",
    "finish_reason": "stop",
    "seed": 1,
    "seconds": 0.5,
}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "  \n"}, "a question needs a text"),
        ({"text": "چرا؟", "options": ("یک", "دو")}, "no options or four, not 2"),
        ({"text": "چرا؟", "options": (*OPTIONS[:3], " ")}, "an option is empty"),
        ({"text": "چرا؟", "gold": "A"}, "gold letter A without options"),
        ({"text": "چرا؟", "options": OPTIONS, "gold": "E"}, "gold"),
        ({"text": "چرا؟", "colour": "red"}, "colour"),
    ],
)
def test_a_question_that_is_none_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Question.model_validate(fields)


def test_a_question_keeps_its_id_in_every_spelling() -> None:
    spelled = Question(text="كدام  اندام انسولين مي‌سازد", options=("کبد", "لوزالمعده", "طحال ", "كليه"))
    assert spelled.id == CHOICE.id
    assert len(CHOICE.id) == 16
    assert int(CHOICE.id, 16) >= 0


def test_the_id_is_fixed_for_ever() -> None:
    """Stored rows are joined by it: a change of `normalize_for_key` that moves it needs a migration."""
    assert Question(text="تب چیست؟").id == "493bb9d2630c97e3"
    assert CHOICE.id == "ab11ba1f7b74f931"


def test_what_makes_another_question_makes_another_id() -> None:
    others = [
        CHOICE.model_copy(update={"text": "کدام اندام صفرا می‌سازد؟"}),
        CHOICE.model_copy(update={"options": ("لوزالمعده", "کبد", "طحال", "کلیه")}),
        CHOICE.model_copy(update={"options": (), "gold": None}),
        Question(text="کدام اندام انسولین می‌سازد؟ کبد", options=("لوزالمعده", "طحال", "کلیه", "کبد")),
    ]
    assert len({CHOICE.id, *(other.id for other in others)}) == 5
    facts = {"gold": "C", "suite": "s", "subject": "t"}
    assert CHOICE.model_copy(update=facts).id == CHOICE.id  # the key is what is asked, not what is known of it


@given(text=st.text(st.sampled_from("ابپ چ\n1۲.؟?A[]")).filter(str.strip))
def test_every_question_that_can_be_asked_has_an_id_and_is_found_in_its_turn(text: str) -> None:
    free, choice = Question(text=text), Question(text=text, options=OPTIONS)
    assert free.id != choice.id
    for question in (free, choice):
        for prompting in ("straight", "cot"):
            found, options = asked(user_text(question, prompting))
            assert Question(text=found, options=options).id == question.id


def test_another_wording_is_one_long_question() -> None:
    assert asked("به این پاسخ بده:\nتب چیست؟") == ("به این پاسخ بده:\nتب چیست؟", ())
    assert asked("تب\n[B] دو\n[C] سه\n[D] چهار") == ("تب\n[B] دو\n[C] سه\n[D] چهار", ())
    assert asked("") == ("", ())


def test_values_cannot_be_changed() -> None:
    for value, name in ((CHOICE, "text"), (Answer.model_validate(ANSWER), "text"), (Usage(), "prompt_tokens")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, name, "دیگر")


@pytest.mark.parametrize(
    "change", [{"seconds": -1}, {"finish_reason": "done"}, {"choice": "E"}, {"prompting": "thinking"}, {"extra": 1}]
)
def test_an_answer_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        Answer.model_validate({**ANSWER, **change})


def test_tokens_are_never_below_zero() -> None:
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        with pytest.raises(ValidationError, match=name):
            Usage.model_validate({name: -1})


def test_values_survive_json() -> None:
    answer = Answer.model_validate({**ANSWER, "steps": ("یک", "دو"), "choice": "A", "usage": Usage(prompt_tokens=3)})
    comparison = Comparison(question=CHOICE, left="v", right="r", seed=1, answers={"right": answer}, consent=True)
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison
    verdict = Verdict(comparison_id=comparison.id, choice="tie", session="s", reasons=("unsafe", "unclear"))
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert verdict.schema_version == SCHEMA_VERSION


def test_a_seat_follows_from_its_seed_and_comparison() -> None:
    assert {seat(("v", "r"), 7, "abc") for _ in range(5)} == {seat(("v", "r"), 7, "abc")}
    drawn = [seat(("v", "r"), seed, f"c{seed}") for seed in range(40)]
    assert set(drawn) == {("v", "r"), ("r", "v")}


def test_seats_are_fair_over_seeds_and_over_comparisons() -> None:
    for draws in (
        [seat(("v", "r"), seed, "same") for seed in range(4000)],
        [seat(("v", "r"), 1, f"comparison-{number}") for number in range(4000)],
    ):
        left = Counter(found[0] for found in draws)["v"]
        assert abs(left - 2000) < 4 * 31.7  # four standard deviations of 4,000 fair coins


def test_a_comparison_names_the_model_of_each_side() -> None:
    comparison = Comparison(question=CHOICE, left="v", right="r", seed=1)
    assert [comparison.model_at(side) for side in SIDES] == ["v", "r"]
    assert comparison.blind
    assert not comparison.consent


@pytest.mark.parametrize(
    "change", [{"choice": "both"}, {"strength": 0}, {"strength": 4}, {"reasons": ("ugly",)}, {"judge": "me"}]
)
def test_a_verdict_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    fields = {"comparison_id": "c", "choice": "left", "session": "s"}
    Verdict.model_validate(fields)
    with pytest.raises(ValidationError, match=next(iter(change))):
        Verdict.model_validate({**fields, **change})


def test_every_choice_and_reason_named_can_be_given() -> None:
    for choice in CHOICES:
        assert Verdict(comparison_id="c", choice=choice, session="s", reasons=REASONS).choice == choice
    assert LETTERS == ("A", "B", "C", "D")


def test_ids_differ_and_times_are_utc_with_milliseconds() -> None:
    assert len({new_id() for _ in range(100)}) == 100
    moment = datetime.fromisoformat(now())
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert len(now()) == len("2026-01-01T00:00:00.000+00:00")
