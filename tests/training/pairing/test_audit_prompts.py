"""A prompt that gives the winner away is found: features of the answers, taken together with the kind of the prompt."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaokerena.prompts import VERSION, user_text
from gaokerena.questions import Prompting, Question
from tests.training.pairing.samples import exchangeable, planted, turn
from training.pair_rows import PairRow, Turn
from training.pairing.audit import ONE_PROMPT, ONE_WORDING, audit
from training.pairing.page import facts
from training.pairing.prompt_kinds import OTHER, grouped, prompt_kinds
from training.pairing.questions import question_of
from training.round_asked import as_asked

LENGTH = "length: words, by the prompt's form"


def asked(row: PairRow, prompting: Prompting) -> PairRow:
    """The row under a prompt of ours, as `annotation export` writes it."""
    question = question_of(row)
    text = user_text(Question(text=question.text, options=question.options), prompting)
    return row.model_copy(update={"prompt": (turn("user", text),), "provenance": row.provenance | {"prompts": VERSION}})


def swapped(row: PairRow) -> PairRow:
    return row.model_copy(update={"chosen": row.rejected, "rejected": row.chosen})


def long(row: PairRow) -> PairRow:
    """With a chosen side of more than twice the words."""
    return row.model_copy(update={"chosen": (turn("assistant", " ".join([row.better] * 3)),)})


def verdicts(count: int = 120, seed: int = 31) -> list[PairRow]:
    """V against R, each preferred as often, each pair under its chosen side's prompt; only R writes at length."""
    rows = [long(row) for row in exchangeable(count, seed)]
    return [asked(row, "cot") if n % 2 else asked(swapped(row), "straight") for n, row in enumerate(rows)]


def plain(found: dict[str, Any]) -> dict[str, float]:
    return {cue["name"]: cue["accuracy"] for cue in found["families"] if not cue["by_prompt"]}


def test_a_prompt_that_tells_the_winner_fails_though_every_plain_family_is_even() -> None:
    found = audit(verdicts())
    assert all(accuracy < 0.6 for accuracy in plain(found).values()), plain(found)
    assert not found["passed"]
    assert LENGTH in found["failed"]
    assert all(name.endswith("by the prompt's form") for name in found["failed"]), found["failed"]
    assert ", by the prompt's form tells 100.00 % of the pairs apart (limit 60 %); so do " in found["reason"]
    assert found["reason"].endswith(ONE_PROMPT)
    cue = next(cue for cue in found["cues"] if cue["by_prompt"] and cue["family"] == "length")
    assert (cue["accuracy"], cue["wins"]) == (1.0, 1.0)
    assert sorted(cue["more_in"].split(", ")) == ["chosen where cot", "rejected where straight"]
    by_prompt = {cue["name"]: cue["accuracy"] for cue in found["families"] if cue["by_prompt"]}
    assert by_prompt["length, by the prompt's form"] == by_prompt["all together, by the prompt's form"] == 1
    assert found["prompts"] == {"cot": 60, "straight": 60}
    assert "Prompts are of several kinds: cot (60), straight (60)" in facts(found)


def test_the_same_pairs_asked_with_one_prompt_pass() -> None:
    found = audit(as_asked(verdicts(), "cot"))
    assert found["passed"], found["reason"]
    assert found["prompts"] == {}
    assert not any(cue["by_prompt"] for cue in (*found["families"], *found["cues"])), "nothing more is tried"


def test_a_cue_that_needs_no_prompt_is_named_as_what_it_is() -> None:
    rows = [long(row) for row in exchangeable(120, seed=32)]
    found = audit([asked(row, "cot" if n % 2 else "straight") for n, row in enumerate(rows)])
    assert "length: words" in found["failed"]
    assert LENGTH not in found["failed"], "the prompt adds nothing"
    assert "prompting" not in found["reason"]


def test_a_source_is_tried_by_the_prompts_form_as_well() -> None:
    others = [row.model_copy(update={"source": "judge"}) for row in exchangeable(400, seed=33)]
    found = audit([*(asked(row, "cot") for row in others), *verdicts(60)])
    assert f"{LENGTH}, in expert" in found["failed"]


