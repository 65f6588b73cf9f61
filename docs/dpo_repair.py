"""DPO on the published pairs as they are and after repair: the same recipe, the same held-out pairs, one figure.

    GAOKERENA_DATA=... python docs/dpo_repair.py --out runs/dpo_repair     # writes docs/dpo_repair.svg
    ... --steps 60 --pairs 480 --base models/mini/base

Both runs are watched on the same held-out pairs, repaired ones (letter case on both sides alike, balanced lengths):
what a run learns of the shortcut does not help there. Killed, it goes on where it was. The audit gate is passed by its
override: showing what happens without a repair is the point.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gaokerena.engines.threads import calm

calm()

from training import pairs, sources  # noqa: E402
from training.documents import held_out, question_key  # noqa: E402
from training.manifest import write_jsonl  # noqa: E402
from training.plots import compare  # noqa: E402
from training.recipe import FOLDER, load  # noqa: E402
from training.run import Options, run  # noqa: E402

SEED = 23
RUNS = ("as published", "after repair")
REASON = "docs/dpo_repair.py compares training with and without the repair"


def write_pairs(out: Path, count: int, away: int) -> None:
    """`as published.jsonl`, `after repair.jsonl` and `held_out.jsonl`, drawn by one seed."""
    folder = sources.data_folder()
    raw = [pair for pair in sources.published_pairs(folder) if pair.chosen and pair.rejected]
    raw = [pair for pair in raw if not held_out(question_key(pair.question)) and pair.chosen != pair.rejected]
    good, kept_out, _ = pairs.build(folder, SEED, sources.reference(folder), Counter())
    rng = random.Random(SEED)
    write_jsonl(out / "as published.jsonl", map(pairs._row, rng.sample(raw, count)))
    write_jsonl(out / "after repair.jsonl", rng.sample(good, count))
    write_jsonl(out / "held_out.jsonl", rng.sample(kept_out, min(away, len(kept_out))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/dpo_repair"))
    parser.add_argument("--figure", type=Path, default=Path(__file__).parent / "dpo_repair.svg")
    parser.add_argument("--base", default="models/mini/base")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=480)
    parser.add_argument("--held-out", type=int, default=48)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    given.out.mkdir(parents=True, exist_ok=True)
    if not (given.out / "held_out.jsonl").exists():
        write_pairs(given.out, given.pairs, given.held_out)
    recipe = load(FOLDER / "mini" / "r_dpo.yaml")
    optimiser = recipe.optimiser.model_copy(
        update={"max_steps": given.steps, "gradient_accumulation_steps": 4, "logging_steps": 5, "save_steps": 20}
    )
    for name in RUNS:
        changed = recipe.model_copy(
            update={
                "base": given.base, "data": str(given.out / f"{name}.jsonl"), "optimiser": optimiser,
                "held_out": str(given.out / "held_out.jsonl"), "eval_steps": 10, "precompute_ref_log_probs": True,
            }
        )  # fmt: skip
        run(changed, given.out / name, Options(override_audit=REASON))
    compare([given.out / name for name in RUNS], given.figure, "DPO on the published pairs, mini base")


if __name__ == "__main__":
    main()
