"""Preference pairs fit to train on, from the published ones: repaired, checked and balanced, every drop counted.

    GAOKERENA_DATA=... python -m training mini --only pairs

Repaired on both sides alike: letter case (it told chosen from rejected on 99.8 % of pairs). Dropped: a preferred answer
that does not reach the key, a rejected one that does, foreign scripts, words of two scripts, traces of the teacher's
role, repeated questions, overlap with what is tested. Balanced: as many longer chosen as longer rejected answers at
every size of the difference. `cues` says how well one surface feature alone tells the two sides apart.

Rows follow DESIGN.md: id, prompt, chosen, rejected (chat messages), source, question_id, weight, provenance.
Not covered: cues of wording; the shortcut audit of the training circle looks for those.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gaokerena.options import read_option
from gaokerena.prompts import VERSION, user_text
from training import sources
from training.casing import Casing
from training.decontaminate import Reference, forms
from training.documents import defect, held_out, question_key
from training.sources import PublishedPair

_TEACHER = re.compile(r"دانشجو|تصحیح|اصلاح‌? ?شده|پاسخ اولیه|زنجیره افکار (?:ارائه|داده) ?‌?شده")
_BUCKET = math.log(1.15)
"""Differences of length are balanced within steps of fifteen per cent."""


def fault(pair: PublishedPair, references: Reference) -> str | None:
    """Why a (repaired) pair must not be trained on; None when it may."""
    options = pair.question.options
    for side, text in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        if reason := defect(text):
            return f"{side}: {reason}"
    if _TEACHER.search(pair.chosen):
        return "chosen: names the student or the correction"
    if read_option(pair.chosen, options, question=pair.question.text).choice != pair.question.gold:
        return "chosen: does not reach the key"
    if read_option(pair.rejected, options, question=pair.question.text).choice in (pair.question.gold, None):
        return "rejected: reaches the key or chooses nothing"
    if hit := references.hit(*forms(pair.question), pair.chosen, pair.rejected):
        return f"shares_8_gram_with_{hit}"
    return None


def balance_lengths(pairs: Sequence[PublishedPair], seed: int) -> list[PublishedPair]:
    """The most pairs in which, at every size of the difference, either side is the longer one equally often."""
    buckets: defaultdict[int, tuple[list[PublishedPair], list[PublishedPair]]] = defaultdict(lambda: ([], []))
    for pair in pairs:
        difference = math.log(len(pair.chosen) / len(pair.rejected))
        buckets[int(abs(difference) / _BUCKET)][difference > 0].append(pair)
    rng, kept = random.Random(seed), []
    for size in sorted(buckets):
        shorter, longer = buckets[size]
        count = min(len(shorter), len(longer))
        kept += rng.sample(shorter, count) + rng.sample(longer, count)
    return sorted(kept, key=lambda pair: int(pair.id.rpartition("-")[2]))


CUES: dict[str, Callable[[str], float]] = {
    "upper_case_latin": lambda text: sum(letter.isascii() and letter.isupper() for letter in text),
    "characters": len,
    "lines": lambda text: text.count("\n"),
    "bold_marks": lambda text: text.count("**"),
    "latin_share": lambda text: sum(letter.isascii() and letter.isalpha() for letter in text) / max(1, len(text)),
}


def cues(sides: Iterable[tuple[str, str]]) -> dict[str, float]:
    """How often each surface feature, at its better direction, picks the chosen one of (chosen, rejected); ties half.

    0.5 is no cue at all (so are no pairs), 1.0 tells every pair apart.
    """
    sides = list(sides)
    if not sides:
        return dict.fromkeys(CUES, 0.5)
    found = {}
    for name, feature in CUES.items():
        values = [(feature(chosen), feature(rejected)) for chosen, rejected in sides]
        wins = sum((one > two) + 0.5 * (one == two) for one, two in values) / len(values)
        found[name] = round(max(wins, 1 - wins), 4)
    return found


def _row(pair: PublishedPair) -> dict[str, Any]:
    return {
        "id": pair.id,
        "prompt": [{"role": "user", "content": user_text(pair.question, "cot")}],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
        "source": "teacher_correction",
        "question_id": pair.question.id,
        "weight": 1.0,
        "provenance": {"set": "published", "part": pair.part, "prompts": VERSION, "gold": pair.question.gold},
    }


def build(
    folder: Path, seed: int, references: Reference, dropped: Counter[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, dict[str, float]]]:
    """(training pairs, held-out pairs, cues before and after the repair)."""
    published = list(sources.published_pairs(folder))
    casing = Casing.learn(pair.rejected for pair in published)
    good, seen = [], set()
    for pair in published:
        repaired = PublishedPair(
            pair.id, pair.question, casing.restore(pair.chosen), casing.restore(pair.rejected), pair.part
        )
        reason = "repeated question" if question_key(pair.question) in seen else fault(repaired, references)
        if reason:
            dropped[reason] += 1
            continue
        seen.add(question_key(pair.question))
        good.append(repaired)
    kept = balance_lengths(good, seed)
    dropped["balancing lengths"] = len(good) - len(kept)
    before = cues((pair.chosen, pair.rejected) for pair in published if pair.chosen)
    after = cues((pair.chosen, pair.rejected) for pair in kept)
    away = [_row(pair) for pair in kept if held_out(question_key(pair.question))]
    return (
        [_row(pair) for pair in kept if not held_out(question_key(pair.question))],
        away,
        {"before": before, "after": after},
    )
