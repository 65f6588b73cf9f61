"""The judge: both orders, ties, agreement with doctors printed before a label is written, never passing as human."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gaokerena.prompts import VERSION
from tests.engines.scripted_server import Ask, Reply, ScriptedServer, end, refuse, say
from tests.training.rlaif.cases import chain, door, lines, manifest, task, wrong
from tests.training.rlaif.judge_cases import BAD, GOOD, by_use, compare, doctors_pairs, judging, words
from training import cli
from training.errors import TrainingError
from training.pair_rows import read_pairs
from training.rlaif.compared import read_compared
from training.rlaif.judged_pairs import UNMEASURED


def test_a_judge_that_nobody_measured_does_not_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(judging(by_use)) as server:
        said = [str(word) for word in words(server, tmp_path / "out", "--compare", compare(tmp_path, [(GOOD, BAD)]))]
        monkeypatch.setattr("sys.argv", ["training", *said])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert (left.value.code, server.asks) == (2, [])
    assert "--unmeasured" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_unmeasured_labels_say_so(tmp_path: Path) -> None:
    rows = [(GOOD, BAD), (BAD, GOOD), (GOOD, GOOD + " همین."), (GOOD, GOOD)]
    with ScriptedServer(judging(by_use)) as server:
        result = door(*words(server, tmp_path / "out", "--compare", compare(tmp_path, rows), "--unmeasured"))
    assert result.exit_code == 0, result.stderr
    pairs = read_pairs(tmp_path / "out" / "pairs.jsonl")
    assert [(pair.better, pair.worse) for pair in pairs] == [(GOOD, BAD)] * 2
    assert {(pair.source, pair.weight, pair.provenance["measured"]) for pair in pairs} == {("judge", UNMEASURED, None)}
    assert {pair.provenance["label"] for pair in pairs} == {"a model's, not a person's"}
    assert manifest(tmp_path / "out")["dropped"] == {"both answers say the same": 1, "judge: tie": 1}


def test_agreement_is_printed_before_labels_are_written(tmp_path: Path) -> None:
    rows, doctors = compare(tmp_path, [(GOOD, BAD)]), doctors_pairs(tmp_path, agree=36, disagree=4)
    with ScriptedServer(judging(by_use)) as server:
        result = door(*words(server, tmp_path / "out", "--compare", rows, "--verdicts", doctors))
    assert result.exit_code == 0, result.stderr
    assert "same winner where both name one: 90.0 %" in result.stderr
    (pair,) = read_pairs(tmp_path / "out" / "pairs.jsonl")
    measured = pair.provenance["measured"]
    assert pair.weight == pytest.approx(2 * measured["decided"]["low"] - 1, abs=1e-6)
    assert (measured["n"], measured["decided"]["estimate"]) == (40, 0.9)
    assert 0.7 < measured["decided"]["low"] < 0.9 < measured["decided"]["high"] <= 1
    found = manifest(tmp_path / "out")
    assert found["agreement"]["sha256"] == measured["sha256"]
    assert found["doctors_left_out"] == {"correction": 1}
    assert found["calls"]["finished"] == 2 * 40 + 2


def test_a_judge_no_better_than_a_coin_does_not_label(tmp_path: Path) -> None:
    rows, doctors = compare(tmp_path, [(GOOD, BAD)]), doctors_pairs(tmp_path, agree=16, disagree=15)
    with ScriptedServer(judging(by_use)) as server:
        result = door(*words(server, tmp_path / "out", "--compare", rows, "--verdicts", doctors))
        assert isinstance(result.exception, TrainingError)
        assert "no label is written" in str(result.exception)
        assert len(server.asks) == 62, "a label was asked for"
        assert not (tmp_path / "out" / "pairs.jsonl").exists()
        assert json.loads((tmp_path / "out" / "agreement.json").read_text("utf-8"))["n"] == 31
        both = door(*words(server, tmp_path / "out", "--compare", rows, "--verdicts", doctors, "--unmeasured"))
        assert "leave one out" in str(both.exception), "a judge measured as a coin labels all the same"


def test_one_id_for_two_comparisons_is_refused(tmp_path: Path) -> None:
    path = compare(tmp_path, [(GOOD, BAD)])
    line = path.read_text("utf-8")
    path.write_text(line * 2, "utf-8")
    assert len(read_compared(path)) == 1
    path.write_text(line + line.replace("بیهوده", "زیان‌بار"), "utf-8")
    with pytest.raises(TrainingError, match="line 2: the id c0 stands for another comparison"):
        read_compared(path)


def test_a_comparison_that_comes_twice_is_counted(tmp_path: Path) -> None:
    path = compare(tmp_path, [(GOOD, BAD), (BAD, GOOD)])
    path.write_text(path.read_text("utf-8") * 3, "utf-8")
    with ScriptedServer(judging(by_use)) as server:
        door(*words(server, tmp_path / "out", "--compare", path, "--unmeasured"))
    found = manifest(tmp_path / "out")
    assert (found["left_out"], found["accounting"]["asked"]) == ({"repeated": 4}, 2)
    assert found["counts_in"]["available"] == 6


def test_the_judge_sees_what_the_pair_holds_and_no_lower_cased_text_is_chosen(tmp_path: Path) -> None:
    rows = compare(tmp_path, [(f"<think>پنهان</think>{GOOD}", BAD), (f"با mri دیده می‌شود. {GOOD}", BAD)])
    with ScriptedServer(judging(by_use)) as server:
        door(*words(server, tmp_path / "out", "--compare", rows, "--unmeasured"))
        assert not any("پنهان" in ask.body["messages"][0]["content"] for ask in server.asks)
    assert [pair.better for pair in read_pairs(tmp_path / "out" / "pairs.jsonl")] == [GOOD]
    assert manifest(tmp_path / "out")["dropped"] == {"chosen: lower_cased": 1}


def test_a_few_comparisons_license_nobody(tmp_path: Path) -> None:
    """All of 29 agree: the interval lies far above a coin, the number is too small."""
    rows, doctors = compare(tmp_path, [(GOOD, BAD)]), doctors_pairs(tmp_path, agree=29, disagree=0)
    with ScriptedServer(judging(by_use)) as server:
        result = door(*words(server, tmp_path / "out", "--compare", rows, "--verdicts", doctors))
    assert "at least 30 are needed" in str(result.exception)
    assert not (tmp_path / "out" / "pairs.jsonl").exists()


@pytest.mark.parametrize(
    ("prefers", "reason"),
    [
        (lambda first, second: "۱", "judge: flipped"),
        (lambda first, second: "۱" if "سودمند" in first else "برابر", "judge: half"),
        (lambda first, second: "هر دو خوب‌اند", "judge: unreadable"),
        (lambda first, second: "برابر", "judge: tie"),
    ],
    ids=["always the first", "one order a tie", "babble", "tie"],
)
def test_only_what_both_orders_say_is_a_label(tmp_path: Path, prefers: Any, reason: str) -> None:
    rows = compare(tmp_path, [(GOOD, BAD)])
    with ScriptedServer(judging(prefers)) as server:
        door(*words(server, tmp_path / "out", "--compare", rows, "--unmeasured"))
        firsts = [ask.body["messages"][0]["content"] for ask in server.asks]
    assert read_pairs(tmp_path / "out" / "pairs.jsonl") == []
    assert manifest(tmp_path / "out")["dropped"] == {reason: 1}
    assert len(set(firsts)) == 2
    assert len(firsts) == (4 if "unreadable" in reason else 2)


@pytest.mark.parametrize(
    ("said", "finish"),
    [("می‌سنجم.\nداوری: ۱", "length"), ("<think>شاید:\nداوری: ۱", "stop")],
    ids=["cut off", "thought"],
)
def test_a_verdict_that_the_judge_was_still_weighing_is_none(tmp_path: Path, said: str, finish: str) -> None:
    rows = compare(tmp_path, [(GOOD, BAD)])
    with ScriptedServer(lambda ask: Reply([say(said), end(finish)])) as server:
        door(*words(server, tmp_path / "out", "--compare", rows, "--unmeasured"))
    assert manifest(tmp_path / "out")["dropped"] == {"judge: unreadable": 1}


def test_a_row_says_with_which_prompt_its_question_was_asked(tmp_path: Path) -> None:
    """Ours, or letters that our prompts never hold."""
    path = compare(tmp_path, [(GOOD, BAD)])
    other = {"prompt": "سلام. سرم درد ميكند.", "a": GOOD, "b": BAD, "id": "free"}
    path.write_text(path.read_text("utf-8") + json.dumps(other, ensure_ascii=False), "utf-8")
    with ScriptedServer(judging(by_use)) as server:
        door(*words(server, tmp_path / "out", "--compare", path, "--unmeasured"))
    pairs = read_pairs(tmp_path / "out" / "pairs.jsonl")
    assert {pair.id: pair.provenance["prompts"]["question"] for pair in pairs} == {
        "judge-c0": VERSION,
        "judge-free": None,
    }


def test_a_judge_that_could_not_be_measured_says_why(tmp_path: Path) -> None:
    """One of 40 comparisons is refused by the server: no label, the reason, and what to do."""
    rows, doctors = compare(tmp_path, [(GOOD, BAD)]), doctors_pairs(tmp_path, agree=40, disagree=0)
    down = True

    def script(ask: Ask) -> Reply:
        broken = down and "(7)" in ask.body["messages"][0]["content"]
        return refuse(400, "no such parameter") if broken else judging(by_use)(ask)

    with ScriptedServer(script) as server:
        said = words(server, tmp_path / "out", "--compare", rows, "--verdicts", doctors)
        first = door(*said)
        assert (first.exit_code, manifest(tmp_path / "out")["outcome"]) == (1, "some calls failed")
        assert "of 40 comparisons that doctors judged it was not asked about 1, or its call failed" in first.stderr
        assert "HTTP 400" in first.stderr
        down = False
        assert door(*said).exit_code == 0
    assert len(read_pairs(tmp_path / "out" / "pairs.jsonl")) == 1


def test_a_label_against_the_key_or_for_a_broken_text_is_refused(tmp_path: Path) -> None:
    """The judge likes length; the longer text names a wrong option, is English, or breaks off."""
    one = task(0)
    path = tmp_path / "compare.jsonl"
    told = [
        (wrong(one) + " " * 9, chain(one)),
        ("A long answer in English. " * 9, chain(one)),
        (chain(one) * 2 + " و", chain(one)),
    ]
    rows = [
        {
            "question": one.question.text,
            "options": one.question.options,
            "gold": one.gold,
            "a": a,
            "b": b,
            "id": f"c{number}",
        }
        for number, (a, b) in enumerate(told)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    with ScriptedServer(judging(lambda first, second: "۱" if len(first) > len(second) else "۲")) as server:
        door(*words(server, tmp_path / "out", "--compare", path, "--unmeasured"))
    assert read_pairs(tmp_path / "out" / "pairs.jsonl") == []
    reasons = [row["reason"] for row in lines(tmp_path / "out" / "dropped.jsonl")]
    assert reasons == ["chosen: misses the key", "chosen: not_persian", "chosen: cut_off"]