def test_phrases_are_learned_for_each_kind_by_itself() -> None:
    rows = planted(exchangeable(120, seed=34), "opening words")
    mixed = [asked(row, "cot") if n % 2 else asked(swapped(row), "straight") for n, row in enumerate(rows)]
    found = audit(mixed)
    cue = next(cue for cue in found["cues"] if cue["name"] == "زنجیره افکار, by the prompt's form")
    assert cue["accuracy"] == 1
    assert all("زنجیره افکار" in example for example in cue["examples"])


class TestKinds:
    def test_prompts_of_ours_are_straight_or_cot_whatever_the_question(self) -> None:
        row = exchangeable(1, seed=1)[0]
        assert prompt_kinds([asked(row, "cot"), asked(row, "straight")]) == ["cot", "straight"]
        free = [turn("user", user_text(Question(text=f"پرسش {n}. چه کنم؟"), "straight")) for n in range(40)]
        rows = [_under(row, one).model_copy(update={"provenance": {"prompts": VERSION}}) for one in free]
        assert set(prompt_kinds(rows)) == {"straight"}, "what many askers end with is their question"

    def test_another_wording_is_what_many_questions_begin_or_end_with(self) -> None:
        row = exchangeable(1, seed=1)[0]
        rows = [_under(row, turn("user", f"به این پرسش پاسخ بده:\nپرسش {n}")) for n in range(40)]
        rows += [_under(row, turn("user", f"پرسش دیگر {n}؟ فقط پاسخ را بنویس.")) for n in range(40)]
        rows += [_under(row, turn("user", "آسم چیست؟ درمانش چیست؟"))]
        kinds = prompt_kinds(rows)
        assert (kinds[0], kinds[40], kinds[-1]) == (
            "begins «به این پرسش پاسخ بده:»",
            "ends «فقط پاسخ را بنویس.»",
            "straight",
        )
        assert len(set(kinds)) == 3
        options = "\n\n[A] یک\n[B] دو\n[C] سه\n[D] همهٔ موارد"
        rows = [_under(row, turn("user", f"گام به گام:\nپرسش {n}؟{options}")) for n in range(40)]
        assert set(prompt_kinds(rows)) == {"begins «گام به گام:»"}, "options are no wording"

    def test_a_system_turn_is_a_kind(self) -> None:
        row = asked(exchangeable(1, seed=1)[0], "cot")
        common, rare = turn("system", "کوتاه پاسخ بده."), turn("system", "یک بار.")
        rows = [_under(row, *row.prompt), *[_under(row, common, *row.prompt)] * 30, _under(row, rare, *row.prompt)]
        assert prompt_kinds(rows)[0] == "cot"
        assert prompt_kinds(rows)[1] == "cot, system turn «کوتاه پاسخ بده.»"
        assert prompt_kinds(rows)[-1] == "cot, system turn"

    def test_kinds_of_little_weight_are_one(self) -> None:
        kinds = ["cot"] * 50 + ["straight"] * 40 + ["a"] * 29 + ["b"] * 3
        groups = grouped(kinds, np.ones(122))
        assert {name: len(places) for name, places in groups.items()} == {"cot": 50, "straight": 40, OTHER: 32}
        assert sorted(np.concatenate(list(groups.values())).tolist()) == list(range(122))
        assert list(grouped(["cot"] * 9, np.ones(9))) == [OTHER], "one group: nothing is tried"

    def test_other_wordings_are_to_become_one(self) -> None:
        rows = [long(row) for row in exchangeable(120, seed=35)]
        mixed = [
            _under(row, turn("user", f"پرسش {n}؟\nکوتاه بنویس."))
            if n % 2
            else _under(swapped(row), turn("user", f"پرسش {n}؟\nبلند بنویس."))
            for n, row in enumerate(rows)
        ]
        found = audit(mixed)
        assert LENGTH in found["failed"]
        assert found["reason"].endswith(ONE_WORDING)


def _under(row: PairRow, *turns: Turn) -> PairRow:
    return row.model_copy(update={"prompt": turns})
