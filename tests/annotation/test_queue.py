"""The order things are sent in: reasons and subjects get their shares, the seed decides the rest, nothing is lost."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.candidates import REASONS, Candidate, Reason
from annotation.queue import SHARES, ordered
from annotation.reasons import reasoned, uncertainty
from gaokerena.questions import Question
from tests.annotation.push_cases import pair_of, shown


def many() -> list[Candidate]:
    """300 candidates with no reason, 100 with each of two, 3 with a third."""
    plain = [pair_of(number) for number in range(300)]
    disagree = [pair_of(number, disagreement=1.0) for number in range(300, 400)]
    flagged = [pair_of(number, red_flag=0.5) for number in range(400, 500)]
    return [*plain, *disagree, *flagged, *(pair_of(number, contested=1.0) for number in range(500, 503))]


def brought(picks: int, seed: int = 1) -> Counter[str]:
    return Counter(pick.reasons[0] for pick in islice(ordered(many(), seed=seed), picks))


def test_each_reason_gets_its_share_while_it_lasts() -> None:
    counts = brought(110)
    assert counts["contested"] == 3
    assert counts["disagreement"] > counts["red_flag"] > 20
    assert abs(counts["disagreement"] / counts["red_flag"] - SHARES["disagreement"] / SHARES["red_flag"]) < 0.2
    assert abs(counts["random"] - counts["red_flag"]) <= 1


def test_a_reason_with_many_does_not_starve_one_with_few() -> None:
    crowd = [pair_of(number, disagreement=1.0) for number in range(500)]
    few = [pair_of(number, contested=0.6) for number in range(500, 505)]
    first = list(islice(ordered([*crowd, *few], seed=3), 40))
    assert sum(pick.reasons[0] == "contested" for pick in first) == 5


def test_subjects_take_turns_within_a_reason() -> None:
    heart = [_with_subject(pair_of(number, red_flag=1.0), "heart") for number in range(200)]
    eyes = [_with_subject(pair_of(number, red_flag=0.5), "eyes") for number in range(200, 220)]
    picks = islice(ordered([*heart, *eyes], seed=1, shares={"red_flag": 1.0}), 20)
    assert Counter(pick.candidate.subject for pick in picks) == {"heart": 10, "eyes": 10}


def _with_subject(candidate: Candidate, subject: str) -> Candidate:
    return replace(candidate, question=candidate.question.model_copy(update={"subject": subject}))


def test_the_strongest_come_first() -> None:
    levels = [0.2, 0.9, 0.5, 0.7]
    candidates = [_with_subject(pair_of(number, uncertain=level), "x") for number, level in enumerate(levels)]
    picks = ordered(candidates, seed=1, shares={"uncertain": 1.0})
    assert [pick.candidate.reasons["uncertain"] for pick in picks] == [0.9, 0.7, 0.5, 0.2]


def test_all_reasons_are_told_the_one_that_brought_it_first() -> None:
    candidate = pair_of(1, disagreement=1.0, red_flag=0.5)
    [pick] = ordered([candidate], seed=1, shares={"red_flag": 1.0})
    assert pick.reasons == ("red_flag", "disagreement")


def test_the_seed_and_the_content_decide_not_the_order_of_the_files() -> None:
    shuffled = many()
    random.Random(5).shuffle(shuffled)
    first = [pick.candidate for pick in islice(ordered(many(), seed=1), 60)]
    assert [pick.candidate for pick in islice(ordered(shuffled, seed=1), 60)] == first
    assert [pick.candidate for pick in islice(ordered(many(), seed=2), 60)] != first


@given(st.lists(st.dictionaries(st.sampled_from(REASONS[:-1]), st.floats(0.01, 1)), max_size=30), st.integers(0, 40))
@settings(deadline=None)
def test_everything_comes_once_and_the_first_are_the_first(held: list[dict[Reason, float]], count: int) -> None:
    candidates = [pair_of(number, **strengths) for number, strengths in enumerate(held)]
    everything = list(ordered(candidates, seed=1))
    assert sorted(pick.candidate.comparison_id or "" for pick in everything) == sorted(
        f"c{n}" for n in range(len(held))
    )
    assert list(islice(ordered(candidates, seed=1), count)) == everything[:count]
    for pick in everything:
        assert {*pick.reasons} - {"random"} == set(pick.candidate.reasons)


def test_what_content_tells_becomes_a_reason() -> None:
    asked = Question(text="قفسه سینه‌ام درد می‌کند و به دست چپم می‌زند")
    base = replace(pair_of(1), question=asked)
    told = replace(base, first=shown("استراحت کنید.", choice="A"), second=shown("چای بنوشید.", choice="B"))
    assert reasoned(told, {}).reasons == {"disagreement": 1.0, "red_flag": 1.0}
    assert reasoned(told, {}).red_flags == ("cardiac",)
    urgent = replace(told, first=shown("با ۱۱۵ تماس بگیرید."), second=shown("همین حالا به اورژانس بروید."))
    assert reasoned(urgent, {}).reasons == {"red_flag": 0.5}


def test_a_letter_beside_no_letter_is_no_disagreement() -> None:
    silent = replace(pair_of(1), first=shown("یک", choice="A"), second=shown("دو", choice=None))
    assert "disagreement" not in reasoned(silent, {}).reasons


def test_the_reward_is_uncertain_near_one_half() -> None:
    assert [round(uncertainty(value), 9) for value in (0.5, 0.4, 0.7, 0.1, 1.0)] == [1.0, 0.5, 0.0, 0.0, 0.0]
    assert reasoned(pair_of(4), {"c4": 0.45}).reasons == {"uncertain": uncertainty(0.45)}
    assert reasoned(pair_of(4), {"c5": 0.5}).reasons == {}
