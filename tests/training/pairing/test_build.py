"""Building pairs: every pair accounted for, split by question, idempotent; whom balancing and prompts touch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gaokerena.prompts import COT_CHOICE, COT_FREE, VERSION, user_text
from gaokerena.questions import Prompting, Question
from tests.training.pairing.samples import OPTIONS, exchangeable, pair, planted, taught, turn
from training.decontaminate import Reference
from training.pair_rows import PairRow, Source
from training.pairing.build import build
from training.pairing.built import Built, Options
from training.pairing.duplicates import question_groups


def built(rows: list[PairRow], references: Reference | None = None, **options: Any) -> Built:
    found = Built()
    for row in rows:
        found.take(row)
    build(found, Options(**options), references)
    return found


def texts(rows: list[PairRow]) -> list[dict[str, Any]]:
    return [row.row() for row in rows]


class TestBuild:
    def test_a_teachers_pairs_come_out_in_one_case_and_one_hand(self) -> None:
        found = built(taught(60), held_out_per_mille=0)
        assert len(found.train) == 60
        assert found.changed == {"teacher_correction: letter case": 60, "teacher_correction: one hand": 60}
        for row in found.train:
            assert "MRI" in row.better
            assert row.better[:-20] == row.worse[:-20]
            assert row.provenance["repairs"] == ["letter case", "one hand"]

    def test_pairs_that_one_hand_makes_equal_are_one(self) -> None:
        first = taught(1)[0]
        longer = "فشار خون در این سن مهم‌تر از هر چیز دیگری است و کلیه را هم باید دید."
        second = pair(
            "other", first.better, f"{longer} {first.worse}", asked=first.asked.partition("\n")[0], gold="A",
            source="teacher_correction",
        )  # fmt: skip
        second = second.model_copy(update={"provenance": first.provenance})
        found = built([first, second], held_out_per_mille=0, balance=False)
        assert len(found.train) == 1
        assert not built(found.train, held_out_per_mille=0, balance=False).dropped.total()

    def test_a_fresh_teachers_pairs_keep_the_students_text(self) -> None:
        rows = [row.model_copy(update={"provenance": {"set": "rlaif", "gold": "A"}}) for row in taught(1)]
        rows = [row.model_copy(update={"id": "fresh"}) for row in rows]
        found = built(rows, held_out_per_mille=0, balance=False)
        assert [row.worse for row in found.train] == [row.worse for row in rows]

    def test_only_the_published_pairs_get_another_letter_case(self) -> None:
        text = (
            "بیمار چند ماه است که تب و درد دارد و یافته‌های HbA1c و MRI و نشانه‌های بیماری Wegener در او دیده شده است؛ "
            "پس باید {} را نیز با دقت سنجید. بنابراین گزینهٔ [{}] درست است."
        )
        doctors = pair("e", text.format("کلیه", "A"), text.format("کبد", "B"), asked="پرسشی دربارهٔ رگ‌ها چیست؟")
        fresh = pair(
            "f", text.format("قلب", "A"), text.format("ریه", "B"), gold="A", source="teacher_correction",
            asked="پرسشی دربارهٔ معده چیست؟",
        )  # fmt: skip
        found = built([doctors, fresh], hands="two", held_out_per_mille=0)
        assert [(row.better, row.worse) for row in found.train] == [(r.better, r.worse) for r in (doctors, fresh)]
        assert not found.changed.total()

    def test_two_hands_keep_the_students_text(self) -> None:
        found = built(taught(60), hands="two", held_out_per_mille=0)
        assert all("پس پاسخ" in row.worse for row in found.train)

    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 10**6), st.integers(0, 300))
    def test_built_from_its_own_output_a_set_stays_as_it_is(self, seed: int, per_mille: int) -> None:
        first = built([*taught(20), *exchangeable(30, seed)], held_out_per_mille=per_mille)
        again = built(first.train, held_out_per_mille=per_mille)
        assert texts(again.train) == texts(first.train)
        assert not again.dropped.total()
        assert not again.held_out

    def test_every_pair_is_kept_or_counted_by_source_and_reason(self) -> None:
        rows = taught(12)
        rows += [rows[0].model_copy(update={"id": "twice"}), pair("short", "بله", "نه"), *exchangeable(5, seed=1)]
        references = Reference()
        references.add("kopp_larger", ["شماره 3: بیمار 3 سال دارد و در MRI ضایعهٔ 3"])
        found = built(rows, references, held_out_per_mille=0)
        assert found.came == {"teacher_correction": 13, "expert": 6}
        dropped = {reason: count for reason, count in found.dropped.items() if "balancing" not in reason}
        assert dropped == {
            "teacher_correction: duplicate": 1,
            "teacher_correction: shares_8_gram_with_kopp_larger": 1,
            "expert: chosen: short": 1,
        }
        assert len(found.train) + found.dropped.total() == 19

    def test_a_doctors_verdict_beats_a_judges_whatever_file_comes_first(self) -> None:
        expert = exchangeable(1, seed=1)[0]
        other = {"chosen": expert.rejected, "rejected": expert.chosen, "source": "judge"}
        judged = [expert.model_copy(update=other | {"id": f"j{n}"}) for n in range(3)]
        for rows in ([expert, *judged], [*judged, expert]):
            found = built(rows, held_out_per_mille=0)
            assert found.train == [expert]
            assert found.dropped == {"judge: contradicts a better source": 3}

    def test_near_questions_lie_on_one_side_of_the_split(self) -> None:
        rows = exchangeable(60, seed=3)
        near = [
            row.model_copy(
                update={
                    "id": f"{row.id}-near",
                    "prompt": (row.prompt[0].model_copy(update={"content": row.asked.replace("چیست", "کدام است")}),),
                    "rejected": rows[(place + 1) % 60].rejected,
                }
            )
            for place, row in enumerate(rows)
        ]
        found = built([*rows, *near], held_out_per_mille=300)
        assert found.held_out
        assert found.train
        group = question_groups([*found.train, *found.held_out])
        assert not set(group[: len(found.train)]) & set(group[len(found.train) :])

    def test_balancing_can_be_left_out(self) -> None:
        rows = planted(exchangeable(40, seed=5, source="judge"), "length")
        assert len(built(rows, held_out_per_mille=0, balance=False).train) == 40
        found = built(rows, held_out_per_mille=0)
        assert len(found.train) < 20
        assert {reason.partition(":")[2][:17] for reason in found.dropped} == {" balancing length"}

    @pytest.mark.parametrize("source", ["expert", "public"])
    def test_what_people_said_is_balanced_only_when_asked(self, source: Source) -> None:
        people = planted(exchangeable(40, seed=5, source=source), "length")
        models = planted(exchangeable(40, seed=6, source="judge"), "length")
        found = built([*people, *models], held_out_per_mille=0)
        assert [row for row in found.train if row.source == source] == people, "not a verdict is left out"
        assert (
            set(found.dropped) == {reason for reason in found.dropped if reason.startswith("judge: balancing")} != set()
        )
        asked = built([*people, *models], held_out_per_mille=0, balance=False, balance_people=True)
        assert sum(row.source == "judge" for row in asked.train) == 40
        assert sum(row.source == source for row in asked.train) < 20

    def test_as_is_nothing_changes(self) -> None:
        rows = [*taught(3), pair("short", "بله", "نه")]
        assert built(rows, as_is=True).train == rows
        with pytest.raises(ValidationError, match="as_is changes nothing"):
            Options(as_is=True, prompting="cot")


class TestPrompting:
    """An export asks each pair as its winner was asked; a build asks them all with one prompt."""

    @staticmethod
    def exported(count: int) -> list[PairRow]:
        rows = []
        for place, row in enumerate(exchangeable(count, seed=7)):
            question = Question(text=row.asked.partition("\n")[0])
            asked = user_text(question, "straight" if place % 2 else "cot")
            told = {"prompt": (turn("user", asked),), "provenance": {"prompts": VERSION}}
            rows.append(row.model_copy(update=told))
        return rows

    @pytest.mark.parametrize("prompting", ["straight", "cot"])
    def test_every_pair_of_ours_is_asked_with_one_prompt(self, prompting: Prompting) -> None:
        rows = self.exported(10)
        assert len({row.asked.endswith(COT_FREE) for row in rows}) == 2
        found = built(rows, prompting=prompting, held_out_per_mille=0)
        assert {row.asked.endswith(COT_FREE) for row in found.train} == {prompting == "cot"}
        assert +found.changed == {f"expert: asked with {prompting}": 5}
        assert sum(row.provenance.get("asked_anew") == prompting for row in found.train) == 5
        assert not found.other_wording.total()
        assert built(found.train, prompting=prompting, held_out_per_mille=0).train == found.train

    def test_told_by_their_wording_alone_they_can_be_asked_to_and_fro(self) -> None:
        rows = [row.model_copy(update={"provenance": {}}) for row in self.exported(10)[::2]]
        straight = built(rows, prompting="straight", held_out_per_mille=0)
        assert not straight.other_wording.total()
        back = built(straight.train, prompting="cot", held_out_per_mille=0)
        assert [row.asked for row in back.train] == [row.asked for row in rows]

    def test_as_is_leaves_the_prompts(self) -> None:
        rows = self.exported(6)
        assert built(rows, held_out_per_mille=0).train == rows

    def test_pairs_of_rlaif_and_of_a_judge_are_ours_and_another_wording_is_counted(self) -> None:
        one, two, other = self.exported(3)
        fresh = one.model_copy(update={"provenance": {"prompts": {"student": "x", "question": VERSION}}})
        options = user_text(Question(text="پرسش دیگری دربارهٔ کبد", options=OPTIONS), "straight")
        judged = two.model_copy(update={"prompt": (turn("user", options),), "provenance": {"prompts": {"judge": "x"}}})
        strange = other.model_copy(update={"prompt": (turn("user", "Answer in Persian: تب دارم"),), "provenance": {}})
        found = built([fresh, judged, strange], prompting="cot", held_out_per_mille=0)
        asked = [row.asked for row in found.train]
        assert asked[0].endswith(COT_FREE)
        assert asked[1].endswith(COT_CHOICE)
        assert asked[2] == strange.asked
        assert found.other_wording == {"expert": 1}
