"""The tasks for lm-eval, run offline by its own command on the mini pair: the same choices as our engine's.

Needs requirements-evaluate.txt (`make test` installs it).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.local import LocalEngine
from gaokerena.evaluation.lm_eval import utils
from gaokerena.evaluation.suites import Item, SuiteError, load_suite
from gaokerena.options import read_option
from gaokerena.presets import MODELS
from gaokerena.prompts import messages
from gaokerena.questions import Prompting
from tests.engines.contract import play
from tests.evaluation.lm_eval_suite import make

ROOT = Path(__file__).parent.parent.parent
TASKS = ROOT / "gaokerena" / "evaluation" / "lm_eval"
SUITES = ("mmlu_fa", "ibmsee_2023", "kopp_larger")
PROMPTINGS: tuple[Prompting, ...] = ("straight", "cot")
SUBJECTS = {
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine"
}  # fmt: skip
TOKENS = 48
MINI = MODELS / "mini"


@dataclass(frozen=True)
class Run:
    """What lm-eval wrote: its results, and every sample by (task's prompting, question's id)."""

    results: dict[str, Any]
    samples: dict[tuple[str, str], dict[str, Any]]


_COMMANDS = """
import json, sys
from lm_eval.__main__ import cli_evaluate
for words in json.loads(sys.argv[1]):
    sys.argv = ["lm_eval", *words]
    cli_evaluate()
"""
"""`python -m lm_eval` as README.md writes it, several times in one process: importing torch takes longest."""


def words(folder: Path, adapter: str) -> list[str]:
    """The command that measures the mini base with this adapter on all tasks."""
    tasks = ",".join(f"gaokerena_{suite}_{prompting}" for suite in SUITES for prompting in PROMPTINGS)
    arguments = f"pretrained={MINI / 'base'},peft={MINI / adapter},dtype=float32"
    return [
        "run", "--model", "hf", "--model_args", arguments, "--device", "cpu", "--batch_size", "16",
        "--apply_chat_template", "--include_path", str(TASKS), "--tasks", tasks,
        "--gen_kwargs", f"max_gen_toks={TOKENS}", "--output_path", str(folder / adapter / "out.json"), "--log_samples",
    ]  # fmt: skip


def run(folder: Path) -> Run:
    """What the command left in `folder`."""
    (results,) = folder.glob("out_*.json")
    samples = {}
    for path in folder.glob("samples_*.jsonl"):
        prompting = "straight" if "_straight" in path.name else "cot"
        for line in path.read_text("utf-8").splitlines():
            sample = json.loads(line)
            samples[prompting, sample["doc"]["question_id"]] = sample
    return Run(json.loads(results.read_text("utf-8"))["results"], samples)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def theirs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """lm-eval's runs of v and r, without a network: a proxy that nobody answers stands in its way."""
    folder = tmp_path_factory.mktemp("lm_eval")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    own = {"GAOKERENA_DATA": str(data), "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _COMMANDS, json.dumps([words(folder, name) for name in ("v", "r")])]
    environment = {**os.environ, **nowhere, **own}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: run(folder / name) for name in ("v", "r")}


@pytest.fixture(scope="module")
def ours() -> Iterator[LocalEngine]:
    engine = LocalEngine(
        str(MINI / "base"), {name: str(MINI / name) for name in ("v", "r")}, dtype="float32", threads=1
    )
    yield engine
    engine.close()


def scored(data: Path, suite: str) -> list[Item]:
    return [item for item in load_suite(suite, data).askable if item.gold]


def answers(engine: LocalEngine, model: str, prompting: Prompting, items: list[Item]) -> list[str]:
    """What our engine answers greedily, whole: thought and conclusion."""
    sampling = Sampling(max_new_tokens=TOKENS)
    requests = [Request(model, messages(item.question(), prompting), prompting, sampling) for item in items]
    return [row.reasoning + row.text for row in play(engine, *requests)]


