"""Judging over HTTP against a scripted server: every call in both orders, kept, found again; and the whole command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.evaluation import freeform_calls
from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_calls import CallLog
from gaokerena.evaluation.freeform_cli import judge
from gaokerena.evaluation.freeform_prompt import LABELS
from gaokerena.evaluation.freeform_score import score, settle
from gaokerena.evaluation.run_rows import RunError
from gaokerena.settings import CONFIG
from tests.engines.endpoint_serving import serving
from tests.engines.scripted_server import Ask, Reply, ScriptedServer, end, refuse, say
from tests.evaluation.freeform_cases import Rule, asked, first, live, longer, prefers, row, verdict
from tests.training.killing import kill_when

PAIRS = [
    Pair("1", 0, "تب دارم.", "استراحت و مایعات کافی، و اگر ماند پزشک.", "پزشک."),
    Pair("2", 0, "سرفه دارم.", "صبر.", "اگر تنگی نفس دارید همین حالا به اورژانس بروید."),
    Pair("3", 0, "سردرد دارم.", "بخوابید.", "بنشینید."),
]


def judging(rule: Rule) -> Callable[[Ask], Reply]:
    return lambda ask: Reply([say(verdict(ask.body["messages"][0]["content"], rule)), end()])


def scored(rule: Rule, tmp_path: Path) -> dict[str, Any]:
    with serving(judging(rule)) as (engine, server, _):
        judged = asked(engine, tmp_path / "calls.jsonl", PAIRS)
        assert len(server.asks) == 6
    return score([settled for pair in PAIRS if (settled := settle(pair, judged.calls))], seed=1)


def test_a_judge_that_says_first_gives_half_and_a_full_position_bias(tmp_path: Path) -> None:
    report = scored(first, tmp_path)
    assert report["win_rate"]["estimate"] == 50.0
    assert report["position"]["first_wins"]["estimate"] == 100.0
    assert report["consistency"]["estimate"] == 0.0
    assert report["pairs"]["flipped"] == 3


def test_a_judge_that_counts_characters_is_found_out(tmp_path: Path) -> None:
    report = scored(longer, tmp_path)
    assert report["length"]["longer_wins"]["estimate"] == 100.0
    assert report["length"]["log_odds_per_doubling"]["estimate"] > 0
    assert report["consistency"]["estimate"] == 100.0


def test_a_judge_with_reasons_of_its_own_by_hand(tmp_path: Path) -> None:
    """Only answer b of the second question names the emergency room: one loss for a, two ties."""
    report = scored(prefers("اورژانس"), tmp_path)
    assert report["win_rate"]["estimate"] == pytest.approx(100 / 3)
    assert (report["pairs"]["b_wins"], report["pairs"]["ties"]) == (1, 2)
    assert report["position"]["first_wins"]["estimate"] == 50.0


def test_every_call_is_kept_with_its_order_and_never_asked_again(tmp_path: Path) -> None:
    with serving(judging(longer)) as (engine, server, _):
        path = tmp_path / "calls.jsonl"
        once = asked(engine, path, PAIRS, names=("gaokerena-v", "gaokerena-r"))
        again = asked(engine, path, PAIRS, names=("gaokerena-v", "gaokerena-r"))
        assert (once.fresh, again.fresh) == (6, 0)
        assert again.calls == once.calls
        assert len(server.asks) == 6
        sent = json.dumps([ask.body["messages"] for ask in server.asks], ensure_ascii=False)
        assert "gaokerena" not in sent, "the judge was told a model's name"
        # Another seed of a greedy judge asks nothing new; another wording or sampling would.
        assert asked(engine, path, PAIRS, seed=9).fresh == 0
        assert asked(engine, path, PAIRS[:1], revision="other weights").fresh == 2
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()][:6]
    assert {(line["question_id"], line["order"], line["first"], line["second"]) for line in lines} == {
        (pair.question_id, *order)
        for pair in PAIRS
        for order in (("ab", "gaokerena-v", "gaokerena-r"), ("ba", "gaokerena-r", "gaokerena-v"))
    }


def test_what_is_not_readable_is_asked_once_more_and_then_counted(tmp_path: Path) -> None:
    """The first question's judge comes round after the reminder, the others' never does."""

    def script(ask: Ask) -> Reply:
        turns = ask.body["messages"]
        clear = len(turns) == 3 and "تب دارم" in turns[0]["content"]
        return Reply([say(LABELS["tie"] if clear else "هر دو خوب‌اند. شمارهٔ من 09121234567 است."), end()])

    with serving(script) as (engine, server, _):
        judged = asked(engine, tmp_path / "calls.jsonl", PAIRS)
        assert len(server.asks) == 12
    assert {place: (call.label, call.tries) for place, call in judged.calls.items()} == {
        (pair.question_id, 0, order): ("tie" if pair.question_id == "1" else None, 2)
        for pair in PAIRS
        for order in ("ab", "ba")
    }
    call = judged.calls["1", 0, "ab"]
    assert call.reply == f"هر دو خوب‌اند. شمارهٔ من [شماره همراه] است.\n\n{LABELS['tie']}"
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (14, 6), "both tries cost"
    report = score([settled for pair in PAIRS if (settled := settle(pair, judged.calls))], seed=1)
    assert report["pairs"]["unreadable"] == 2
    assert report["win_rate"]["estimate"] == 50.0
    assert report["win_rate_bounds"] == pytest.approx([100 / 6, 500 / 6])


def test_a_call_that_failed_is_told_and_asked_the_next_time(tmp_path: Path) -> None:
    broken = [True]

    def script(ask: Ask) -> Reply:
        text = ask.body["messages"][0]["content"]
        if broken[0] and "سرفه" in text:
            return refuse(400, "no such thing")
        return Reply([say(verdict(text, longer)), end()])

    with serving(script) as (engine, _, _):
        judged = asked(engine, tmp_path / "calls.jsonl", PAIRS)
        assert (len(judged.calls), len(judged.failures)) == (4, 2)
        assert "no such thing" in judged.failures[0]
        assert settle(PAIRS[1], judged.calls) is None
        broken[0] = False
        judged = asked(engine, tmp_path / "calls.jsonl", PAIRS)
        assert (len(judged.calls), judged.fresh, judged.failures) == (6, 2, [])


def test_a_server_that_refuses_everything_is_not_asked_for_all_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeform_calls, "AT_ONCE", 4)
    with serving(lambda ask: refuse(401, "wrong key")) as (engine, server, _):
        judged = asked(engine, tmp_path / "calls.jsonl", PAIRS)
    assert len(server.asks) == len(judged.failures) == 4


def test_a_torn_last_line_is_cut_away_and_a_foreign_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with serving(judging(longer)) as (engine, _, _):
        asked(engine, path, PAIRS[:1])
        whole = path.read_bytes()
        path.write_bytes(whole + whole[: len(whole) // 3])
        assert asked(engine, path, PAIRS[:1]).fresh == 0
        assert path.read_bytes() == whole
    path.write_bytes(whole + b'{"some": "thing"}\n')
    with pytest.raises(RunError, match=r"calls\.jsonl:3: column 'key': Field required"), CallLog(path):
        pass


KILLED = """
import sys, threading
from pathlib import Path
from gaokerena.engines.echo import EchoEngine, Script
from tests.evaluation.test_freeform_judge import PAIRS
from tests.evaluation.freeform_cases import asked, longer, verdict

