"""Where comparisons come from: the page's store, training's pairs, all together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotation.reasons import read_scores
from annotation.sources import Sources
from annotation.sources_candidates import SourceError, from_candidates
from annotation.sources_store import from_store, strength
from gaokerena.comparisons import Verdict
from gaokerena.prompts import user_text
from gaokerena.questions import Question
from gaokerena.store import Store
from tests.annotation.push_cases import answer, keep
from tests.annotation.source_cases import OPTIONS, recorded, row

# The page's store -----------------------------------------------------------------------------------------------------


def test_only_what_was_asked_with_consent_blind_and_answered_whole(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.sqlite3") as store:
        for number in range(3):
            keep(store, number)
        keep(store, 3, consent=False)
        keep(store, 4, blind=False)
        keep(store, 5, follows="c0")
        keep(store, 6, right="v")
        store.add_answer(keep(store, 7), "left", answer("v", "…", finish_reason="unfinished"))
        half = keep(store, 8, consent=True)
        assert half
    found = from_store(tmp_path / "kept.sqlite3")
    assert {one.comparison_id for one in found.candidates} == {"c0", "c1", "c2", "c7", "c8"}
    assert found.refused == Counter(no_consent=1, not_blind=1, follows_another=1, same_model=1)


def test_an_answer_that_was_cut_off_is_not_shown(tmp_path: Path) -> None:
    from gaokerena.comparisons import Comparison

    with Store(tmp_path / "kept.sqlite3") as store:
        for name, reason in (("a", "length"), ("b", "stopped"), ("c", "failed")):
            asked = Comparison(id=name, question=Question(text="چه کنم؟"), left="v", right="r", seed=1, consent=True)
            store.add_comparison(asked)
            store.add_answer(name, "left", answer("v", "پاسخ"))
            store.add_answer(name, "right", answer("r", "پاسخ دیگر", finish_reason=reason))
        store.add_answer("b", "right", answer("r", "پاسخ دوم", finish_reason="stop"))
    found = from_store(tmp_path / "kept.sqlite3")
    assert [one.comparison_id for one in found.candidates] == ["b"]
    assert {one.text for one in found.candidates[0].shown} == {"پاسخ", "پاسخ دوم"}
    assert found.refused == Counter(unfinished=2)


def test_what_was_purged_is_not_shown(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.sqlite3") as store:
        keep(store, 1, at="2026-01-01T00:00:00+00:00")
        store.purge("2026-02-01T00:00:00+00:00")
    assert from_store(tmp_path / "kept.sqlite3").refused == Counter(purged=1)


def test_the_public_may_disagree(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.sqlite3") as store:
        for number, choices in enumerate(("lr", "lll", "l", "lllllr", "ltr", "llr")):
            keep(store, number, choices)
        keep(store, 9, "l")
        store.add_verdict(Verdict(comparison_id="c9", choice="right", session="s0"))  # one visitor's change of mind
        store.add_verdict(Verdict(comparison_id="c9", choice="left", session="s9", blind=False))
    reasons = {one.comparison_id: dict(one.reasons) for one in from_store(tmp_path / "kept.sqlite3").candidates}
    assert reasons["c0"] == {"contested": 1.0}
    assert reasons["c4"] == {"contested": 1.0}
    assert reasons["c5"] == {"contested": pytest.approx(2 / 3)}
    assert all(reasons[name] == {} for name in ("c1", "c2", "c3", "c9"))


def test_how_contested() -> None:
    assert strength([]) == strength(["left"]) == strength(["left"] * 4) == 0.0
    assert strength(["left", "left", "left", "right"]) == 0.5


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"GAOKERENA_STORE_PATH$"):
        from_store(tmp_path / "none.sqlite3")
    assert not list(tmp_path.iterdir())


# Training's pairs -----------------------------------------------------------------------------------------------------


def said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def pair_row(name: str = "p1", **changes: Any) -> dict[str, Any]:
    question = Question(text="نخستین اقدام چیست؟", options=OPTIONS)
    return {
        "id": name, "prompt": [{"role": "user", "content": user_text(question, "cot")}],
        "chosen": [said(f"1. تب دارد.\n2. درمان لازم است.\nپاسخ صحیح گزینه [الف] است {name}.")],
        "rejected": [said(f"1. تب ندارد.\n2. درمان نمی‌خواهد.\nپاسخ صحیح گزینه [ب] است {name}.")],
        "source": "teacher_correction", "question_id": question.id, "weight": 1.0, "provenance": {}, **changes,
    }  # fmt: skip


def pairs(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), "utf-8")
    return path


def test_a_pair_comes_apart_into_question_and_two_answers(tmp_path: Path) -> None:
    [one] = from_candidates(pairs(tmp_path / "p.jsonl", pair_row())).candidates
    assert (one.question.text, one.question.options) == ("نخستین اقدام چیست؟", OPTIONS)
    assert {shown.model: shown.choice for shown in one.shown} == {"chosen": "A", "rejected": "B"}
    assert all(len(shown.steps) == 2 for shown in one.shown)
    assert one.pair_id == "p1"


def test_models_that_the_provenance_names_are_remembered(tmp_path: Path) -> None:
    row = pair_row(provenance={"chosen_model": "teacher-1", "rejected_model": "student-1"})
    [one] = from_candidates(pairs(tmp_path / "p.jsonl", row)).candidates
    assert {shown.model for shown in one.shown} == {"teacher-1", "student-1"}


def test_a_pair_that_cannot_be_shown_is_counted(tmp_path: Path) -> None:
    turn = {"role": "user", "content": "و بعد؟"}
    several = pair_row("p2", prompt=[*pair_row()["prompt"], {"role": "assistant", "content": "…"}, turn])
    blank = pair_row("p3", prompt=[{"role": "user", "content": " "}])
    found = from_candidates(pairs(tmp_path / "p.jsonl", pair_row(), pair_row(), several, blank))
    assert len(found.candidates) == 1
    assert found.refused == Counter(repeated=1, several_turns=1, no_question=1)


def test_a_broken_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"p\.jsonl:2: chosen"):
        from_candidates(pairs(tmp_path / "p.jsonl", pair_row(), pair_row("p2", chosen=[])))
    (tmp_path / "q.jsonl").write_text('{"id": "p1"\n')
    with pytest.raises(SourceError, match=r"q\.jsonl:1: Invalid JSON.*give pairs as JSON lines"):
        from_candidates(tmp_path / "q.jsonl")


def test_scores_are_read_or_refused(tmp_path: Path) -> None:
    path = pairs(tmp_path / "s.jsonl", {"id": "p1", "probability": 0.5}, {"id": "p2", "probability": 1, "model": "x"})
    assert read_scores(path) == {"p1": 0.5, "p2": 1.0}
    for wrong in ({"id": "p1", "probability": 1.5}, {"probability": 0.5}, {"id": "p1", "probability": "half"}, 7):
        with pytest.raises(SourceError, match=r"s\.jsonl:1"):
            read_scores(pairs(tmp_path / "s.jsonl", wrong))


def test_all_sources_together(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.sqlite3") as store:
        keep(store, 1)
        keep(store, 2, consent=False)
    recorded(tmp_path / "t.jsonl", row("v", 0, "A"), row("r", 0, "B"))
    pairs(tmp_path / "p.jsonl", pair_row())
    found = Sources(tmp_path / "kept.sqlite3", tmp_path / "t.jsonl", ("v", "r"), tmp_path / "p.jsonl").gather()
    assert Counter(one.origin for one in found.candidates) == Counter(store=1, transcripts=1, candidates=1)
    assert found.refused["no_consent"] == 1