@pytest.mark.parametrize("model", ["v", "r"])
def test_lm_eval_finds_what_our_engine_finds(model: str, data: Path, ours: LocalEngine, theirs: dict[str, Run]) -> None:
    found, letters = theirs[model], set()
    for prompting in PROMPTINGS:
        for suite in SUITES:
            items = scored(data, suite)
            right = 0
            for item, said in zip(items, answers(ours, model, prompting, items), strict=True):
                sample = found.samples[prompting, item.question().id]
                assert sample["resps"] == [[said]], "greedy text differs"
                choice = read_option(said, item.options, question=item.text).choice
                assert sample["filtered_resps"] == [choice or ""]
                letters.add(choice)
                right += choice == item.gold
            figures = found.results[f"gaokerena_{suite}_{prompting}"]
            assert figures["acc,read_option"] == pytest.approx(right / len(items)), "not the micro average"
            assert figures["sample_len"] == len(items)
    assert len(letters - {None}) > 1, "one letter for everything proves little"


def test_every_suite_has_its_tasks() -> None:
    from lm_eval.tasks import TaskManager

    known = TaskManager(include_path=str(TASKS), include_defaults=False)
    for prompting in PROMPTINGS:
        assert {f"gaokerena_{suite}_{prompting}" for suite in SUITES} <= set(known.all_tasks)
    assert len(known.all_subtasks) == 2 * (6 + 2)
    assert len(known.all_groups) == 2


@pytest.mark.parametrize("prompting", PROMPTINGS)
def test_the_average_of_subjects_is_over_questions(
    prompting: Prompting, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right in anatomy alone, 3 of 10 questions: the mean of the six subjects would be one sixth."""
    from lm_eval.tasks import TaskManager

    monkeypatch.setenv("GAOKERENA_DATA", str(data))
    name = f"gaokerena_mmlu_fa_{prompting}"
    group = TaskManager(include_path=str(TASKS), include_defaults=False).load([name])["groups"][name]
    tasks = {task.task_name: task for task in group.get_all_tasks()}
    assert {task.task_docs[0]["subject"] for task in tasks.values()} == SUBJECTS
    for metric in ("acc", "negative_marking", "no_choice"):
        figures = {
            name: {f"{metric},read_option": float("anatomy" in name), "sample_len": len(task.task_docs)}
            for name, task in tasks.items()
        }
        assert group.aggregate(figures)[f"{metric},read_option"] == pytest.approx(0.3)


def test_rows_are_those_with_a_key_and_carry_our_prompt(data: Path) -> None:
    rows = list(utils.load("kopp_larger", "cot", data=str(data), config_source="ignored")["test"])
    assert [(row["gold"], row["index"]) for row in rows] == [("A", 0), ("B", 0)]
    item = scored(data, "kopp_larger")[0]
    assert rows[0]["prompt"] == messages(item.question(), "cot")[0].content
    assert rows[0]["options"] == list(item.options)
    only = utils.load("mmlu_fa", "straight", subject="medical_genetics", data=str(data))["test"]
    assert {row["subject"] for row in only} == {"medical_genetics"}
    assert len(only) == 2


def test_a_subject_that_is_not_there_is_named(data: Path) -> None:
    with pytest.raises(SuiteError, match="no question of subject 'surgery' with a key in mmlu_fa; there are anatomy"):
        utils.load("mmlu_fa", "straight", subject="surgery", data=str(data))


DOC = {"question": "کدام درست است؟", "options": ["سر", "دست", "پا", "چشم"], "gold": "B"}


@pytest.mark.parametrize(
    ("said", "letter", "figures"),
    [
        ("پاسخ درست گزینهٔ [B] است.", "B", {"acc": 1.0, "negative_marking": 1.0, "no_choice": 0.0}),
        ("پاسخ درست گزینهٔ [C] است.", "C", {"acc": 0.0, "negative_marking": -1 / 3, "no_choice": 0.0}),
        ("نمی‌دانم.", "", {"acc": 0.0, "negative_marking": 0.0, "no_choice": 1.0}),
    ],
)
def test_a_response_is_read_and_scored(said: str, letter: str, figures: dict[str, float]) -> None:
    assert list(utils.read([[said]], [DOC])) == [[letter]]
    assert utils.score(DOC, [letter]) == figures
