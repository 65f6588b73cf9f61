"""Where comparisons come from: the page's store, recorded answers, training's pairs."""

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
from annotation.sources_transcripts import from_transcripts
from gaokerena.comparisons import Verdict
from gaokerena.prompts import user_text
from gaokerena.questions import Question
from gaokerena.store import Store
from gaokerena.transcripts import Transcript, TranscriptsError, write
from tests.annotation.push_cases import answer, keep
from tests.real_data import data_folder

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


# Recorded answers -----------------------------------------------------------------------------------------------------

OPTIONS = ("پاشویه", "استامینوفن", "آنتی‌بیوتیک", "آزمایش خون")
NAMES = {"A": "الف", "B": "ب", "C": "ج", "D": "د"}


def row(model: str, index: int, letter: str, run: int = 1, **changes: Any) -> Transcript:
    options = dict(zip(("option_a", "option_b", "option_c", "option_d"), OPTIONS, strict=True))
    fields: dict[str, Any] = {
        "suite": "mine", "subject": "اطفال", "question_index": index,
        "question": f"نخستین اقدام در بیماری {index} چیست؟", **options,
        "gold": "A", "model": model, "prompting": "cot" if model == "r" else "straight", "run": run,
        "prompt": "", "annotated_choice": letter,
        "response": f"{model} در بار {run}: گزینه [{NAMES[letter]}] درست است.",
    }  # fmt: skip
    return Transcript(**{**fields, **changes})


def recorded(path: Path, *rows: Transcript) -> Path:
    write(rows, path)
    return path


def test_the_same_question_is_found_by_content(tmp_path: Path) -> None:
    v = [row("v", index, "A") for index in range(4)]
    r = [row("r", 100 + index, "B", question=f"نخستين اقدام  در بیماری {index} چیست؟") for index in (3, 1, 2, 9)]
    found = from_transcripts(recorded(tmp_path / "t.jsonl", *v, *r), "v", "r", seed=1)
    assert len(found.candidates) == 3
    assert found.refused["only_one_asked"] == 2
    for one in found.candidates:
        assert {shown.model for shown in one.shown} == {"v", "r"}
        assert {shown.choice for shown in one.shown} == {"A", "B"}
        assert one.question.subject == "اطفال"


def test_one_run_of_each_is_drawn_by_the_seed(tmp_path: Path) -> None:
    rows = [row("v", 0, "A"), *(row("r", 0, "A", run) for run in range(1, 6))]
    path = recorded(tmp_path / "t.jsonl", *rows)
    again = recorded(tmp_path / "u.jsonl", *reversed(rows))
    texts = []
    for seed in range(12):
        [one] = from_transcripts(path, "v", "r", seed=seed).candidates
        assert from_transcripts(again, "v", "r", seed=seed).candidates == [one]
        texts.append(next(shown.text for shown in one.shown if shown.model == "r"))
    assert len(set(texts)) > 2


@pytest.mark.parametrize(
    ("letters", "strength_of"), [("AAABB", 0.0), ("AABBC", 0.6), ("ABCDA", 0.6), ("AB", 0.0), ("AAAAA", 0.0)]
)
def test_runs_that_scatter_are_a_reason(tmp_path: Path, letters: str, strength_of: float) -> None:
    runs = [row("r", 0, letter, run) for run, letter in enumerate(letters)]
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", row("v", 0, "A"), *runs), "v", "r", seed=1).candidates
    assert one.reasons.get("inconsistent", 0.0) == pytest.approx(strength_of)


def test_a_letter_that_nobody_noted_is_read(tmp_path: Path) -> None:
    rows = (row("v", 0, "C", annotated_choice=None), row("r", 0, "B", annotated_choice=None))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1).candidates
    assert {shown.model: shown.choice for shown in one.shown} == {"v": "C", "r": "B"}


def test_a_chain_of_thought_is_split_and_a_straight_answer_is_not(tmp_path: Path) -> None:
    text = "1. تب را بسنجید.\n2. دارو بدهید.\nبنابراین، پاسخ صحیح گزینه [الف] است."
    rows = (row("v", 0, "A", response=text), row("r", 0, "A", response=text + " "))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1).candidates
    shown = {shown.model: shown for shown in one.shown}
    assert (shown["v"].reasoning, shown["v"].steps, shown["v"].conclusion) == ("", (), text)
    assert len(shown["r"].steps) == 2
    assert shown["r"].conclusion.startswith("بنابراین")


def test_one_model_asked_both_ways_keeps_them_apart(tmp_path: Path) -> None:
    rows = (row("r", 0, "A"), row("r", 0, "B", prompting="straight"))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "r:straight", "r:cot", seed=1).candidates
    assert {shown.model: shown.choice for shown in one.shown} == {"r:straight": "B", "r:cot": "A"}


def test_free_text_is_compared_too(tmp_path: Path) -> None:
    free: dict[str, Any] = {f"option_{letter}": "" for letter in "abcd"} | {"gold": None, "annotated_choice": None}
    rows = [row(model, index, "A", **free) for model, index in (("v", 0), ("r", 0), ("r", 1))]
    found = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1)
    assert [one.question.options for one in found.candidates] == [()]
    assert found.refused == Counter(only_one_asked=1)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("w", "r", "no answers of 'w'; there are r:cot, v:straight"),
        ("v:cot", "r", "no answers of 'v:cot'"),
        ("r", "r:cot", "both mean"),
    ],
)
def test_a_model_that_is_not_there_is_named(tmp_path: Path, a: str, b: str, said: str) -> None:
    with pytest.raises(TranscriptsError, match=said):
        from_transcripts(recorded(tmp_path / "t.jsonl", row("v", 0, "A"), row("r", 0, "B")), a, b, seed=1)


@pytest.mark.data
def test_the_published_recordings_align() -> None:
    found = from_transcripts(data_folder(), "gaokerena-v1.0", "gaokerena-r1.0", seed=1)
    assert len(found.candidates) == 816
    promptings = {one.comparison_id.split(":")[1].split(".")[-2] for one in found.candidates if one.comparison_id}
    assert promptings == {"straight"}  # V, named first, is asked straight; R with its chain of thought
    assert 50 < sum("inconsistent" in one.reasons for one in found.candidates) < 200


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
    with pytest.raises(SourceError, match=r"q\.jsonl:1: not a JSON line"):
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
