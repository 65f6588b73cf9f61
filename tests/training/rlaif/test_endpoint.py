"""Methods A and B against a real server (llama.cpp, the shipped mini models): counts add up, a kill repeats no call.

The mini teacher knows no medicine, so most is dropped; which is which is its own doing. Every request passes a proxy
that counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaokerena.presets import MODELS
from tests.engines.llama_server import llama_server
from tests.training.killing import kill_when
from tests.training.rlaif.cases import door, lines, manifest, write_questions
from tests.training.rlaif.proxy import Counted, counting
from training.gguf import convert_model
from training.pair_rows import read_pairs

COMMAND = """
import sys
from training.cli import main
sys.argv = ["training", *{words!r}]
main()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = tmp_path_factory.mktemp("mini") / "base.gguf"
    convert_model(MODELS / "mini" / "base", model, "f16")
    with llama_server(model, context=8192, slots=4) as address:
        yield address


@pytest.fixture
def proxy(server: str) -> Iterator[Counted]:
    with counting(server) as counted:
        yield counted


def words(method: str, proxy: Counted, questions: Path, out: Path, *more: object) -> list[str]:
    said = ["rlaif", "--method", method, "--out", out, "--questions", questions, "--at-once", 4, "--samples", 2]
    for role in ("student", "teacher"):
        said += [f"--{role}", proxy.base_url, f"--{role}-model", "mini", f"--{role}-dialect", "llama.cpp"]
        said += [f"--{role}-tokens", 24]
    return [str(word) for word in (*said, *more)]


@pytest.mark.parametrize("method", ["a", "b"])
def test_accepted_and_dropped_add_up_and_a_second_start_asks_nothing(
    tmp_path: Path, proxy: Counted, method: str
) -> None:
    command = words(method, proxy, write_questions(tmp_path, 4), tmp_path / "out", "--turns", 2)
    first = door(*command)
    assert first.exit_code == 0, first.stderr
    found = manifest(tmp_path / "out")
    assert (found["outcome"], found["accounting"]["asked"], found["accounting"]["failed"]) == ("complete", 4, 0)
    assert len(read_pairs(tmp_path / "out" / "pairs.jsonl")) == found["accounting"]["accepted"]
    assert found["calls"]["finished"] == len(proxy.answered) == len(set(proxy.asked)) == len(proxy.asked)
    assert not found["tokens_estimated"]
    assert found["tokens"] == sum(
        row["prompt_tokens"] + row["completion_tokens"] for row in lines(tmp_path / "out" / "calls.jsonl")
    )
    count = len(proxy.asked)
    pairs, dropped = ((tmp_path / "out" / name).read_bytes() for name in ("pairs.jsonl", "dropped.jsonl"))
    (tmp_path / "out" / "manifest.json").unlink()
    assert door(*command).exit_code == 0
    assert len(proxy.asked) == count
    assert pairs == (tmp_path / "out" / "pairs.jsonl").read_bytes()
    assert dropped == (tmp_path / "out" / "dropped.jsonl").read_bytes()


def test_killed_in_its_middle_it_goes_on_without_repeating_a_call(tmp_path: Path, proxy: Counted) -> None:
    questions, out = write_questions(tmp_path, 6), tmp_path / "out"
    command, calls = words("a", proxy, questions, out), out / "calls.jsonl"
    out.mkdir()
    kill_when(COMMAND.format(words=command), tmp_path, lambda: calls.exists() and calls.read_bytes().count(b"\n") >= 7)
    assert not (out / "manifest.json").exists()
    before = calls.read_bytes()
    whole = before[: before.rfind(b"\n") + 1]
    kept = [json.loads(line) for line in whole.splitlines()]
    calls.write_bytes(whole + b'{"key":"torn')
    asked = len(proxy.asked)
    again = door(*command)
    assert again.exit_code == 0, again.stderr
    assert calls.read_bytes().startswith(whole)
    found = manifest(out)
    assert (found["outcome"], found["starts"], found["accounting"]["asked"]) == ("complete", 2, 6)
    later = proxy.asked[asked:]
    assert len(set(later)) == len(later) == found["calls"]["asked_now"]
    seeds, again_seeds = {row["seed"] for row in kept}, {json.loads(name)[2] for name in later}
    assert seeds.isdisjoint(again_seeds), "a call that had ended was asked again"
    assert seeds | again_seeds == {row["seed"] for row in lines(calls)}


def test_the_budget_holds_against_a_real_server(tmp_path: Path, proxy: Counted) -> None:
    questions, out = write_questions(tmp_path, 4), tmp_path / "out"
    command = words("b", proxy, questions, out, "--turns", 2)
    assert door(*command, "--budget-tokens", 6_000).exit_code == 0
    stopped = manifest(out)
    assert stopped["outcome"] == "stopped by budget"
    assert 0 < stopped["tokens"] <= 6_000
    assert stopped["accounting"]["not_reached"] > 0
    assert door(*command).exit_code == 0
    assert manifest(out)["outcome"] == "complete"
    assert len(set(proxy.asked)) == len(proxy.asked)
