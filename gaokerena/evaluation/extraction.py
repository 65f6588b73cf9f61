"""How well the option reader reads what people read: agreement on recorded answers, and every disagreement.

    reading = begin(rows)                                # answers are read by worker processes meanwhile
    read = reading()                                     # the letter and the reason of every response
    measured(rows, read, seed=1)                         # by model and prompting
    write_disagreements(Path("wrong.jsonl"), rows, read)

Not covered: who of the two is right.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.answers import Rows
from gaokerena.evaluation.resampling import by_length, intervals
from gaokerena.files import atomic
from gaokerena.options import Reading, read_option
from gaokerena.questions import Letter

_ALONE = 2_000
"""As many answers are read faster than a worker starts."""
_AT_ONCE = 500
_KEPT = 20_000
"""Characters read at each end of a longer answer; the longest published one has 5,000."""

Array = NDArray[np.float64]
Answered = tuple[str, tuple[str, ...]]
"""A response, and (question, four options)."""


def begin(rows: Rows, workers: int | None = None) -> Callable[[], list[Reading]]:
    """Begin to read every response, one worker process a core; calling what comes back waits for the readings.

    They are what `read_option` gives, in order. Few answers are read at once, in this process.
    """
    answered: list[Answered] = list(zip(rows.responses, rows.texts, strict=True))
    workers = workers or os.cpu_count() or 1
    if workers < 2 or len(answered) <= _ALONE:
        read = _read_some(answered)
        return lambda: read
    parts = [answered[start : start + _AT_ONCE] for start in range(0, len(answered), _AT_ONCE)]
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))  # a fork would copy threads' locks
    futures = [pool.submit(_read_some, part) for part in parts]

    def wait() -> list[Reading]:
        with pool:
            return [reading for future in futures for reading in future.result()]

    return wait


def _read_some(answered: Sequence[Answered]) -> list[Reading]:
    return [read_option(_shortened(said), text[1:], question=text[0]) for said, text in answered]


def _shortened(said: str) -> str:
    """An answer that went astray, without its middle: where it begins and ends is where it chooses."""
    return said if len(said) <= 2 * _KEPT else f"{said[:_KEPT]}\n{said[-_KEPT:]}"


def choices(read: Sequence[Reading]) -> list[Letter | None]:
    """The letters read."""
    return [reading.choice for reading in read]


def measured(rows: Rows, read: Sequence[Reading], *, seed: int) -> list[dict[str, Any]]:
    """Agreement by model and prompting, on all rows and on those a person read A to D from; percent.

    None on both sides agrees. The intervals draw whole questions, whose runs are alike.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, name in enumerate(zip(rows.models, rows.promptings, strict=True)):
        places[name].append(row)
    same = np.array([reading.choice == noted for reading, noted in zip(read, rows.annotated, strict=True)], float)
    lettered = np.array([noted is not None for noted in rows.annotated], float)
    entries = [_counted(read, *name, found, same, lettered) for name, found in places.items()]
    columns = [_by_question(rows, found, same, lettered) for found in places.values()]
    for alike in by_length([column[:, 0] for column in columns]).values():
        sums, sizes = (np.column_stack([columns[place][:, part] for place in alike]) for part in ([0, 2], [1, 3]))
        low, high = intervals(sums, seed=seed, sizes=sizes)
        for number, place in enumerate(alike):
            for offset, key in enumerate(("ci95", "ci95_lettered")):
                bounds = [round(100 * float(bound[2 * number + offset]), 6) for bound in (low, high)]
                entries[place][key] = bounds if entries[place]["agreement" + key[4:]] is not None else None
    return entries


def _counted(
    read: Sequence[Reading], model: str, prompting: str, found: list[int], same: Array, lettered: Array
) -> dict[str, Any]:
    right, noted = same[found], lettered[found]
    return {
        "model": model,
        "prompting": prompting,
        "n": len(found),
        "agreement": round(100 * float(right.mean()), 6),
        "ci95": None,
        "n_lettered": int(noted.sum()),
        "agreement_lettered": round(100 * float((right * noted).sum() / noted.sum()), 6) if noted.any() else None,
        "ci95_lettered": None,
        "reasons": dict(Counter(read[row].reason for row in found).most_common()),
    }


def _by_question(rows: Rows, found: list[int], same: Array, lettered: Array) -> Array:
    """[questions, 4]: rows that agree and rows, then both of the lettered alone."""
    number = {question: place for place, question in enumerate(dict.fromkeys(rows.places[row] for row in found))}
    places = np.array([number[rows.places[row]] for row in found])
    parts = (same[found], np.ones(len(found)), same[found] * lettered[found], lettered[found])
    return np.column_stack([np.bincount(places, part) for part in parts])


def disagreements(rows: Rows, read: Sequence[Reading]) -> Iterator[dict[str, Any]]:
    """Every row the reader and the person read differently, with the reader's reason."""
    for row, reading in enumerate(read):
        if reading.choice != rows.annotated[row]:
            suite, subject, index = rows.places[row]
            question, *options = rows.texts[row]
            yield {
                "suite": suite, "subject": subject, "question_index": index, "model": rows.models[row],
                "prompting": rows.promptings[row], "run": rows.runs[row], "annotated": rows.annotated[row],
                "read": reading.choice, "reason": reading.reason, "quote": reading.quote,
                "chosen": list(reading.chosen), "mentions": list(reading.mentions),
                "question": question, "options": options, "response": rows.responses[row],
            }  # fmt: skip


def write_disagreements(path: Path, rows: Rows, read: Sequence[Reading]) -> int:
    """Write them to `path` as JSON lines and return their count."""
    lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in disagreements(rows, read)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as half:
        half.write_text("".join(lines), "utf-8")
    return len(lines)
