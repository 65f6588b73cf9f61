"""Stopped by Ctrl-C or killed, again and again: what was under way stays paid, what had ended is not asked again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.retry import RetryPolicy
from gaokerena.evaluation.progress import Prices
from gaokerena.messages import Message
from tests.engines.scripted_server import Ask, Hold, Reply, ScriptedServer, end, refuse, say
from tests.training.killing import PATIENCE, ROOT
from tests.training.rlaif.cases import (
    Said,
    arguments,
    chain,
    content,
    door,
    lines,
    manifest,
    named,
    party,
    write_questions,
    wrong,
)
from training.rlaif.budget import Spent, at_most
from training.rlaif.calls import Call, CallLog
from training.rlaif.charging import STOPPED
from training.rlaif.questions import Task

SCRIPT = "import sys; from training.cli import main; sys.argv = ['training', *sys.argv[1:]]; main()"
BUDGET, AT_ONCE, ANSWERED = 12_000, 3, 5


def stopped_when_held(
    words: list[str], server: ScriptedServer, how: signal.Signals, answered: int = ANSWERED
) -> int | None:
    """Run the command; once the server holds a call and all it `answered` is kept, stop it.

    Its exit status, None where it had to be stopped.
    """
    known, calls = max(len(server.asks), answered), Path(words[words.index("--out") + 1]) / "calls.jsonl"

    def held(one: ScriptedServer) -> bool:
        return bool(one.busy) and len(one.asks) > known and (not answered or _whole(calls) == answered)

    with subprocess.Popen([sys.executable, "-c", SCRIPT, *words], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        assert server.wait_until(lambda one: process.poll() is not None or held(one), PATIENCE)
        if (ended := process.poll()) is not None:
            return ended
        process.send_signal(how)
        process.communicate(timeout=PATIENCE)
    assert server.wait_until(lambda one: not one.busy)
    return None


def _whole(calls: Path) -> int:
    """How many calls are kept that came to their end."""
    return calls.read_bytes().count(b'"end":"stop"') if calls.exists() else 0


def most(ask: Ask) -> int:
    """What a server may charge for a request it was sent and that never ended."""
    turns = tuple(Message(turn["role"], turn["content"]) for turn in ask.body["messages"])
    return at_most([Request("m", turns, sampling=Sampling(max_new_tokens=ask.body["max_tokens"]))], Prices()).tokens


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_stopping_again_and_again_does_not_walk_past_the_budget(tmp_path: Path, how: signal.Signals) -> None:
    """The server answers its first calls and holds every later one, then answers all."""
    questions, out, holding = write_questions(tmp_path), tmp_path / "out", True

    def script(ask: Ask) -> Reply:
        if holding and ask.number > ANSWERED:
            return Reply([Hold()])
        one = named(ask.body)
        said = chain(one) if ask.body["model"] == "teacher" else wrong(one)
        return Reply([say(said), end(prompt=200, completion=50)])

    with ScriptedServer(script) as server:
        words = arguments("a", server.base_url, questions, out, "--at-once", AT_ONCE, "--student-tokens", 50)
        words += ["--teacher-tokens", "100", "--timeout", "60", "--budget-status", "3"]
        starts = 1
        while stopped_when_held([*words, "--budget-tokens", str(BUDGET)], server, how) is None:
            starts += 1
            assert starts < 20, "the budget never stopped it"
        held, found = server.asks[ANSWERED:], manifest(out)
        assert 250 * ANSWERED + sum(map(most, held)) <= found["tokens"] <= BUDGET
        assert (found["outcome"], found["calls"]["finished"]) == ("stopped by budget", ANSWERED)
        lost = found["calls"]["failed"] if how == signal.SIGINT else found["calls"]["lost"]
        assert lost >= len(held) >= starts - 1 > 0
        holding = False
        assert door(*words).exit_code == 0
    assert manifest(out)["outcome"] == "complete"
    again = {content(ask) for ask in server.asks[ANSWERED:]}
    assert again.isdisjoint(content(ask) for ask in server.asks[:ANSWERED]), "a call that had ended was asked again"


def test_every_try_is_paid_and_within_the_budget(tmp_path: Path) -> None:
    """The teacher's stream breaks off twice before a word came: the server may have charged for both."""
    questions = write_questions(tmp_path, 1)

    def teacher(one: Task, before: int) -> Said | str:
        return Said(reply=Reply([])) if before < 2 else chain(one)

    def run(name: str, *more: object) -> tuple[dict[str, Any], list[int]]:
        with party(teacher) as server:
            words = arguments("a", server.base_url, questions, tmp_path / name, "--teacher-tokens", 100, *more)
            assert door(*words).exit_code == 0
            return manifest(tmp_path / name), [most(ask) for ask in server.asks if ask.body["model"] == "teacher"]

    whole, tries = run("free")
    assert (whole["outcome"], whole["calls"]["failed"], whole["accounting"]["accepted"]) == ("complete", 2, 1)
    assert whole["tokens"] == 250 + tries[0] + tries[1] + 250
    less, tries = run("less", "--budget-tokens", 250 + 3 * tries[0] - 1)
    assert (less["outcome"], less["tokens"], len(tries)) == ("stopped by budget", 250 + 2 * tries[0], 2)