def slow(request):
    text = verdict(request.messages[0].content, longer)
    return Script(text, delay=0.0 if "تب دارم" in request.messages[0].content else 60.0)

asked(EchoEngine({"judge": slow}), Path(sys.argv[1]) / "calls.jsonl", PAIRS, "judge")
"""


def test_a_judging_that_is_killed_goes_on_where_it_stood(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    kill_when(KILLED, tmp_path, lambda: path.exists() and path.read_bytes().count(b"\n") == 2)
    kept = path.read_bytes()
    echo = EchoEngine({"judge": lambda request: Script(verdict(request.messages[0].content, longer))})
    resumed = asked(echo, path, PAIRS, "judge")
    whole = asked(echo, tmp_path / "whole.jsonl", PAIRS, "judge")
    assert resumed.fresh == 4
    assert path.read_bytes().startswith(kept)
    labels = {place: call.label for place, call in whole.calls.items()}
    assert {place: call.label for place, call in resumed.calls.items()} == labels


@contextmanager
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: Rule) -> Iterator[ScriptedServer]:
    """Settings whose preset endpoint has only a judge, on a scripted server."""
    with ScriptedServer(judging(rule)) as server:
        config = tmp_path / "gaokerena.toml"
        config.write_text(
            f'preset = "endpoint"\n[endpoints.judge]\nbase_url = "{server.base_url}"\nmodel = "judge-32b"\n'
        )
        monkeypatch.setenv(CONFIG, str(config))
        yield server


def run(*words: str) -> Any:
    app = typer.Typer()
    app.command()(judge)
    return CliRunner().invoke(app, list(words))


QUESTIONS = ["تب دارم.", "سرفه دارم.", "سردرد دارم.", "دلم درد می‌کند."]


def answered(folder: Path) -> Path:
    return live(
        folder,
        *[row("v", text, "پاسخ کوتاه.", index=number) for number, text in enumerate(QUESTIONS)],
        *[row("r", text, "نخست فکر می‌کنم، سپس پاسخ می‌دهم.", index=number, prompting="cot")
          for number, text in enumerate(QUESTIONS)],
    )  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder of data with the questions and the doctors' answers."""
    lines = [
        {"Question": text, "Answer": f"پاسخ پزشک به «{text}»", "Source": source, "split": "test"}
        for text, source in zip(QUESTIONS, ("kqa", "kqa", "isovisit", "isovisit"), strict=True)
    ]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "mf3qa.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return folder


