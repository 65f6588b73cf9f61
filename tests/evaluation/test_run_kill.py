"""`evaluate run` killed in its middle (SIGKILL, a process of its own) and run again, on the mini pair and on a server.

The mini model's answers are short here: what matters is that a block was under way. It computes in bfloat16, where an
answer's text depends on what is computed with it, so that a block that was put together differently would show.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engines.scripted_server import Ask, Hold, Reply, ScriptedServer, end, refuse, say
from tests.evaluation.live_cases import ASKED, DOOR, by_place, door, lines, write_suite
from tests.training.killing import kill_when

MINI = ("--model", "r", "--prompting", "cot", "--preset", "mini", "--max-new-tokens", 40, "--batch", 12)
PAUSE = 0.08
"""Seconds between two rows in the process that is killed, so that a kill hits between them."""


def arguments(suite: Path, out: Path, *more: object) -> list[str]:
    return [str(word) for word in ("run", "--suite", suite, "--out", out, *more)]


def kill_after(rows: int, path: Path, command: Sequence[str]) -> bytes:
    """Run the command in a process of its own, kill it once so many rows are there; the whole rows there are then."""
    script = DOOR.format(pause=PAUSE, arguments=list(command))
    kill_when(script, path.parent, lambda: path.exists() and path.read_bytes().count(b"\n") >= rows)
    return path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1]


def test_a_killed_run_of_the_mini_model_ends_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAOKERENA_DTYPE", "bfloat16")
    suite = write_suite(tmp_path)
    whole = door(*arguments(suite, tmp_path / "whole", *MINI))
    assert whole.exit_code == 0, whole.stderr
    killed = tmp_path / "killed" / "transcripts" / "drugs.r.cot.jsonl"
    before = kill_after(14, killed, arguments(suite, tmp_path / "killed", *MINI))
    assert 14 <= before.count(b"\n") < 20, "the kill did not hit the second of three blocks"
    killed.write_bytes(before + b'{"suite":"drugs","subj')
    again = door(*arguments(suite, tmp_path / "killed", *MINI))
    assert again.exit_code == 0, again.stderr
    assert killed.read_bytes().startswith(before), "rows that were there have changed"
    expected = lines(tmp_path / "whole" / "transcripts" / "drugs.r.cot.jsonl")
    assert by_place(lines(killed)) == by_place(expected)
    assert len({row["seed"] for row in expected}) == 25
    assert len({row["response"] for row in expected}) > 20, "samples of a question are to differ"
    outcome = json.loads((tmp_path / "killed" / "runs" / "drugs.r.cot.json").read_text("utf-8"))
    assert (outcome["starts"], outcome["outcome"]["differing"], outcome["outcome"]["complete"]) == (2, 0, True)


def test_greedy_answers_are_the_same_twice_and_tell_their_sampling(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    greedy = ("--model", "v", "--prompting", "straight", "--preset", "mini", "--temperature", 0, "--max-new-tokens", 24)
    for name in ("one", "two"):
        result = door(*arguments(suite, tmp_path / name, *greedy, "--seed", 1 if name == "one" else 2))
        assert result.exit_code == 0, result.stderr
    one, two = (by_place(lines(tmp_path / name / "transcripts" / "drugs.v.straight.jsonl")) for name in ("one", "two"))
    assert [row["response"] for row in one] == [row["response"] for row in two]
    assert [row["seed"] for row in one] != [row["seed"] for row in two]
    content = json.loads((tmp_path / "one" / "runs" / "drugs.v.straight.json").read_text("utf-8"))
    assert content["about"]["sampling_note"] == "the preset mini has a sampling of its own, not the papers'"
    assert content["deciding"]["sampling"]["repetition_penalty"] == 1.2
    assert content["deciding"]["batch"] == 16
    assert "threads" in content["deciding"]["device"]


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Settings of one served model `q`, for this process and those it starts."""

    def settings(server: ScriptedServer, **more: object) -> tuple[object, ...]:
        table = {"base_url": server.base_url, "model": "qwen", "revision": "q-1", **more}
        path = tmp_path / "settings.toml"
        written = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        path.write_text("\n".join(['preset = "endpoint"', "[endpoints.q]", *written]) + "\n", "utf-8")
        monkeypatch.setenv("GAOKERENA_CONFIG", str(path))
        return ("--model", "q", "--prompting", "cot")

    return settings


