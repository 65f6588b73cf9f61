"""The hands of the circle's test: doors in processes of their own, the real engine, doctors over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from annotation.items import Item
from gaokerena.answers import Answer
from gaokerena.comparisons import Comparison, seat
from gaokerena.engines.base import Request
from gaokerena.engines.local import LocalEngine
from gaokerena.expert_verdicts import Grade
from gaokerena.gather import Gathering
from gaokerena.presets import PLANS
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from gaokerena.store import Store
from tests.circle.wish import sends_to_doctor

ROOT = Path(__file__).parents[2]
OFFLINE = {
    "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost",
    "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
}  # fmt: skip
SERVER = os.environ.get("ANNOTATION_ENVIRONMENT") or str(Path.home() / ".cache/gaokerena/annotation-server")


def environment() -> dict[str, str]:
    """This one without settings, data and network."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GAOKERENA_")} | OFFLINE


def door(place: Path, package: Literal["annotation", "training"], *words: str, status: int = 0) -> str:
    """What `python -m PACKAGE …` prints, run in `place`; with another exit status, what it says of the error."""
    command = [sys.executable, "-m", package, *words]
    done = subprocess.run(command, cwd=place, env=environment(), capture_output=True, text=True, timeout=900)
    assert done.returncode == status, f"{' '.join(words)}: {done.stderr[-3000:]}"
    return done.stderr if status else done.stdout


@contextmanager
def argilla(place: Path) -> Iterator[str]:
    """The real server, started as a person would; its address."""
    words = ["serve", "--port", "0", "--home", "argilla", "--environment", SERVER, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "annotation", *words], cwd=place, env=environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            yield str(json.loads(server.stdout.readline())["url"])
        finally:
            server.terminate()
            server.wait(30)


def answered(
    models: Path, adapters: Mapping[str, Path], questions: Sequence[Question], seed: int
) -> dict[str, list[Answer]]:
    """Each question answered by each adapter as the page asks it: V straight, R with a chain of thought."""
    engine = LocalEngine(
        str(models / "base"), {name: str(path) for name, path in adapters.items()}, max_rows=32, threads=1
    )
    try:
        asked = [
            (question, _request(name, question, seed + place))
            for place, question in enumerate(questions)
            for name in adapters
        ]
        gathering = [Gathering(question, request) for question, request in asked]
        said: dict[int, Answer] = {}
        for row, event in engine.stream([request for _, request in asked]):
            if answer := gathering[row].add(event):
                said[row] = answer
    finally:
        engine.close()
    found: dict[str, list[Answer]] = {name: [] for name in adapters}
    for row in range(len(asked)):
        found[said[row].model].append(said[row])
    return found


def _request(name: str, question: Question, seed: int) -> Request:
    how: Prompting = "straight" if name == "v" else "cot"
    return Request(name, tuple(messages(question, how)), how, PLANS["mini"].samplings[how], seed, question.id)


def keep(path: Path, questions: Sequence[Question], said: Mapping[str, Sequence[Answer]]) -> None:
    """The comparisons in the page's store, as visitors who agreed would have left them."""
    with Store(path) as store:
        for number, question in enumerate(questions):
            name = f"c{number:04}"
            left, right = seat(("v", "r"), 1, name)
            answers = {"left": said[left][number], "right": said[right][number]}
            store.add_comparison(
                Comparison.model_validate(
                    {"id": name, "question": question, "left": left, "right": right, "seed": 1, "consent": True}
                    | {"answers": answers}
                )
            )


def grade(item: Item) -> Grade:
    """What every doctor says: the one that sends to a doctor is much better; both or neither are alike."""
    left, right = (sends_to_doctor(item.sides[side].text) for side in ("left", "right"))
    if left == right:
        return "equal" if left else "both_bad"
    return "left_much" if left else "right_much"