def test_the_wait_a_server_asks_for_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy three times: three pauses, each as long as it says, and the fourth try is answered."""
    asked: list[tuple[int, float | None]] = []

    def pause(policy: RetryPolicy, failures: int, retry_after: float | None = None) -> float | None:
        if policy.attempts == 1:
            return None
        asked.append((failures, retry_after))
        return 0.0

    def teacher(one: Task, before: int) -> Said | str:
        return Said(reply=refuse(429, "busy", {"retry-after": "7"})) if before < 3 else chain(one)

    monkeypatch.setattr(RetryPolicy, "pause", pause)
    with party(teacher) as server:
        assert door(*arguments("a", server.base_url, write_questions(tmp_path, 1), tmp_path / "out")).exit_code == 0
    assert asked == [(1, 7.0), (2, 7.0), (3, 7.0)]
    assert (manifest(tmp_path / "out")["tokens"], len(server.asks)) == (500, 5)


def test_a_call_that_waited_in_the_line_when_it_was_stopped_costs_nothing(tmp_path: Path) -> None:
    """One place at the server, three samples: two never left."""
    questions = write_questions(tmp_path, 1)
    with party(lambda one, before: chain(one), lambda one, before: Said(reply=Reply([Hold()]))) as server:
        words = arguments("a", server.base_url, questions, tmp_path / "out", "--at-once", 1, "--timeout", 60)
        assert stopped_when_held([*words, "--samples", "3"], server, signal.SIGINT, 0) is None
        (sent,) = map(most, server.asks)
    rows = lines(tmp_path / "out" / "calls.jsonl")
    assert sorted(row["prompt_tokens"] + row["completion_tokens"] for row in rows) == [0, 0, sent]
    assert {(row["end"], row["detail"]) for row in rows} == {("failed", STOPPED)}


def test_each_end_answers_for_one_beginning(tmp_path: Path) -> None:
    """Begun three times, ended twice (failed, then whole): one is lost, and paid."""
    path, most = tmp_path / "calls.jsonl", Spent(70, 30, 0.5)
    with CallLog(path) as log:
        for ended in ("failed", None, "stop"):
            log.begin("teacher", ["k"], most)
            if ended:
                log.add(call(ended))
    with CallLog(path) as log:
        assert (log.lost, log.spent["teacher"], log.estimated) == (1, most + Spent(20, 4), True)
        assert (log.find("k"), log.ends["failed"]) == (call("stop"), 1)


def call(ended: Literal["stop", "failed"]) -> Call:
    return Call(
        key="k", role="teacher", question_id="q", seed=1, reply="", end=ended, prompt_tokens=10, completion_tokens=2,
        estimated=False, money=0.0, revision="", at="",
    )  # fmt: skip
