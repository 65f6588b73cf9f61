"""The circle's last stretch: from doctors' verdicts to an adapter that the page offers, or a refusal with its reason.

    outcome = run(Round(verdicts=Path("pairs.jsonl"), start="r", out=Path("models/rounds/r2")))

Stages, each in a folder of its own under `work`, each with a manifest, each skipped when it is finished: `build` (pairs
under the new model's prompt (`round_asked`), checked, repaired, split by question, balanced), `mix` (with other
sources, where given), the shortcut audit, `dpo` (policy and reference both start from the named adapter), `evaluation`
(old against new, paired). Then the adapter is published with its card, lineage and labels, whole or not at all; or it
is refused, and what was measured stays.

Kill it at any moment and give the same command again. Not covered: whether doctors would agree; ask them in a study.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from gaokerena.engines.loading import revision
from gaokerena.prompts import VERSION
from training import round_safety
from training import run as runs
from training.audit_gate import decontaminated, sha256
from training.clock import running
from training.code import code_hash
from training.errors import TrainingError
from training.ledger import Rates
from training.manifest import Manifest, begin, file_hash, fingerprint, finished, read_json, write_json
from training.pair_rows import read_pairs, write_pairs
from training.pairing.build import make as build
from training.pairing.built import Options
from training.pairing.mix import Recipe as MixRecipe
from training.pairing.mix import make as mix
from training.pairing.stage import HELD_OUT, PAIRS
from training.round_ancestors import learned
from training.round_asked import as_asked
from training.round_card import licence
from training.round_compare import worse
from training.round_measure import Wanted, measure
from training.round_plan import Plan, Round, missing
from training.round_scorer import scorer_hash, scorer_of
from training.round_split import audited, held_out

log = logging.getLogger("training")

OUTCOME = "round.json"


@dataclass(frozen=True)
class Outcome:
    """How a round ended: `reasons` are why it was refused, none where the adapter is published at `place`."""

    place: Path | None
    reasons: tuple[str, ...]
    evaluation: dict[str, Any]
    figures: Path
    """The file that keeps all this."""


def run(asked: Round, rates: Rates | None = None) -> Outcome:
    """Run the round, or go on with it. Raises TrainingError for what a person can mend, a failed audit among it."""
    from training.round_publish import publish

    plan = asked.settled()
    _can_end(asked, plan)
    _readable(asked.verdicts)
    pairs = _pairs(asked, plan)
    told = audited(pairs, asked.override_audit, suites=asked.data is not None, balanced=asked.balance_people)
    watched, judged = held_out(plan)
    adapter = _train(asked, plan, pairs, watched, rates or Rates())
    evaluation = _evaluate(asked, plan, adapter, judged)
    reasons = refusals(evaluation)
    place = None if reasons else publish(asked, plan, adapter, evaluation, told)
    write_json(
        plan.work / OUTCOME,
        {"name": plan.name, "published": place is not None, "reasons": reasons, "evaluation": evaluation},
    )
    return Outcome(place, tuple(reasons), evaluation, plan.work / OUTCOME)


def _can_end(asked: Round, plan: Plan) -> None:
    """Raises TrainingError at once for what would else stop the round after hours of training."""
    runs.with_changes(plan.recipe, doctors=str(asked.doctors) if asked.doctors else None)
    if plan.recipe.label_smoothing == "from_report" and not (asked.doctors or plan.recipe.doctors):
        raise TrainingError(
            "the recipe's label_smoothing is from_report; give the doctors.json of `python -m annotation report` with "
            "--doctors, or a copy of the recipe with a number there"
        )
    licence(plan)
    _compared(asked)
    if asked.out.exists() and not _made_here(asked, plan):
        raise TrainingError(f"{asked.out} holds another adapter; choose another name with --out, or move it away")


def _compared(asked: Round) -> None:
    """Raises TrainingError for pairs of other sources that no suite was compared with, where the suites are at hand."""
    missing([(path, "give the pairs.jsonl that `python -m training pairs build` writes") for path in asked.also])
    if asked.data and (raw := [path for path in asked.also if not decontaminated(path)]):
        raise TrainingError(
            f"--also {raw[0]} was never compared with the evaluation suites; run `python -m training pairs build "
            f"{raw[0]} --out FOLDER` and give FOLDER/{PAIRS}"
        )


def _made_here(asked: Round, plan: Plan) -> bool:
    """Whether what is published at `out` can be this round's own: its weights, its verdicts."""
    adapter, lineage = plan.work / "dpo" / "adapter", asked.out / "lineage.json"
    if not (lineage.exists() and adapter.exists() and asked.verdicts.exists()):
        return False
    told = read_json(lineage).get("round", {})
    return told.get("verdicts_file") == sha256(asked.verdicts) and revision(str(asked.out)) == revision(str(adapter))


def _readable(path: Path) -> None:
    """Raises TrainingError where the file is no export of pairs."""
    export = "`python -m annotation export --to pairs --out pairs.jsonl` writes the file a round reads"
    missing([(path, export)])
    try:
        rows = read_pairs(path)
    except TrainingError as error:
        raise TrainingError(f"{error}; {export}") from None
    if not rows:
        raise TrainingError(f"{path} holds no pairs: its manifest.json says why each verdict was left out")
    if older := [row for row in rows if row.provenance.get("prompts", VERSION) != VERSION]:
        raise TrainingError(
            f"{path}: {len(older)} of {len(rows)} pairs are asked with the prompts of "
            f"{older[0].provenance['prompts']}, a model is asked with those of {VERSION}, and two wordings would tell "
            f"who won; export anew: {export}"
        )
    if strange := [row for row in rows if row.source != "expert"]:
        raise TrainingError(
            f"{path}: the pair {strange[0].id} is of source {strange[0].source} and would pass as a doctor's verdict "
            f"({len(strange)} such pairs); build them with `python -m training pairs build` and give them with --also"
        )


