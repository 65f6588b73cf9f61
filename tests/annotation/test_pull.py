"""Pulling: every change once, by whom it was, and what cannot be read named."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from annotation.client import ArgillaError, BrokenError, MissingError
from annotation.page.answers import to_values
from annotation.pull import pull
from annotation.responses import ScanError
from annotation.users import Pseudonyms
from annotation.workspace import FILES, stand
from gaokerena.expert_verdicts import ExpertVerdict, SideVerdict, read
from tests.annotation.argilla_double import DATASET, LEFT, RIGHT, Double, held, lines, run, truth
from tests.annotation.verdict_cases import verdict


def test_a_verdict_as_it_was_given(tmp_path: Path) -> None:
    double = Double(1)
    given_ = verdict(
        "x", "y", "left_much", confidence=3, corrected="ببرید اورژانس", personal_data=True,
        sides={"right": SideVerdict(scales={"safety": 1}, faults=("unsafe",), first_wrong_step=2)},
    )  # fmt: skip
    double.say(0, "sara", to_values(given_))
    done = run(double, tmp_path)
    (found,) = read(tmp_path / "verdicts.jsonl")
    assert found == given_.model_copy(
        update={
            "id": f"{DATASET}/r-0-sara",
            "item_id": "i0",
            "judge": Pseudonyms(tmp_path).of("sara"),
            "at": "2026-11-03T10:00:01.123+00:00",
        }
    )
    assert found.seconds is None
    assert (done.records, done.seen, done.guideline_version) == (1, {"submitted": 1}, "fa-1")
    assert not any(b"sara" in (tmp_path / name).read_bytes().replace(b"r-0-sara", b"") for name in FILES.values())


def test_pulling_again_appends_nothing_and_a_change_once(tmp_path: Path) -> None:
    double = Double(3)
    double.say(0, "sara", LEFT)
    double.say(1, "sara", LEFT, "draft")
    double.say(2, "omid", {}, "discarded")
    assert run(double, tmp_path).appended == {"verdicts.jsonl": 1, "drafts.jsonl": 1, "discarded.jsonl": 1}
    assert run(double, tmp_path).appended == {"verdicts.jsonl": 0, "drafts.jsonl": 0, "discarded.jsonl": 0}
    double.say(0, "sara", RIGHT)
    assert run(double, tmp_path).appended["verdicts.jsonl"] == 1
    assert [row.grade for row in read(tmp_path / "verdicts.jsonl")] == ["left", "right"]
    assert [row.grade for row in stand(tmp_path, "submitted")] == ["right"]


def test_an_answer_that_leaves_a_file_says_so_there(tmp_path: Path) -> None:
    double = Double(1)
    for status in ("draft", "submitted", "discarded", "submitted", "draft"):
        double.say(0, "sara", LEFT, status)
        run(double, tmp_path)
        run(double, tmp_path)
        assert held(tmp_path) == truth(double, tmp_path)
    assert lines(tmp_path) == {"verdicts.jsonl": 4, "drafts.jsonl": 3, "discarded.jsonl": 2}


def test_a_deleted_response_leaves_and_a_deleted_record_does_not(tmp_path: Path) -> None:
    double = Double(2)
    double.say(0, "sara", LEFT)
    double.say(1, "sara", LEFT)
    run(double, tmp_path)
    double.records[0]["responses"].clear()
    del double.records[1]
    assert run(double, tmp_path).withdrawn == 1
    assert run(double, tmp_path).withdrawn == 0
    assert [row.item_id for row in stand(tmp_path, "submitted")] == ["i1"]
    double.say(0, "sara", RIGHT)
    run(double, tmp_path)
    assert {row.item_id: row.grade for row in stand(tmp_path, "submitted")} == {"i0": "right", "i1": "left"}


def test_answers_that_went_with_a_deleted_account_stay(tmp_path: Path) -> None:
    double = Double(2)
    for name in ("sara", "omid"):
        double.say(0, name, LEFT)
    run(double, tmp_path)
    double.records[0]["responses"].clear()
    double.users = [user for user in double.users if user["username"] != "sara"]
    done = run(double, tmp_path)
    assert (done.withdrawn, done.kept) == (1, 1)
    double.users.append({"id": "u-anew", "username": "sara"})  # the same person, in an account made anew
    assert (run(double, tmp_path).withdrawn, run(double, tmp_path).kept) == (0, 1)
    assert [row.judge for row in stand(tmp_path, "submitted")] == [Pseudonyms(tmp_path).of("sara")]


def test_who_somebody_is_does_not_depend_on_who_pulls(tmp_path: Path) -> None:
    double = Double(1)
    double.say(0, "sara", LEFT)
    run(double, tmp_path)
    double.members = []  # sara was taken out of the workspace, and an admin, who sees its members alone, pulls
    assert run(double, tmp_path).appended.total() == 0
    double.members = None
    double.users[0]["username"] = "sara-karimi"
    assert run(double, tmp_path).appended.total() == 0


def test_two_datasets_in_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    one, other = Double(1), Double(1, dataset=DATASET.replace("0001", "0002"))
    one.say(0, "sara", LEFT)
    other.say(0, "omid", RIGHT)
    for _ in range(2):
        run(one, tmp_path)
        run(other, tmp_path)
    assert lines(tmp_path)["verdicts.jsonl"] == 2
    assert {row.id for row in stand(tmp_path, "submitted")} == {
        f"{DATASET}/r-0-sara", f"{other.dataset['id']}/r-0-omid",
    }  # fmt: skip


def test_guidelines_stay_those_of_the_first_time(tmp_path: Path) -> None:
    double = Double(2)
    double.say(0, "sara", LEFT)
    run(double, tmp_path)
    double.dataset["metadata"] = {"guideline_version": "fa-2"}
    double.say(1, "sara", LEFT)
    assert run(double, tmp_path).appended["verdicts.jsonl"] == 1
    assert [row.guideline_version for row in stand(tmp_path, "submitted")] == ["fa-1", "fa-2"]


def test_what_cannot_be_pulled_is_named(tmp_path: Path) -> None:
    double = Double(1)
    with double.client() as argilla, pytest.raises(MissingError, match="'second' in the workspace 'doctors'"):
        pull(argilla, "doctors", "second", tmp_path)
    double.say(0, "sara", {"mood": {"value": "good"}})
    with pytest.raises(ScanError, match=r"r-0-sara on i0: question 'mood'"):
        run(double, tmp_path)
    double.before = lambda request: (_ for _ in ()).throw(httpx2.ConnectError("no"))
    with pytest.raises(ArgillaError, match="is the server running"):
        run(double, tmp_path)
    assert issubclass(BrokenError, ArgillaError)


def test_odd_things_that_a_server_may_hold(tmp_path: Path) -> None:
    double = Double(2)
    double.say(0, "sara", {**LEFT, "corrected": {"value": "بد \ud800 است"}})
    double.say(1, "sara", {})["user_id"] = "u-gone"
    double.records[1]["external_id"] = None
    run(double, tmp_path)
    first, second = read(tmp_path / "verdicts.jsonl")
    assert isinstance(first, ExpertVerdict)
    assert "بد" in first.corrected
    assert second.item_id == "rec-1"
    assert second.judge == Pseudonyms(tmp_path).of("u-gone")
    assert json.loads((tmp_path / "verdicts.jsonl").read_text("utf-8").splitlines()[0])["schema_version"] == 1
