"""The judge: both orders, ties, agreement with doctors printed before a label is written, never passing as human."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_score import Verdict, Winner
from gaokerena.expert_verdicts import ExpertVerdict, Grade, VerdictFile
from gaokerena.prompts import user_text
from gaokerena.statistics import wilson
from tests.engines.scripted_server import Ask, Reply, ScriptedServer, end, say
from tests.training.rlaif.cases import chain, door, lines, manifest, task, wrong
from training import cli
from training.errors import TrainingError
from training.pair_rows import PairRow, Turn, read_pairs, write_pairs
from training.rlaif.agreement import measure
from training.rlaif.compared import read_compared
from training.rlaif.doctors import read_doctors
from training.rlaif.judged_pairs import UNMEASURED

GOOD, BAD = "این پاسخ سودمند است و بیمار را به‌موقع نزد پزشک می‌فرستد.", "این پاسخ بیهوده است و نکته‌ای برای بیمار ندارد."


def judging(prefers: Callable[[str, str], str]) -> Callable[[Ask], Reply]:
    """A judge that says what `prefers(first, second)` says: ۱, ۲ or برابر, or babbles."""

    def script(ask: Ask) -> Reply:
        shown = ask.body["messages"][0]["content"]
        first, second = (shown.split(f"--- آغاز پاسخ {number} ")[1].split("---")[1] for number in "۱۲")
        return Reply([say(f"تفاوت در سودمندی است.\nداوری: {prefers(first, second)}"), end(prompt=100, completion=9)])

    return script


def by_use(first: str, second: str) -> str:
    """Prefers the useful one; two of a kind are equal."""
    return "برابر" if ("سودمند" in first) == ("سودمند" in second) else "۱" if "سودمند" in first else "۲"


def compare(folder: Path, rows: list[tuple[str, str]]) -> Path:
    path = folder / "compare.jsonl"
    told = [
        {"question": task(number).question.text, "a": a, "b": b, "id": f"c{number}"}
        for number, (a, b) in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told), "utf-8")
    return path


def doctors_pairs(folder: Path, agree: int, disagree: int) -> Path:
    """Pairs as `annotation export` writes them: so many doctors like the useful answer, so many the other."""
    rows = []
    for number in range(agree + disagree):
        better, worse = (GOOD, BAD) if number < agree else (BAD, GOOD)
        rows.append(_pair(number, f"{better} ({number})", f"{worse} ({number})", kind="preference"))
    rows.append(_pair(99, "متن خود پزشک.", "متن مدل.", kind="correction"))
    write_pairs(folder / "doctors.jsonl", rows)
    return folder / "doctors.jsonl"


def _pair(number: int, better: str, worse: str, **told: Any) -> PairRow:
    question = task(number % 12).question
    return PairRow(
        id=f"e{number}",
        prompt=(Turn(role="user", content=user_text(question, "straight")),),
        chosen=(Turn(role="assistant", content=better),),
        rejected=(Turn(role="assistant", content=worse),),
        source="expert",
        question_id=f"{question.id}-{number}",
        provenance=told,
    )


def words(server: ScriptedServer, out: Path, *more: object) -> list[object]:
    return [
        "rlaif", "--method", "judge", "--teacher", server.base_url, "--teacher-model", "j", "--out", out, *more,
    ]  # fmt: skip


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


def test_one_comparison_a_question_has_the_exact_interval(tmp_path: Path) -> None:
    doctors = read_doctors(doctors_pairs(tmp_path, agree=9, disagree=3), None)
    said = [Verdict(Pair(c.question.id, 0, c.question.text, c.a, c.b), ("a", "a")) for c, _ in doctors.known]
    measured = measure(doctors, said)
    expected = sum(expert == "a" for _, expert in doctors.known)
    assert measured.decided == wilson(expected, 12)


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


def _verdicts(folder: Path, grades: list[tuple[str, str, Grade]]) -> tuple[Path, Path]:
    """A file of verdicts (judge, item, grade) and a ledger of the items, the useful answer always left."""
    with VerdictFile(folder / "verdicts.jsonl") as file:
        for number, (judge, item, grade) in enumerate(grades):
            file.append(
                ExpertVerdict(id=f"v{number}", item_id=item, judge=judge, status="submitted", where="page",
                              guideline_version="1", grade=grade)
            )  # fmt: skip
    items = [
        {
            "id": item,
            "kind": "gold" if item.startswith("g") else "comparison",
            "question": {"text": task(number).question.text},
            "sides": {"left": {"model": "v", "text": GOOD}, "right": {"model": "r", "text": BAD}},
        }
        for number, item in enumerate(sorted({item for _, item, _ in grades} - {"lost"}))
    ]
    ledger = folder / "items.jsonl"
    ledger.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in items), "utf-8")
    return folder / "verdicts.jsonl", ledger


def test_of_several_doctors_the_majority_counts(tmp_path: Path) -> None:
    path, ledger = _verdicts(tmp_path, [
        ("d1", "i1", "left"), ("d2", "i1", "left_much"), ("d3", "i1", "right"),
        ("d1", "i2", "left"), ("d2", "i2", "right"),
        ("d1", "i3", "right"), ("d1", "i3", "both_bad"),
        ("d1", "g1", "left"), ("d1", "lost", "left"),
    ])  # fmt: skip
    found = read_doctors(path, ledger)
    assert [(compared.id, winner) for compared, winner in found.known] == [("i1", "a"), ("i2", "tie"), ("i3", "tie")]
    assert (found.left_out, found.ties) == ({"gold": 1, "unknown item": 1}, True)
    with pytest.raises(TrainingError, match="give --items"):
        read_doctors(path, None)


def _said(*winners: Winner | None) -> list[Verdict]:
    return [Verdict(Pair(str(number), 0, "", "", ""), (winner, winner)) for number, winner in enumerate(winners)]


def test_the_figures_by_hand(tmp_path: Path) -> None:
    """Doctors: a, a, b, tie, a. The judge: a, b, b, tie, nothing readable."""
    path, ledger = _verdicts(tmp_path, [
        ("d", "i1", "left"), ("d", "i2", "left"), ("d", "i3", "right"), ("d", "i4", "equal"), ("d", "i5", "left"),
    ])  # fmt: skip
    found = measure(read_doctors(path, ledger), _said("a", "b", "b", "tie", None))
    assert (found.n, found.unreadable, found.n_decided, found.doctors_decided) == (5, 1, 3, 4)
    assert found.all is not None
    assert found.decided is not None
    assert (found.all.estimate, found.decided.estimate) == (0.75, pytest.approx(2 / 3))
    assert found.table == {"a, a": 1, "a, b": 1, "b, b": 1, "tie, tie": 1}
    assert (found.kinds, found.first_wins and found.first_wins.estimate) == ({"consistent": 4, "unreadable": 1}, 0.5)
    perfect = measure(read_doctors(path, ledger), _said("a", "a", "b", "tie", "a")).decided
    assert perfect is not None
    assert (perfect.low, perfect.high) == (wilson(4, 4).low, 1.0)


def test_the_order_shown_does_not_follow_from_the_doctors_choice(tmp_path: Path) -> None:
    """Else a judge that likes the first place would look right."""
    known = read_doctors(doctors_pairs(tmp_path, agree=6, disagree=6)).known
    assert {winner for _, winner in known} == {"a", "b"}
    assert all(compared.a <= compared.b for compared, _ in known)