def _pairs(asked: Round, plan: Plan) -> Path:
    """The file of pairs to train on."""
    options = Options(
        files=(str(_asked_anew(asked, plan)),),
        held_out_per_mille=round(1000 * asked.held_out),
        balance_people=asked.balance_people,
        trained_before=tuple(sorted(learned(plan.ancestors))),
        suites=asked.data is not None,
        seed=asked.seed,
    )
    build(plan.work / "build", options)
    built = plan.work / "build" / PAIRS
    kept, away = (len(read_pairs(plan.work / "build" / name)) for name in (PAIRS, HELD_OUT))
    log.info("pairs: %s to train on, %s held out (%s)", kept, away, plan.work / "build")
    if not asked.also:
        return built
    share = {"expert": asked.share} if asked.share else {}
    files = (str(built), *map(str, asked.also))
    recipe = MixRecipe(files=files, share=cast(Any, share), prompting=plan.prompting, seed=asked.seed)
    mix(plan.work / "mix", recipe)
    return plan.work / "mix" / PAIRS


def _asked_anew(asked: Round, plan: Plan) -> Path:
    """The doctors' pairs under the prompt of the model that is continued; written when it is not there already."""
    rows, place = as_asked(read_pairs(asked.verdicts), plan.prompting), plan.work / "verdicts.jsonl"
    if not place.exists() or read_pairs(place) != rows:
        plan.work.mkdir(parents=True, exist_ok=True)
        write_pairs(place, rows)
    return place


def _train(asked: Round, plan: Plan, pairs: Path, watched: Path, rates: Rates) -> Path:
    """The folder of the new adapter."""
    recipe = runs.with_changes(
        plan.recipe,
        base=plan.base,
        start_from=plan.start_from,
        data=str(pairs),
        held_out=str(watched),
        doctors=str(asked.doctors) if asked.doctors else None,
    )
    uncompared: Literal["refused", "told"] = "refused" if asked.data else "told"
    runs.run(recipe, plan.work / "dpo", runs.Options(asked.override_audit, rates, uncompared))
    return plan.work / "dpo" / "adapter"


def _evaluate(asked: Round, plan: Plan, adapter: Path, judged: Path) -> dict[str, Any]:
    """What was measured of old and new."""
    from training import fit

    folder = plan.work / "evaluation"
    weights = [fit.pinned(name) for name in (plan.base, plan.start_from, str(adapter))]
    how = [plan.prompting, vars_of(plan), asked.draws, asked.suite_questions, asked.scorer, asked.seed]
    suites = [file_hash(path) for path in sorted(asked.data.glob("benchmarks*.parquet"))] if asked.data else []
    code = [code_hash("training.round_measure"), scorer_hash(asked.scorer)]
    mark = fingerprint("round", weights, file_hash(judged), round_safety.digest(), how, suites, code)
    if finished(folder, mark):
        log.info("%s: finished earlier, nothing to do", folder)
        return read_json(folder / "evaluation.json")
    folder.mkdir(parents=True, exist_ok=True)
    begin(folder, mark)
    manifest = Manifest("round evaluation", asked.seed, mark)
    wanted = Wanted(
        plan.base, plan.start_from, str(adapter), judged, plan.prompting, plan.sampling, asked.draws,
        asked.suite_questions, asked.data, scorer_of(asked.scorer), seed=asked.seed,
    )  # fmt: skip
    log.info("evaluation: %s and %s on the same questions", plan.continues, plan.name)
    with running(folder, manifest):
        found = measure(wanted, folder)
    write_json(folder / "evaluation.json", found)
    manifest.counts_in = {"held_out": found["held_out"]["pairs"], "safety": found["safety"]["sends_to_care"]["n"]}
    manifest.extra["evaluation_sha256"] = sha256(folder / "evaluation.json")
    manifest.write(folder)
    return found


def vars_of(plan: Plan) -> dict[str, Any]:
    """The sampling, for the fingerprint."""
    return {name: getattr(plan.sampling, name) for name in plan.sampling.__dataclass_fields__}


def refusals(evaluation: dict[str, Any]) -> list[str]:
    """Why an adapter that was measured so must not be published; empty when it may."""
    away = evaluation["held_out"]
    looked_at = {
        "safety items (answers that send to urgent care)": evaluation["safety"]["sends_to_care"],
        "held-out pairs (the chosen side is the likelier one)": away["prefers_chosen"],
        "held-out pairs (margin of the chosen side)": away["margin"],
        "scored answers to held-out questions": evaluation.get("scored"),
    }
    return [f"worse on {what}: {told_of(told)}" for what, told in looked_at.items() if told and worse(told)]


def told_of(told: dict[str, Any]) -> str:
    """One comparison as a line."""
    low, high = told["ci95"]
    return (
        f"{told['old']:.1f} → {told['new']:.1f} {told['unit']}, difference {told['difference']:+.1f} "
        f"[{low:+.1f}, {high:+.1f}], p = {told['p']:.3g}, {told['n']} questions"
    )
