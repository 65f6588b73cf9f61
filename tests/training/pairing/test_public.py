"""Visitors' verdicts become pairs: chosen by votes, weighed by how they stood, and every verdict is accounted for."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gaokerena.answers import Answer
from gaokerena.comparisons import Choice, Comparison, Side, Verdict
from gaokerena.prompts import user_text
from gaokerena.questions import Question
from gaokerena.store import Store
from training.cli import app
from training.errors import TrainingError
from training.pair_rows import PairRow, read_pairs
from training.pairing.public import Options, make


class Page:
    """A store that is filled as the page fills it."""

    def __init__(self, folder: Path) -> None:
        self.store, self.folder, self.asked = Store(folder / "votes.sqlite3"), folder, 0

    def ask(self, *, left: str = "v", right: str = "r", text: str | None = None, **changes: Any) -> Comparison:
        self.asked += 1
        question = Question(text=text or f"سردرد شمارهٔ {self.asked} از چیست؟")
        fields = {"question": question, "left": left, "right": right, "seed": 1, "consent": True, "session": "asker"}
        asked = Comparison.model_validate({**fields, **changes})
        self.store.add_comparison(asked)
        for side, model in (("left", left), ("right", right)):
            self.answer(asked, "left" if side == "left" else "right", f"پاسخ {model} به پرسش {self.asked}")
        return asked

    def answer(self, asked: Comparison, side: Side, text: str, **changes: Any) -> None:
        model = asked.model_at(side)
        said = {"question_id": asked.question.id, "model": model, "prompting": "cot" if model == "r" else "straight"}
        facts = {"text": text, "finish_reason": "stop", "seed": 1, "seconds": 0.1, "revision": f"{model}-1"}
        self.store.add_answer(asked.id, side, Answer.model_validate({**said, **facts, **changes}))

    def vote(self, asked: Comparison, choice: Choice, session: str = "s1", **changes: Any) -> str:
        fields = {"comparison_id": asked.id, "choice": choice, "session": session}
        verdict = Verdict.model_validate({**fields, **changes})
        self.store.add_verdict(verdict)
        return verdict.id

    def pairs(self, **options: Any) -> tuple[list[PairRow], dict[str, Any]]:
        votes = self.folder / "votes.jsonl"
        self.store.export_jsonl(votes)
        told = make(self.folder / "out", Options(votes=str(votes), **options))
        return read_pairs(self.folder / "out" / "pairs.jsonl"), told


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """No two rows are stored in the same millisecond, as no person is that quick."""
    moments = (f"2026-01-01T00:00:{number // 1000:02}.{number % 1000:03}+00:00" for number in count())
    monkeypatch.setattr("gaokerena.store.now", lambda: next(moments))
    return Page(tmp_path)


def test_the_majority_chooses_and_its_lead_is_the_weight(page: Page) -> None:
    asked = page.ask()
    ids = [page.vote(asked, "right", "a", strength=2), page.vote(asked, "right", "b"), page.vote(asked, "left", "c")]
    ids.append(page.vote(asked, "tie", "d"))
    (row,), _ = page.pairs()
    assert (row.source, row.better, row.worse) == ("public", "پاسخ r به پرسش 1", "پاسخ v به پرسش 1")
    assert row.weight == pytest.approx((2 - 1) / (4 + 2), abs=1e-6)
    assert row.margin == 1.5
    assert row.provenance["verdict_ids"] == ids
    assert row.provenance["votes"] == {"for": 2, "against": 1, "neither": 1}
    assert (row.provenance["chosen_model"], row.provenance["chosen_revision"]) == ("r", "r-1")


def test_one_vote_is_believed_by_a_third(page: Page) -> None:
    page.vote(page.ask(), "left")
    (row,), _ = page.pairs()
    assert row.weight == pytest.approx(1 / 3, abs=1e-6)


def test_whoever_won_the_prompt_is_the_same(page: Page) -> None:
    """V is asked straight, R for a chain of thought: were each pair asked as its winner was, the prompt would tell."""
    page.vote(page.ask(text="پرسش یکم"), "left")
    page.vote(page.ask(text="پرسش دوم"), "right")
    rows, _ = page.pairs()
    assert [row.asked for row in rows] == [user_text(Question(text=text), "cot") for text in ("پرسش یکم", "پرسش دوم")]
    rows, _ = page.pairs(prompting="straight")
    assert [row.asked for row in rows] == ["پرسش یکم", "پرسش دوم"]


def test_every_verdict_and_comparison_is_accounted_for(page: Page) -> None:
    good = page.ask()
    page.vote(good, "left", "a")
    page.vote(good, "right", "a")  # changed their mind before the reveal: replaces
    page.vote(good, "left", "a", blind=False)  # said after the reveal
    page.vote(good, "right", "doctor", judge="expert")
    page.vote(page.ask(consent=False), "left")
    page.vote(page.ask(follows="earlier"), "left")
    page.vote(page.ask(right="v"), "left")
    page.vote(page.ask(), "tie")
    page.vote(page.ask(), "both_bad")
    cut = page.ask()
    page.answer(cut, "left", "پاسخی که بریده", finish_reason="length")
    page.vote(cut, "left")
    same = page.ask()
    page.answer(same, "right", f"پاسخ v به پرسش {page.asked}")
    page.vote(same, "left")
    (row,), told = page.pairs()
    assert row.better == "پاسخ r به پرسش 1"
    assert told["dropped"] == {
        "verdict: replaced by a later one": 1, "verdict: not blind": 1, "verdict: not a visitor's": 1,
        "comparison: no consent": 1, "comparison: goes on from an earlier question": 1,
        "comparison: a model against itself": 1, "comparison: no side preferred": 1, "comparison: both bad": 1,
        "comparison: an answer did not end by itself": 1, "comparison: both texts the same": 1,
    }  # fmt: skip
    assert told["counts_in"] == {"verdicts": 11, "comparisons": 8}
    of_comparisons = sum(count for why, count in told["dropped"].items() if why.startswith("comparison"))
    assert told["counts_out"]["pairs"] + of_comparisons == 8


def test_an_answer_given_again_is_judged_apart(page: Page) -> None:
    asked = page.ask()
    page.vote(asked, "left", "a")
    page.answer(asked, "left", "پاسخی که از نو ساخته شد")
    page.vote(asked, "right", "b")
    rows, _ = page.pairs()
    assert {(row.better, row.worse) for row in rows} == {
        ("پاسخ v به پرسش 1", "پاسخ r به پرسش 1"), ("پاسخ r به پرسش 1", "پاسخی که از نو ساخته شد"),
    }  # fmt: skip
    assert len({row.id for row in rows}) == 2


def test_no_visitor_speaks_for_everybody(page: Page) -> None:
    for _ in range(5):
        page.vote(page.ask(), "left", "busy")
    page.vote(page.ask(), "left", "other")
    rows, told = page.pairs(most=2)
    assert len(rows) == 3
    assert told["dropped"] == {"verdict: its visitor has more than 2": 3}


def test_what_can_be_no_pair_takes_nobodys_room(page: Page) -> None:
    """Else a faithful visitor's votes of today would not count once the texts of the first fifty are purged."""
    for _ in range(2):
        page.vote(page.ask(at="2024-01-01T00:00:00+00:00"), "left", "faithful")
    page.vote(page.ask(consent=False), "left", "faithful")
    for _ in range(3):
        page.vote(page.ask(), "left", "faithful")
    page.store.purge("2025-01-01T00:00:00+00:00")
    rows, told = page.pairs(most=2)
    assert len(rows) == 2
    assert told["dropped"] == {
        "comparison: texts no longer kept": 2, "comparison: no consent": 1, "verdict: its visitor has more than 2": 1,
    }  # fmt: skip


