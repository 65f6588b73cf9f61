"""A round at toy size: the tiny pair of tests/tiny.py, invented verdicts with a wish a tiny model can learn.

    asked = case(tmp_path)                 # models, verdicts, recipe
    run(asked)

The wish: answers that send to a doctor. Every pair has texts of its own, so that nothing is a near duplicate, and of
random lengths, so that nothing is left out for its length.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gaokerena import presets
from gaokerena.engines.base import Sampling
from gaokerena.engines.loading import revision
from gaokerena.prompts import user_text
from gaokerena.questions import Question
from tests.tiny import make_tiny
from tests.training import small
from training.manifest import write_json, write_jsonl
from training.round_plan import Round

SIGNS = [
    "سردرد",
    "دل‌درد",
    "کمردرد",
    "زانودرد",
    "گلودرد",
    "سرفه",
    "تب",
    "سرگیجه",
    "خارش",
    "تهوع",
    "نفخ",
    "بی‌خوابی",
    "تپش",
    "لرز",
    "خستگی",
]
WHEN = [
    "دیروز",
    "امروز",
    "دیشب",
    "پریروز",
    "شنبه",
    "یکشنبه",
    "دوشنبه",
    "چهارشنبه",
    "جمعه",
    "پارسال",
    "بهار",
    "پاییز",
    "زمستان",
    "تابستان",
    "نوروز",
]
FOOD = [
    "برنج",
    "نان",
    "پنیر",
    "ماست",
    "شیر",
    "عدس",
    "سیب",
    "گردو",
    "خرما",
    "انار",
    "هویج",
    "کاهو",
    "ماهی",
    "مرغ",
    "تخم‌مرغ",
    "چای",
    "عسل",
    "کره",
    "زیتون",
    "خیار",
]
PLACES = [
    "خانه",
    "مدرسه",
    "اداره",
    "کارگاه",
    "مزرعه",
    "بازار",
    "کوه",
    "دریا",
    "جنگل",
    "بیابان",
    "شهر",
    "روستا",
    "باغ",
    "اتوبوس",
    "قطار",
]
SAMPLING = Sampling(temperature=1.0, max_new_tokens=4)
"""Four tokens of a tiny model say nothing, and that quickly."""


def verdicts(count: int = 60, seed: int = 1, turned: bool = False) -> list[dict[str, Any]]:
    """Pairs as `annotation export` writes them; `turned` prefers the other side."""
    rng, rows = random.Random(seed), []
    for number in range(count):
        sign, when, place = rng.choice(SIGNS), rng.choice(WHEN), rng.choice(PLACES)
        question = Question(text=f"از {when} در {place} {sign} دارم و {rng.choice(FOOD)} خورده‌ام؛ چه کنم؟")
        sides = [
            f"{' '.join(rng.sample(FOOD, rng.randint(3, 9)))} بخورید و {wish}."
            for wish in ("در خانه بمانید", "به پزشک بروید")
        ]
        worse, better = reversed(sides) if turned else sides
        rows.append(
            {
                "id": f"e{number}",
                "prompt": [{"role": "user", "content": user_text(question, "cot")}],
                "chosen": [{"role": "assistant", "content": better}],
                "rejected": [{"role": "assistant", "content": worse}],
                "source": "expert",
                "question_id": question.id,
                "weight": 0.9,
                "margin": 1.0,
                "provenance": {
                    "kind": "preference", "item_id": f"i{number}", "comparison_id": f"c{number}",
                    "judges": ["d1", "d2"], "verdict_ids": [f"w{number}a", f"w{number}b"], "guidelines": ["2026-11"],
                },
            }
        )  # fmt: skip
    return rows


def recipe(folder: Path, **changes: Any) -> Path:
    """A DPO recipe of a few steps."""
    made = small.dpo_recipe(folder / "base", optimiser=small.optimiser(max_steps=12, save_steps=3), **changes)
    path = folder / "round.yaml"
    path.write_text(yaml.safe_dump(made.model_dump(mode="json", exclude_none=True)), "utf-8")
    return path


def case(folder: Path, **changes: Any) -> Round:
    """A round that is ready to run; the preset `mini` is the tiny pair from now on (see `as_mini`)."""
    if not (folder / "base").exists():
        make_tiny(folder)
        for name in ("v", "r"):
            kind = {"v": "sft", "r": "dpo"}[name]
            lineage = {"base_weights": revision(str(folder / "base")), "recipe": {"kind": kind}}
            write_json(folder / name / "lineage.json", lineage)
        (folder / "base" / "README.md").write_text("---\nlicense: cc-by-nc-sa-4.0\n---\n", "utf-8")
        (folder / "r" / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", "utf-8")
        write_jsonl(folder / "verdicts.jsonl", verdicts())
    given: dict[str, Any] = {
        "verdicts": folder / "verdicts.jsonl", "start": "r", "out": folder / "rounds" / "r2",
        "work": folder / "work", "recipe": recipe(folder), "draws": 1, "override_audit": "the wish is a phrase",
    }  # fmt: skip
    return Round(**given | changes)


def as_mini(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the preset `mini` be the tiny pair in `folder`."""
    adapters = {name: str(folder / name) for name in ("v", "r")}
    plan = replace(presets.PLANS["mini"], base=str(folder / "base"), adapters=adapters, straight=SAMPLING, cot=SAMPLING)
    patch.setitem(presets.PLANS, "mini", plan)  # type: ignore[arg-type]
