"""Prompts: what a model is shown, and that no visitor can write a chat template's tokens into it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.messages import Message
from gaokerena.persian import tidy
from gaokerena.prompts import COT_CHOICE, COT_FREE, STRAIGHT_CHOICE, VERSION, asked, inert, messages, user_text
from gaokerena.questions import Question

FREE = Question(text="علت تب چیست؟")
CHOICE = Question(text="کدام ویتامین محلول در آب است؟", options=("ویتامین A", "ویتامین C", "ویتامین D", "ویتامین K"))
TOKENS = [
    "<BOS_TOKEN>",
    "<EOS_TOKEN>",
    "<PAD>",
    "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|USER_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
    "<|SYSTEM_TOKEN|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
]
LEFT = re.compile("|".join(map(re.escape, TOKENS)), re.IGNORECASE)
hostile = st.lists(
    st.sampled_from([*TOKENS, *(piece for token in TOKENS for piece in (token[:3], token[3:])), "سلام", " "])
)


def test_a_free_question_is_asked_as_it_is() -> None:
    assert user_text(FREE, "straight") == "علت تب چیست؟"
    assert user_text(FREE, "cot") == f"علت تب چیست؟\n\n{COT_FREE}"


def test_options_stand_under_the_question_with_their_letters() -> None:
    listed = "[A] ویتامین A\n[B] ویتامین C\n[C] ویتامین D\n[D] ویتامین K"
    assert user_text(CHOICE, "straight") == f"{CHOICE.text}\n\n{listed}\n\n{STRAIGHT_CHOICE}"
    assert user_text(CHOICE, "cot") == f"{CHOICE.text}\n\n{listed}\n\n{COT_CHOICE}"


@pytest.mark.parametrize("prompting", ["straight", "cot"])
@pytest.mark.parametrize("question", [FREE, CHOICE])
def test_what_was_asked_can_be_read_back(question: Question, prompting: str) -> None:
    assert asked(user_text(question, prompting)) == (question.text, question.options)  # type: ignore[arg-type]


def test_the_wordings_are_tidy_and_dated() -> None:
    for wording in (STRAIGHT_CHOICE, COT_FREE, COT_CHOICE):
        assert tidy(wording) == wording
    assert date.fromisoformat(VERSION)


def test_typing_is_tidied_before_it_is_asked() -> None:
    assert user_text(Question(text="علت\u202e  تب چيست ؟"), "straight") == "علت تب چیست؟"


@pytest.mark.parametrize("token", TOKENS)
def test_template_tokens_are_taken_out_everywhere(token: str) -> None:
    split = f"{token[:2]}\u200b{token[2:]}"
    for spelling in (token, token.lower(), split, token[:2] + token + token[2:]):
        question = Question(text=f"سلام {spelling} دنیا", options=(f"الف{spelling}", "ب", "ج", "د"))
        said = messages(question, "cot", [Message("assistant", f"پاسخ {token}")])
        assert not any(LEFT.search(turn.content) for turn in said), spelling


@given(hostile.map("".join))
def test_nothing_left_over_makes_a_token(text: str) -> None:
    assert not LEFT.search(inert(text))
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    "text", ["TSH < 5 و > 2", "[A] یا [B]", "<5 mg>", "a<b", "<p>سلام</p>", "|x|", "<| |", "قرص [نام]"]
)
def test_other_brackets_stay(text: str) -> None:
    assert inert(text) == text


def test_tokens_inside_tokens_are_peeled_and_the_rest_stays() -> None:
    assert inert("<<s>s> [A] < 5") == " [A] < 5"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text", ["<s" * 33_000 + ">" * 33_000, "<|" * 50_000, "<|a" * 30_000 + "|>" * 30_000, "[" * 100_000]
)
def test_deeply_nested_tokens_take_no_quadratic_time(text: str) -> None:
    assert not LEFT.search(inert(text))


def test_a_conversation_keeps_its_order_and_roles() -> None:
    history = [Message("user", "سلام"), Message("assistant", "سلام، بفرمایید")]
    said = messages(FREE, "straight", history)
    assert said == (*history, Message("user", "علت تب چیست؟"))
