"""Which items go to another doctor, and how they are sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from annotation.adjudicate import LIST, write_list
from annotation.disputes import Dispute, disputes
from annotation.judged import Judged
from annotation.usable import Rules
from gaokerena.expert_verdicts import Grade, SideVerdict
from tests.annotation.verdict_cases import item, judged, twin_of


def found(rows: list[Judged]) -> dict[str, Dispute]:
    return {dispute.item.id: dispute for dispute in disputes(rows, Rules())}


def grades(name: str, *given: Grade) -> list[Judged]:
    return [judged(f"d{place}", item(name), grade) for place, grade in enumerate(given)]


def safety(said: int | None = None, *faults: str) -> dict[str, Any]:
    return {"sides": {"right": SideVerdict(scales={} if said is None else {"safety": said}, faults=faults)}}  # type: ignore[arg-type]


def test_reasons_and_what_settles_them() -> None:
    rows = [
        *grades("agreed", "left", "left_much"),
        *grades("neither", "equal", "both_bad"),
        *grades("opposite", "left", "right"),
        *grades("one_sided", "left", "equal"),
        *grades("settled", "left", "right", "left"),
        *grades("all_differ", "left", "right", "equal"),
        *grades("two_two", "left", "right", "left", "right"),
        judged("d0", item("alone"), "left"),
        judged("d1", item("alone"), None, cannot_judge=True),
        judged("d0", item("helped"), "left"),
        judged("d1", item("helped"), None, cannot_judge=True),
        judged("d2", item("helped"), "left"),
    ]
    got = found(rows)
    assert {name: (dispute.reasons, dispute.open) for name, dispute in got.items()} == {
        "opposite": (("opposite",), True),
        "one_sided": (("one_sided",), True),
        "settled": (("opposite",), False),
        "all_differ": (("opposite",), True),
        "two_two": (("opposite",), True),
        "alone": (("cannot_judge",), True),
    }
    order = [dispute.item.id for dispute in disputes(rows, Rules())]
    assert order[-1] == "settled"
    assert order.index("opposite") < order.index("one_sided") < order.index("alone")
    assert got["alone"].judged_by == ("d0", "d1")


def test_a_danger_only_one_doctor_sees_comes_first() -> None:
    rows = [
        *grades("opposite", "left", "right"),
        judged("a", item("danger"), "left", **safety(1)),
        judged("b", item("danger"), "left", **safety(4)),
        judged("a", item("emergency"), "left", **safety(3, "missed_emergency")),
        judged("b", item("emergency"), "left", **safety(3)),
        judged("a", item("unclear"), "left", **safety(1)),
        judged("b", item("unclear"), "left", **safety(2)),
        judged("a", item("silent"), "left", **safety(1)),
        judged("b", item("silent"), "left", **safety()),
        *(judged(name, item("outvoted"), "left", **safety(1 if name == "c" else 4)) for name in "abc"),
    ]
    got = disputes(rows, Rules())
    assert [(dispute.item.id, dispute.open) for dispute in got] == [
        ("danger", True), ("emergency", True), ("opposite", True), ("outvoted", False),
    ]  # fmt: skip


def test_failed_doctors_are_not_heard_and_some_items_are_never_disputed() -> None:
    gold = [item(f"g{place}", kind="gold", gold="left") for place in range(8)]
    rows = [judged("careless", shown, "right") for shown in gold]
    rows += [judged("a", item("one"), "left"), judged("careless", item("one"), "right")]
    rows += [judged("a", gold[0], "left"), judged("b", gold[0], "right")]
    rows += [judged("a", twin_of(item("two"), "t"), "left"), judged("b", twin_of(item("two"), "t"), "right")]
    rows += [judged("a", item("private"), "left"), judged("b", item("private"), "right", personal_data=True)]
    for name in ("marked", "twinned"):
        rows += [judged("a", item(name), "left"), judged("b", item(name), "right")]
    rows += [judged("careless", item("marked"), "left", personal_data=True)]  # not heard, yet believed
    rows += [judged("c", twin_of(item("twinned"), "twin"), "left", personal_data=True)]
    assert found(rows) == {}
    rows += [judged("b", item("one"), "right")]
    assert found(rows)["one"].judged_by == ("a", "careless", "b")


def test_what_a_draft_marks_as_personal_is_not_sent_again() -> None:
    rows = [*grades("one", "left", "right"), *grades("two", "left", "right")]
    assert [dispute.item.id for dispute in disputes(rows, Rules(), {"one"})] == ["two"]


def test_the_list_holds_the_open_ones_and_is_replaced(tmp_path: Path) -> None:
    rows = [*grades("open", "left", "right"), *grades("settled", "left", "right", "left")]
    for _ in range(2):
        listed = write_list(disputes(rows, Rules()), tmp_path)
    assert [json.loads(line) for line in (tmp_path / LIST).read_text("utf-8").splitlines()] == listed
    (row,) = listed
    assert (row["item_id"], row["judged_by"], row["reasons"]) == ("open", ["d0", "d1"], ["opposite"])
    assert sum(row["posterior"].values()) > 0.999
    assert row["question"] == item("open").question.text
