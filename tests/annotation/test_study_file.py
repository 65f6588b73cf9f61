"""The study's file: blind by its schema, clean, twins far apart for every judge; and the commands beside Argilla."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from annotation.deliver_cli import deliver, study_file
from annotation.items import Item, ItemError, Ledger, Shown, swapped
from annotation.mixing import gold_item, item_of
from annotation.page import questions
from annotation.study_file import study_file as blinded
from annotation.study_file import write
from gaokerena.comparisons import Verdict
from gaokerena.intake import RefusalError
from gaokerena.outbox import Outbox
from gaokerena.store import Store
from gaokerena.study import Study, StudyHead, read_study
from gaokerena.ui.strings import TEXTS
from tests.annotation.push_cases import gold_file, keep, pair_of

HEAD = StudyHead(name="first", guideline_version="fa-1")
KEY = b"k" * 32

app = typer.Typer()
app.command()(deliver)
app.command("study-file")(study_file)


def items(count: int = 30, twins: int = 5) -> list[Item]:
    plain = [item_of(pair_of(number), ("random",), KEY, 1) for number in range(count)]
    return [*plain, *(swapped(item, KEY) for item in plain[:twins])]


def test_nothing_of_the_ledger_but_texts_and_ids_is_in_the_file(tmp_path: Path) -> None:
    from annotation.cleaning import Cleaner
    from annotation.gold import read_gold

    golds = [gold_item(gold, KEY, 1) for gold in read_gold(gold_file(tmp_path / "gold.jsonl"), Cleaner())]
    write(tmp_path / "study.jsonl", blinded([*items(), *golds], HEAD))
    rows = [json.loads(line) for line in (tmp_path / "study.jsonl").read_text().splitlines()]
    text = json.dumps(rows, ensure_ascii=False)
    assert not [
        word
        for word in ("gaokerena-v", "gaokerena-r", "duplicate", "left_much", "twin", "random", "قلب")
        if word in text
    ]
    assert all(set(row) == {"id", "question", "sides", "part"} for row in rows[1:])
    assert all(row["question"]["subject"] is row["question"]["gold"] is None for row in rows[1:])
    assert all(set(side) == {"reasoning", "steps", "conclusion"} for row in rows[1:] for side in row["sides"].values())
    head, kept = read_study(tmp_path / "study.jsonl")
    assert (head.name, len(kept)) == ("first", 39)


def test_sides_are_those_of_the_ledger() -> None:
    known = {item.id: item for item in items()}
    for shown in blinded(known.values(), HEAD).items:
        for side in ("left", "right"):
            assert shown.sides[side].conclusion == known[shown.id].sides[side].conclusion


def test_twins_are_far_apart_for_every_judge(tmp_path: Path) -> None:
    known = items(40, 8)
    write(tmp_path / "study.jsonl", blinded(known, HEAD))
    study = Study(tmp_path / "study.jsonl", tmp_path / "out.jsonl")
    parts = [item.part for item in study.items.values()]
    middle = parts.count(1)
    assert middle >= 8
    for code in (f"p{number}" for number in range(20)):
        place = {item.id: number for number, item in enumerate(study.order(code))}
        for item in known:
            if item.twin:
                assert place[item.id] - place[item.twin] > middle


def test_a_gold_item_or_a_twin_does_not_stand_out_by_its_part() -> None:
    known = {item.id: item for item in items(40, 8)}
    made = blinded(known.values(), HEAD)
    for part in (0, 2):
        assert {known[item.id].kind for item in made.items if item.part == part} >= {"comparison"}
        assert sum(known[item.id].twin is None and item.part == part for item in made.items) > 8
    assert {item.part for item in blinded(items(5, 0), HEAD).items} == {0}


def test_the_order_in_the_file_is_drawn() -> None:
    known = items(30, 0)
    one, again, other = (
        [item.id for item in blinded(known, HEAD, seed=seed).items] for seed in (1, 1, 2)
    )  # fmt: skip
    assert one == again != other
    assert one != [item.id for item in known]


def test_an_item_that_cannot_be_clean_is_left_out_and_names_are_masked() -> None:
    [plain, other] = items(2, 0)
    bad = other.model_copy(update={"sides": {side: Shown(model="m", text="همین.") for side in ("left", "right")}})
    said = Shown(
        model="zz-7b", text="من گوکرنا هستم؛ zz-7b. استراحت کنید.", conclusion="من گوکرنا هستم؛ zz-7b. استراحت کنید."
    )
    named = plain.model_copy(update={"sides": {**plain.sides, "left": said}})
    made = blinded([named, bad], HEAD)
    assert dict(made.refused) == {"same_text": 1}
    assert made.items[0].sides["left"].conclusion == "من [نام دستیار] هستم؛ [نام دستیار]. استراحت کنید."
    with pytest.raises(ItemError, match="no item for a study"):
        blinded([bad], HEAD)


def test_the_command_writes_a_file_the_page_can_read(tmp_path: Path) -> None:
    Ledger(tmp_path / "folder").add(items())
    out = tmp_path / "deep" / "study.jsonl"
    where = ["--out", str(out), "--folder", str(tmp_path / "folder")]
    done = CliRunner().invoke(app, ["study-file", "--name", "n", "--codes", "پ۱, پ۲", "--json", *where])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "items": 35,
        "repeated": 5,
        "refused": {},
        "file": str(out),
        "codes": ["پ۱", "پ۲"],
    }
    head, kept = read_study(out)
    assert (head.guideline_version, head.codes, len(kept)) == ("fa-2", ("پ۱", "پ۲"), 35)
    assert "| Ctrl+Enter | ثبت" in head.guidelines
    assert "Backspace" not in head.guidelines
    (tmp_path / "local-2.md").write_text("# خودمان\n")
    own = ["--guidelines", str(tmp_path / "local-2.md")]
    assert CliRunner().invoke(app, ["study-file", "--name", "n", *where, *own]).exit_code == 0
    head, _ = read_study(out)
    assert (head.guideline_version, head.guidelines) == ("local-2", "# خودمان\n")


def test_codes_are_drawn_and_kept_when_the_file_is_made_again(tmp_path: Path) -> None:
    Ledger(tmp_path / "folder").add(items())
    out = tmp_path / "study.jsonl"

    def made(*more: str) -> tuple[str, ...]:
        words = ["study-file", "--out", str(out), "--folder", str(tmp_path / "folder"), *more]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        codes = read_study(out)[0].codes
        assert " ".join(codes) in done.stdout
        return codes

    first = made("--name", "n")
    assert len(set(first)) == 3
    study = Study(out, tmp_path / "verdicts.jsonl")
    assert study.enter(first[0].upper()) == first[0]
    with pytest.raises(RefusalError):
        study.enter("دکتر-رضایی")
    assert made("--name", "n", "--judges", "5")[:3] == first
    assert made("--name", "n")[:3] == first
    assert not set(made("--name", "other")) & set(first)
    assert made("--name", "n", "--anybody") == ()
    out.write_text("mine\n")
    done = CliRunner().invoke(
        app, ["study-file", "--name", "n", "--out", str(out), "--folder", str(tmp_path / "folder")]
    )
    assert done.exit_code == 2
    assert out.read_text() == "mine\n"


def test_without_a_ledger_the_command_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["study-file", "--name", "n", "--folder", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "no ledger there" in done.stderr
    assert not (tmp_path / "none").exists()


def test_deliver_once_says_that_argilla_is_away_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGILLA_API_KEY", "k")
    monkeypatch.setattr("annotation.client._PAUSES", ())
    with Store(tmp_path / "store.sqlite3") as store, Outbox(tmp_path / "outbox") as outbox:
        verdict = Verdict(comparison_id=keep(store, 1), choice="left", session="s")
        outbox.add(verdict)
        store.add_verdict(verdict)
        where = ["--outbox", str(outbox.folder), "--folder", str(tmp_path / "folder"), "--dataset", "page", "--once"]
        address = ["--to", "http://127.0.0.1:9"]
        done = CliRunner().invoke(app, ["deliver", "--store", str(store.path), *where, *address])
        assert done.exit_code == 1
        assert "Nothing is lost" in done.stderr
        assert len(outbox.pending()) == 1
        done = CliRunner().invoke(app, ["deliver", "--store", str(tmp_path / "none"), *where, *address])
        assert done.exit_code == 2
        assert "no such store" in done.stderr


def test_the_page_and_the_workspace_ask_with_the_same_words() -> None:
    for scale, (name, _, words) in questions.SCALE_NAMES.items():
        assert TEXTS[f"study_{scale}"][0] == name
        assert tuple(TEXTS[f"study_{scale}_{mark}"][0] for mark in range(1, 5)) == words
    for fault, name in questions.FAULT_NAMES.items():
        assert TEXTS[f"study_{fault}"][0] == name
    levels = ("study_low", "study_middle", "study_high")
    assert tuple(TEXTS[key][0] for key in levels) == questions.CONFIDENCE_NAMES
