"""`python -m gaokerena votes`: the store's counts equal those by hand, a store is never made, old texts really go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gaokerena.answers import Answer
from gaokerena.cli import app
from gaokerena.comparisons import Choice, Comparison, Verdict
from gaokerena.questions import Question
from gaokerena.store import Store
from gaokerena.votes_cli import LEAST_VISITORS

SECRET = "تب کودک چند روز طول می‌کشد؟"


def judged(store: Store, choice: Choice, session: str, left: str = "v", right: str = "r", **changes: object) -> None:
    question = Question(text=SECRET)
    asked = Comparison.model_validate(
        {"question": question, "left": left, "right": right, "seed": 1, "consent": True, "session": session, **changes}
    )
    store.add_comparison(asked)
    for side, model in (("left", left), ("right", right)):
        said = {"question_id": question.id, "model": model, "prompting": "straight", "text": f"پاسخ {model}"}
        answer = Answer.model_validate({**said, "finish_reason": "stop", "seed": 1, "seconds": 0.1})
        store.add_answer(asked.id, "left" if side == "left" else "right", answer)
    store.add_verdict(Verdict(comparison_id=asked.id, choice=choice, session=session, blind=asked.blind))


def votes(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["votes", *arguments])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "votes.sqlite3"
    Store(place).close()
    return place


def test_each_pair_of_models_is_counted_apart_and_by_who_was_preferred(path: Path) -> None:
    with Store(path) as store:
        judged(store, "left", "s1")
        judged(store, "left", "s2", left="r", right="v")
        judged(store, "right", "s2")
        judged(store, "tie", "s3")
        judged(store, "both_bad", "s4")
        judged(store, "left", "s1", left="r2", right="r")
        judged(store, "left", "s5", blind=False)
    told = json.loads(votes("tally", "--store", str(path), "--json").stdout)
    assert (told["votes"], told["not_blind"], told["changed_later"]) == (6, 1, 0)
    old, both = told["duels"]
    assert (old["model"], old["other"], old["wins"], old["losses"], old["visitors"]) == ("r", "r2", 0, 1, 1)
    assert (both["model"], both["other"], both["wins"], both["losses"]) == ("r", "v", 2, 1)
    assert (both["ties"], both["both_bad"], both["visitors"]) == (1, 1, 4)
    assert both["share"] == pytest.approx(2 / 3)
    assert both["ci95"] is None


def test_the_interval_resamples_visitors_not_votes(path: Path) -> None:
    """One visitor who votes a hundred times must not make it narrow."""
    with Store(path) as store:
        for _ in range(100):
            judged(store, "right", "busy")
        for number in range(LEAST_VISITORS - 1):
            judged(store, "left", f"s{number}")
    (one,) = json.loads(votes("tally", "--store", str(path), "--json").stdout)["duels"]
    assert one["share"] == pytest.approx(100 / 109)
    assert one["ci95"][0] == 0.0
    text = votes("tally", "--store", str(path)).stdout
    assert "r : v  100 : 9" in text
    assert "91.7 % of the decided [0.0," in text


@pytest.mark.parametrize(("choice", "ends"), [("left", [0.0, 0.3085]), ("right", [0.6915, 1.0])])
def test_ten_visitors_of_one_mind_are_not_certainty(path: Path, choice: Choice, ends: list[float]) -> None:
    """No resample of them differs, so a bootstrap says 100 % to 100 %; a coin does that in 2 of 1,024."""
    with Store(path) as store:
        for number in range(2 * LEAST_VISITORS):
            judged(store, choice, f"s{number % LEAST_VISITORS}")
    (one,) = json.loads(votes("tally", "--store", str(path), "--json").stdout)["duels"]
    assert one["ci95"] == pytest.approx(ends, abs=1e-4)


def test_few_visitors_get_no_interval_and_the_line_says_so(path: Path) -> None:
    with Store(path) as store:
        judged(store, "right", "s1")
    assert f"fewer than {LEAST_VISITORS} visitors decided: no interval" in votes("tally", "--store", str(path)).stdout


def test_who_said_the_same_again_said_nothing_else(path: Path) -> None:
    with Store(path) as store:
        for choice in ("left", "right"):
            judged(store, "left", "s1")
            asked = list(store.comparisons())[-1]
            store.add_verdict(Verdict(comparison_id=asked.id, choice=choice, session="s1", blind=False))
    assert json.loads(votes("tally", "--store", str(path), "--json").stdout)["changed_later"] == 1


def test_export_writes_every_verdict(path: Path, tmp_path: Path) -> None:
    with Store(path) as store:
        judged(store, "left", "s1")
        judged(store, "right", "s2")
    done = votes("export", "--store", str(path), "--out", str(tmp_path / "new" / "votes.jsonl"))
    assert done.exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "new" / "votes.jsonl").read_text("utf-8").splitlines()]
    assert [row["choice"] for row in rows] == ["left", "right"]
    assert rows[0]["comparison"]["question"]["text"] == SECRET


@pytest.mark.parametrize("name", ["votes.sqlite3", "votes.sqlite3-wal", "new/../votes.sqlite3"])
def test_export_never_replaces_the_store(path: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "new").mkdir()
    with Store(path) as store:
        judged(store, "left", "s1")
        done = votes("export", "--store", str(path), "--out", str(tmp_path / name))
    assert done.exit_code == 2
    assert "write to another file" in done.stderr
    assert json.loads(votes("tally", "--store", str(path), "--json").stdout)["votes"] == 1


def test_a_purge_by_an_empty_date_takes_nothing(path: Path) -> None:
    """As of an unset variable in a script: it took every text there was."""
    with Store(path) as store:
        judged(store, "left", "s1", at="2024-03-01T10:00:00+00:00")
    assert votes("purge", "--store", str(path), "--before", "").exit_code == 2
    with Store(path) as store:
        assert [kept.question is None for kept in store.comparisons()] == [False]


@pytest.mark.parametrize("old", [("--days", "90"), ("--before", "2024-03-02"), ("--before", "2024-03-01T12:00+01:00")])
def test_purge_takes_the_old_texts_off_the_disk_and_nothing_else(path: Path, old: tuple[str, str]) -> None:
    with Store(path) as store:
        judged(store, "left", "s1", at="2024-03-01T10:00:00+00:00")
        judged(store, "left", "s2")
    done = votes("purge", "--store", str(path), *old)
    assert done.exit_code == 0
    assert "the texts of 1 comparisons" in done.stdout
    with Store(path) as store:
        assert [kept.question is None for kept in store.comparisons()] == [True, False]
    assert json.loads(votes("tally", "--store", str(path), "--json").stdout)["votes"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tally",), "no store at"),
        (("purge",), "--days N or --before DATE"),
        (("purge", "--days", "1", "--before", "2026-01-01"), "one of the two"),
        (("purge", "--before", "yesterday"), "'yesterday' is no date"),
        (("purge", "--before", ""), "'' is no date"),
        (("purge", "--before", "9999-01-01"), "9999-01-01 lies in the future"),
        (("purge", "--before", "0001-01-01T00:00+14:00"), "is no date"),
        (("purge", "--days", "999999999"), "--days 999999999 reaches back"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    missing = tmp_path / "none.sqlite3"
    done = votes(*arguments, "--store", str(missing))
    assert done.exit_code == 2
    assert said in done.stderr
    assert not missing.exists()


def test_an_empty_file_is_not_made_a_store(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    done = votes("tally", "--store", str(empty))
    assert (done.exit_code, empty.stat().st_size) == (2, 0)
    assert f"no store at {empty}" in done.stderr


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "votes.sqlite3"
    wrong.write_text("این پایگاه داده نیست، نامه است و به اندازهٔ کافی دراز.", "utf-8")
    done = votes("tally", "--store", str(wrong))
    assert done.exit_code == 2
    assert str(wrong) in done.stderr
