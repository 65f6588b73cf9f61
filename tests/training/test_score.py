"""A reward model as verifier: what it settles, and that `evaluate` counts its file as the rule `verifier`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gaokerena.evaluation.evaluate import evaluate
from gaokerena.messages import Message
from gaokerena.transcripts import Transcript, read, write
from tests import tiny
from tests.training import small
from training import reward, score
from training.cli import app
from training.errors import TrainingError
from training.manifest import read_jsonl

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

DRUGS = ("آسپرین", "استامینوفن", "مورفین", "دیازپام")
CHOSEN = ["BBBAC", "ABCDA", "BABA-", "-----", "DDDDD", "AABBC"]
"""What runs 1 to 5 choose of each question: two agree, four do not; `-` is an answer without an option."""


def said(letter: str, place: int, run: int) -> str:
    return f"گفتهٔ {place}/{run}. " + ("نمی‌دانم." if letter == "-" else f"بنابراین پاسخ درست گزینهٔ [{letter}] است.")


def answers(folder: Path, model: str = "r", chosen: list[str] = CHOSEN) -> list[Transcript]:
    a, b, c, d = DRUGS
    return [
        Transcript(
            suite="drugs", subject="درد", question_index=place, question=f"کدام دارو برای مورد {place}؟", option_a=a,
            option_b=b, option_c=c, option_d=d, gold="B", model=model, prompting="cot", run=run + 1,
            prompt=f"پرسش {place}", response=said(letter, place, run + 1),
            annotated_choice=None if letter == "-" else letter,
        )
        for place, letters in enumerate(chosen)
        for run, letter in enumerate(letters)
    ]  # fmt: skip


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Recordings of two models in one file, and of one that was asked only once."""
    rows = [*answers(tmp_path), *answers(tmp_path, "v", ["ABCDA"] * 6), *answers(tmp_path, "base", ["A"] * 6)]
    write(rows, tmp_path / "answers.jsonl")
    return tmp_path / "answers.jsonl"


def prefers(letter: str, seen: list[list[Message]] | None = None) -> score.Score:
    """A scorer that likes answers for one option, the later run a little less."""

    def scored(chats: list[list[Message]]) -> list[float]:
        if seen is not None:
            seen.extend(chats)
        return [float(f"[{letter}]" in chat[-1].content) for chat in chats]

    return scored


def test_what_is_open_is_scored_and_the_best_answer_decides(recorded: Path) -> None:
    (sampled,) = score.answers_in(recorded, "r")
    seen: list[list[Message]] = []
    rows = score.verified(sampled, prefers("B", seen), "reward", "rev")
    assert [row["self_consistent_choice"] for row in rows] == ["B", None, None, None, "D", None]
    assert [row["final_choice"] for row in rows] == ["B", "B", "B", None, "D", "B"]
    assert score.counts(rows) == {"questions": 6, "agreed": 2, "scored": 3, "without_option": 1}
    assert len(seen) == 5 + 4 + 0 + 5, "only answers that choose an option, only of open questions"
    assert seen[0] == [Message("user", "پرسش 1"), Message("assistant", said("A", 1, 1))], "after its own prompt"
    assert rows[2]["scores"] == [1.0, 0.0, 1.0, 0.0, None]


def test_of_equal_scores_the_earlier_run_decides(recorded: Path) -> None:
    (sampled,) = score.answers_in(recorded, "r")
    rows = score.verified(sampled, lambda chats: [0.0] * len(chats), "reward", "rev")
    assert [row["final_choice"] for row in rows] == ["B", "A", "B", None, "D", "A"]


def test_the_evaluation_takes_the_file_and_counts_the_rule(recorded: Path, tmp_path: Path) -> None:
    (sampled,) = score.answers_in(recorded, "r")
    path = tmp_path / "verifier.jsonl"
    score.write(path, score.verified(sampled, prefers("B"), "reward", "rev"))
    found = evaluate(recorded, verifiers=[path], extract=False)
    (used,) = found.verified
    assert (used["model"], used["rows"], used["unmatched"]) == ("r", 6, 0)
    accuracy = {
        (one.model, one.rule): float(one.scores.mean())
        for one in found.suites["drugs"].decisions
        if one.prompting == "cot"
    }
    assert accuracy["r", "verifier"] == pytest.approx(4 / 6), "two open ones and the agreed one became right"
    assert accuracy["r", "sc3of5"] == pytest.approx(1 / 6)


def test_each_model_gets_a_file_of_its_own_and_one_run_none(recorded: Path) -> None:
    assert [one.first.model for one in score.answers_in(recorded, None)] == ["r", "v"]
    with pytest.raises(TrainingError, match="nobody answered every question of a suite 5 times"):
        score.answers_in(recorded, "base")
    with pytest.raises(TrainingError, match="no such file"):
        score.answers_in(recorded.with_name("none.jsonl"), None)


def test_the_door_scores_with_a_trained_model(recorded: Path, tmp_path: Path) -> None:
    tiny.make_tiny(tmp_path)
    recipe = small.reward_recipe(tmp_path / "base", optimiser=small.optimiser(max_steps=2))
    reward.train(recipe, small.pairs(tmp_path), None, tmp_path / "run", small.manifest())
    given: list[Any] = ["score", tmp_path / "run" / "adapter", recorded, "--base", tmp_path / "base", "--json"]
    done = CliRunner().invoke(app, [str(each) for each in given], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert [(row["questions"], row["agreed"]) for row in told] == [(6, 2), (6, 0)]
    for row in told:
        rows = read_jsonl(Path(row["file"]))
        settled = [each for one in rows if not one["self_consistent_choice"] for each in one["scores"]]
        assert len({each for each in settled if each is not None}) > 5, "each answer has a score of its own"
    evaluate(recorded, verifiers=[Path(row["file"]) for row in told], extract=False)
    assert len(list(read(recorded))) == 66