def test_the_command_judges_writes_and_goes_on(tmp_path: Path, suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = answered(tmp_path / "run")
    common = (str(folder), "--a", "v", "--b", "r", "--judge", "judge", "--data", str(suite))
    with configured(tmp_path, monkeypatch, longer) as server:
        first_run = run(*common, "--limit", "2")
        assert first_run.exit_code == 0, first_run.output
        assert len(server.asks) == 4
        second = run(*common)
        assert second.exit_code == 0, second.output
        assert len(server.asks) == 8, "calls of the smaller sample were asked again"
        assert all("پاسخ پزشک به" in ask.body["messages"][0]["content"] for ask in server.asks)
        assert {ask.body["model"] for ask in server.asks} == {"judge-32b"}
    report = json.loads((folder / "judge.json").read_text("utf-8"))
    assert (report["a"]["prompting"], report["b"]["prompting"], report["reference"]) == ("straight", "cot", True)
    assert report["win_rate"]["estimate"] == 0.0
    assert report["with_reference"] == 4
    assert [group["name"] for group in report["groups"]] == ["isovisit", "kqa"]
    assert report["calls"]["fresh"] == 4
    assert len((folder / "judge.calls.jsonl").read_text("utf-8").splitlines()) == 8
    assert "| win rate, ties as half" in second.output
    assert (folder / "judge.md").read_text("utf-8") in second.output


def test_without_reference_no_data_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = answered(tmp_path / "run")
    monkeypatch.delenv("GAOKERENA_DATA", raising=False)
    with configured(tmp_path, monkeypatch, first) as server:
        common = (str(folder), "--a", "v", "--b", "r", "--judge", "judge", "--out", str(tmp_path / "mine.json"))
        refused = run(*common)
        assert refused.exit_code == 2
        assert "--no-reference" in refused.output
        assert server.asks == []
        done = run(*common, "--no-reference")
        assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert (report["reference"], report["with_reference"], report["win_rate"]["estimate"]) == (False, 0, 50.0)
    assert (tmp_path / "mine.calls.jsonl").exists()


def test_transcripts_of_elsewhere_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = answered(tmp_path / "run")
    files = [word for path in sorted((folder / "transcripts").iterdir()) for word in ("--file", str(path))]
    with configured(tmp_path, monkeypatch, first):
        done = run(str(tmp_path), "--a", "v", "--b", "r:cot", "--judge", "judge", "--no-reference", *files)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "judge.json").exists()


def test_errors_name_what_is_missing(tmp_path: Path, suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = answered(tmp_path / "run")
    with configured(tmp_path, monkeypatch, first):
        unknown = run(str(folder), "--a", "v", "--b", "r", "--judge", "v", "--preset", "echo", "--no-reference")
        assert unknown.exit_code == 0, "echo has a model v; it just never gives a verdict"
        assert "v judged its own answers" in unknown.output
        nobody = run(str(folder), "--a", "v", "--b", "r", "--judge", "nobody", "--preset", "echo", "--no-reference")
        assert nobody.exit_code == 2
        assert "no model 'nobody' in the preset echo" in nobody.output
        missing = run(str(folder), "--a", "v", "--b", "base", "--judge", "judge", "--data", str(suite))
        assert missing.exit_code == 2
        assert "no mf3qa.base.straight" in missing.output


def test_failed_calls_end_in_an_error_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = answered(tmp_path / "run")
    with configured(tmp_path, monkeypatch, first) as server:
        server.script = lambda ask: refuse(401, "wrong key")
        done = run(str(folder), "--a", "v", "--b", "r", "--judge", "judge", "--no-reference")
    assert done.exit_code == 1
    assert "8 calls failed, 4 pairs are not judged (run again to ask them)" in done.output
    assert json.loads((folder / "judge.json").read_text("utf-8"))["calls"]["pairs_missing"] == 4