def test_a_killed_run_on_a_server_asks_for_no_answer_twice(tmp_path: Path, asking: Any) -> None:
    suite, path = write_suite(tmp_path), tmp_path / "out" / "transcripts" / "drugs.q.cot.jsonl"

    def script(ask: Ask) -> Reply:
        answer = [say(f"پاسخ {ask.body['seed']}: "), say("گزینهٔ [B]."), end(prompt=11, completion=4)]
        return Reply(answer if ask.number <= 9 or ask.number > 25 else [Hold()])

    with ScriptedServer(script) as server:
        served = asking(server, price_prompt=2.0, price_completion=10.0)
        before = kill_after(9, path, arguments(suite, tmp_path / "out", *served))
        assert before.count(b"\n") == 9
        assert server.wait_until(lambda server: server.busy == 0)
        first, kept = len(server.asks), {row["seed"] for row in lines(path)}
        result = door(*arguments(suite, tmp_path / "out", *served, "--json"))
    assert result.exit_code == 0, result.stderr
    again = [ask.body["seed"] for ask in server.asks[first:]]
    assert len(again) == 16
    assert kept.isdisjoint(again), "an answer that was there was paid for again"
    assert kept | set(again) == {row["seed"] for row in lines(path)}
    assert all(row["response"] == f"پاسخ {row['seed']}: گزینهٔ [B]." for row in lines(path))
    summary = json.loads(result.stdout)
    assert summary["cost"] == pytest.approx(25 * (11 * 2.0 + 4 * 10.0) / 1e6)
    assert (summary["prompt_tokens"], summary["completion_tokens"]) == (25 * 11, 25 * 4)


def test_what_a_server_refuses_is_tried_again_and_listed(tmp_path: Path, asking: Any) -> None:
    suite = write_suite(tmp_path)
    bad = "کدام دارو وابستگی می‌آورد؟"

    def script(ask: Ask) -> Reply:
        if bad in ask.body["messages"][0]["content"]:
            return refuse(400, "context length exceeded")
        return Reply([say("[B]"), end()])

    with ScriptedServer(script) as server:
        command = arguments(suite, tmp_path / "out", *asking(server), "--samples", 2)
        result = door(*command, "--retries", 1)
        asked = Counter(ask.body["messages"][0]["content"].split("\n")[0] for ask in server.asks)
        assert result.exit_code == 1
        assert "2 answers are missing, 2 failed, the first: qwen at" in result.stderr
        assert asked[bad] == 4
        assert all(count == 2 for text, count in asked.items() if text != bad)
        server.script = lambda ask: Reply([say("[B]"), end()])
        assert door(*command).exit_code == 0
    assert len(lines(tmp_path / "out" / "transcripts" / "drugs.q.cot.jsonl")) == 10


def test_another_model_behind_the_same_name_is_refused(tmp_path: Path, asking: Any) -> None:
    suite = write_suite(tmp_path)
    with ScriptedServer(lambda ask: Reply([say("[B]"), end()])) as server:
        served = asking(server)
        assert door(*arguments(suite, tmp_path / "out", *served)).exit_code == 0
        asking(server, model="llama")
        result = door(*arguments(suite, tmp_path / "out", *served))
        assert (result.exit_code, "served.q.model is 'llama' now and was 'qwen'" in result.stderr) == (2, True)
        asking(server, revision="q-2")
        assert "revision is 'q-2' now and was 'q-1'" in door(*arguments(suite, tmp_path / "out", *served)).stderr


def test_a_pipeline_keeps_its_translation_and_is_asked_in_english(
    tmp_path: Path, asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = write_suite(tmp_path, ["شماره‌ام ۰۹۱۲۳۴۵۶۷۸۹ است. کدام دارو؟", *ASKED[1:]])

    def script(ask: Ask) -> Reply:
        shown = ask.body["messages"][0]["content"]
        if shown.startswith("Translate"):
            return Reply([say("Which drug?\n[A] Aspirin\n[B] Paracetamol\n[C] Morphine\n[D] Diazepam"), end()])
        return Reply([say("The answer is [D]." if "\n[D] Diazepam\n" in shown else "?"), end()])

    with ScriptedServer(script) as server:
        served = asking(server)
        monkeypatch.setenv("GAOKERENA_PIPELINES", json.dumps({"pivot": {"translator": "q", "answerer": "q"}}))
        result = door(*arguments(suite, tmp_path / "out", "--model", "pivot", *served[2:], "--samples", 3))
    assert result.exit_code == 0, result.stderr
    rows = lines(tmp_path / "out" / "transcripts" / "drugs.pivot.cot.jsonl")
    assert len(server.asks) == 5 + 15
    sent = [ask.body["messages"][0]["content"] for ask in server.asks]
    assert not any("۰۹۱۲۳۴۵۶۷۸۹" in text for text in [*sent, *(row["prompt"] for row in rows)])
    assert {(row["choice"], row["translation"].split("\n")[0]) for row in rows} == {("D", "Which drug?")}
    assert sum(row["usage"]["prompt_tokens"] for row in rows) == 7 * 20
    content = json.loads((tmp_path / "out" / "runs" / "drugs.pivot.cot.json").read_text("utf-8"))
    assert content["deciding"]["pipeline"] == {"translator": "q", "answerer": "q"}