def test_purged_texts_give_no_pair(page: Page) -> None:
    page.vote(page.ask(at="2024-01-01T00:00:00+00:00"), "left")
    page.vote(page.ask(), "left")
    page.store.purge("2025-01-01T00:00:00+00:00")
    rows, told = page.pairs()
    assert len(rows) == 1
    assert told["dropped"] == {"comparison: texts no longer kept": 1}


def test_a_file_without_pairs_says_why_and_writes_nothing(page: Page) -> None:
    page.vote(page.ask(), "tie")
    with pytest.raises(TrainingError, match="gives no pair: comparison: no side preferred 1"):
        page.pairs()
    assert not (page.folder / "out").exists()


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(json.dumps({"schema_version": 2}) + "\n", "utf-8")
    with pytest.raises(TrainingError, match=r"votes\.jsonl line 1: schema_version"):
        make(tmp_path / "out", Options(votes=str(path)))


def test_the_door(page: Page) -> None:
    page.vote(page.ask(), "left")
    votes = page.folder / "votes.jsonl"
    page.store.export_jsonl(votes)
    command = ["pairs", "public", str(votes), "--out", str(page.folder / "out"), "--json"]
    done = CliRunner().invoke(app, command)
    assert json.loads(done.stdout)["counts_out"] == {"pairs": 1, "held_out": 0}
    done = CliRunner().invoke(app, ["pairs", "public", str(page.folder / "none"), "--out", str(page.folder / "out2")])
    assert "python -m gaokerena votes export" in str(done.exception)
