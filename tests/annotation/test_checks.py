"""A doctor against himself and against gold, and which verdicts are then refused."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from annotation.checks import Checked, checks
from annotation.items import Item
from annotation.judged import Judged
from annotation.usable import Rules, failed, sort_out
from gaokerena.expert_verdicts import Grade
from tests.annotation.verdict_cases import confusion, item, judged, simulated, twin_of


def only(rows: list[Judged]) -> Checked:
    (found,) = checks(rows)
    return found


def test_a_swapped_duplicate_expects_the_mirror() -> None:
    pairs: list[tuple[Grade, Grade]] = [
        ("left_much", "right_much"),  # the very mirror
        ("left_much", "right"),  # same side, other strength
        ("left", "left"),  # the same seat: contradicts itself
        ("equal", "both_bad"),  # neither, both times
        ("both_bad", "both_bad"),
    ]
    rows = []
    for place, (first, again) in enumerate(pairs):
        shown = item(f"i{place}")
        rows += [judged("a", shown, first, 2 * place), judged("a", twin_of(shown, f"t{place}"), again, 2 * place + 1)]
    found = only(rows).consistency
    assert (found.right, found.exact, found.of) == (4, 2, 5)
    assert found.interval
    theirs = binomtest(4, 5).proportion_ci(method="wilson")
    assert (found.interval.low, found.interval.high) == pytest.approx((theirs.low, theirs.high))


def test_a_duplicate_of_another_doctor_says_nothing() -> None:
    shown = item("one")
    rows = [judged("a", shown, "left"), judged("b", twin_of(shown, "two"), "left"), judged("a", item("three"), "left")]
    assert [doctor.consistency.of for doctor in checks(rows)] == [0, 0]
    assert only(rows[:1]).consistency.interval is None


def test_gold() -> None:
    def gold(name: str, grade: Grade) -> Item:
        return item(name, kind="gold", gold=grade)

    rows = [
        judged("a", gold("g0", "left_much"), "left_much"),
        judged("a", gold("g1", "left_much"), "left"),
        judged("a", gold("g2", "both_bad"), "equal"),
        judged("a", gold("g3", "right"), "left"),
        judged("a", gold("g4", "right"), "right", cannot_judge=True),
        judged("a", item("own"), "right"),
    ]
    assert (only(rows).gold.right, only(rows).gold.exact, only(rows).gold.of) == (3, 1, 4)


def test_side_bias_is_an_exact_sign_test() -> None:
    rows = [judged("a", item(f"i{n}"), "left" if n < 15 else "right_much") for n in range(20)]
    rows += [judged("a", item(f"e{n}"), "equal") for n in range(9)]
    found = only(rows).side
    assert (found.left, found.right) == (15, 5)
    assert found.p == pytest.approx(binomtest(15, 20).pvalue)
    assert found.p == pytest.approx(0.0414, abs=5e-5)  # Siegel, Nonparametric Statistics, table D: 2 * 0.021
    assert found.interval
    assert found.interval.estimate == 0.75


def test_speed_is_measured_or_estimated_from_gaps() -> None:
    minutes = [0, 1, 3, 3.5, 100]  # gaps of 60, 120, 30 s and a break
    rows = [judged("a", item(f"i{n}"), "left", minute) for n, minute in enumerate(minutes)]
    found = only(rows).speed
    assert (found.seconds, found.of, found.estimated) == (60, 3, True)
    measured = [judged("a", item(f"m{n}"), "left", seconds=40.0 + n) for n in range(3)]
    found = only(measured).speed
    assert (found.seconds, found.of, found.estimated) == (41, 3, False)
    assert only(rows[:1]).speed.seconds is None


def test_known_doctors_are_told_apart() -> None:
    rows, _ = simulated({"good": confusion(0.95), "random": confusion(1 / 3)}, 120, seed=5, gold=40, duplicates=60)
    found = {doctor.judge: doctor for doctor in checks(rows)}
    for name, accuracy in (("good", 0.95), ("random", 1 / 3)):
        interval = found[name].gold.interval
        assert interval
        assert interval.low <= accuracy <= interval.high
    # A doctor right with probability p, else wrong either way alike, agrees with himself p^2 + (1-p)^2 / 2 of the time.
    for name, again in (("good", 0.95**2 + 0.05**2 / 2), ("random", 1 / 3)):
        interval = found[name].consistency.interval
        assert interval
        assert interval.low <= again <= interval.high
    assert failed(rows, Rules()) == {"random": "doctor_failed_gold"}
    assert failed([row for row in rows if row.item.kind != "gold"], Rules()) == {"random": "doctor_failed_duplicates"}
    assert failed(rows, Rules(min_checks=100)) == {}


def test_every_reason_of_refusal() -> None:
    shown, private, torn = item("one"), item("private"), item("torn")
    gold, again = item("gold", kind="gold", gold="left"), twin_of(torn, "again")
    rows = [
        judged("a", shown, "left"),
        judged("b", shown, "left", confidence=1),
        judged("c", shown, "left", confidence=2),
        judged("d", shown, None, cannot_judge=True),
        judged("a", private, "left"),
        judged("b", private, "right", personal_data=True),
        judged("a", gold, "left"),
        judged("a", torn, "left"),
        judged("a", again, "left"),
        judged("b", torn, "left"),
        judged("b", again, "right_much"),
    ]
    kept, refused = sort_out(rows, Rules())
    assert [(row.judge, row.item.id) for row in kept] == [("a", "one"), ("c", "one"), ("b", "torn")]
    assert [(row.judge, row.item.id, reason) for row, reason in refused] == [
        ("b", "one", "low_confidence"),
        ("d", "one", "cannot_judge"),
        ("a", "private", "personal_data"),
        ("b", "private", "personal_data"),
        ("a", "gold", "gold"),
        ("a", "torn", "contradicted_by_duplicate"),
        ("a", "again", "duplicate"),
        ("b", "again", "duplicate"),
    ]
    assert sort_out(rows, Rules(min_confidence=1))[0][1].verdict.confidence == 1


def test_personal_data_seen_in_a_duplicate_counts_for_its_twin() -> None:
    shown = item("one")
    rows = [judged("a", shown, "left"), judged("b", twin_of(shown, "two"), "right", personal_data=True)]
    assert [reason for _, reason in sort_out(rows, Rules())[1]] == ["personal_data", "duplicate"]


def test_a_failed_doctor_gives_nothing() -> None:
    rows = []
    for place in range(5):
        gold = item(f"g{place}", kind="gold", gold="left")
        rows += [
            judged("a", gold, "left" if place < 2 else "right"),
            judged("b", gold, "left" if place < 1 else "right"),
        ]
    rows += [judged("a", item("one"), "left"), judged("b", item("one"), "left")]
    kept, refused = sort_out(rows, Rules())
    assert [row.judge for row in kept] == ["a"]  # 2 of 5 is 0.12 to 0.77, 1 of 5 is 0.04 to 0.62
    assert ("b", "doctor_failed_gold") in [(row.judge, reason) for row, reason in refused]
