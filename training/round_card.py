"""The card of a round's adapter, every number read from a file: what it learned from, what it does, what it cannot.

    card(asked, plan, lineage, labels, evaluation)       # Markdown with the front matter a hub reads

It names every verdict behind the weights, and says of each comparison what its interval says, no more.

Not covered: the section on lineage (`round_card_lineage`); whether the licence of the labels allows what the base's
allows (the data statement says where they are from).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from training.card_parts import WARNING, audit_line, cost, table, values
from training.errors import TrainingError
from training.manifest import NAME, read_json
from training.round_card_lineage import learned_before, lineage_lines
from training.round_compare import GATE_SHUTS, ONE_SIDED, TWO_SIDED, better, worse
from training.round_plan import Plan, Round

Labels = Sequence[Mapping[str, Any]]

HUB_LICENCES = {
    "CohereLabs/aya-expanse-8b": "cc-by-nc-4.0",
    "gaokerena/gaokerena-v1.0": "cc-by-nc-sa-4.0",
    "gaokerena/gaokerena-r1.0": "cc-by-nc-sa-4.0",
}
"""Of the published weights; a folder's is read from its card."""
LICENCES = ("mit", "apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0")
"""Each asks for all that those before it do, and for more."""
NO_ADVICE = """**It is no doctor.** A language model's answer may be wrong where it sounds sure. It has not been tested
on patients, and nothing it says replaces a visit; in an emergency call 115."""


def card(asked: Round, plan: Plan, lineage: Mapping[str, Any], labels: Labels, evaluation: Mapping[str, Any]) -> str:
    """The whole README.md. Raises TrainingError where no licence is known."""
    parts = [
        _front(asked, plan),
        f"# {plan.name}: {plan.continues} after one more round of doctors' verdicts",
        f"A LoRA adapter that goes on from `{plan.continues}` by direct preference optimisation, on pairs made of "
        f"doctors' verdicts{_and_others(labels)}: policy and reference both began as `{plan.continues}`.",
        WARNING if asked.preset == "mini" else NO_ADVICE,
        "## Data statement",
        *_data(asked, plan, lineage, labels),
        "## Training",
        table(("what", "value"), [*values("DPO", lineage["recipe"]), *cost("DPO", plan.work / "dpo")]),
        f"## Figures, {plan.continues} beside {plan.name}",
        *_figures(plan, evaluation),
        "## Known weaknesses",
        "\n".join(f"- {line}" for line in weaknesses(asked, plan, lineage, labels, evaluation)),
        "## Lineage",
        *lineage_lines(plan, lineage, labels, evaluation),
        "## Licence",
        f"{licence(plan).upper()}, as the weights it is made of demand{terms(licence(plan))}. The project's code is "
        "Apache-2.0.",
    ]
    return "\n\n".join(parts) + "\n"


def others(labels: Labels) -> dict[str, int]:
    """Pairs trained on that are no doctor's, by source."""
    found = Counter(str(row["source"]) for row in labels if row["split"] == "train" and row["source"] != "expert")
    return dict(sorted(found.items()))


def _and_others(labels: Labels) -> str:
    """The words that keep other sources' pairs from passing as doctors'."""
    if not (found := others(labels)):
        return ""
    named = ", ".join(f"{count} of {name}" for name, count in found.items())
    return f" and on {sum(found.values())} pairs that no doctor judged ({named})"


def licence(plan: Plan) -> str:
    """The licence that base and adapter leave: of the two the one that asks for more.

    Raises TrainingError where one is not known, or where they differ and nobody can say which asks for more.
    """
    one, other = (_licence_of(source) for source in (plan.base, plan.start_from))
    if one == other:
        return one
    if not {one, other} <= set(LICENCES):
        raise TrainingError(
            f"{plan.base} is under {one}, {plan.start_from} under {other}, and which asks for more is known of "
            f"{', '.join(LICENCES)} alone; take both as folders and write the `license:` that holds for what is made "
            "of the two into the README.md of each"
        )
    return max(one, other, key=LICENCES.index)


def terms(name: str) -> str:
    """What a Creative Commons licence asks for, as words; empty for another, whose text says it."""
    marks = {"-by": "name the source", "-nc": "no commercial use", "-sa": "share alike"}
    asked = [words for mark, words in marks.items() if name.startswith("cc-") and f"{mark}-" in name]
    return f": {', '.join(asked)}" if asked else ""


def _licence_of(source: str) -> str:
    path = Path(source) / "README.md"
    if path.exists() and path.read_text("utf-8").startswith("---\n"):
        front = yaml.safe_load(path.read_text("utf-8").split("---\n")[1])
        if isinstance(front, dict) and front.get("license"):
            return str(front["license"])
    if source in HUB_LICENCES:
        return HUB_LICENCES[source]
    raise TrainingError(f"no licence is known of {source}; put a README.md with `license:` in its front matter there")


def _front(asked: Round, plan: Plan) -> str:
    """The YAML a hub reads."""
    local = Path(plan.base).is_dir()
    front = {
        "license": licence(plan),
        "language": ["fa"],
        "pipeline_tag": "text-generation",
        "base_model": Path(plan.base).name if local else plan.base,
        "base_model_relation": "adapter",
        "library_name": "peft",
        "tags": ["persian", "medical", "gaokerena", "lora", "dpo", "trl"]
        + (["demonstration"] if asked.preset == "mini" else []),
    }
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---"


def _data(asked: Round, plan: Plan, lineage: Mapping[str, Any], labels: Labels) -> list[str]:
    """Where the pairs come from, how many were left out and why, and what the shortcut audit said."""
    built, audited = read_json(plan.work / "build" / NAME), lineage["round"]["audit"]
    kinds = Counter(f"{row['source']}: {row['kind'] or 'pair'}" for row in labels)
    guidelines = sorted({version for row in labels for version in row["guidelines"]})
    rows: list[tuple[str, Any]] = [
        ("verdicts", lineage["round"]["verdicts"]),
        ("most doctors on one pair", max((row["judges"] for row in labels), default=0)),
        ("guidelines they judged by", ", ".join(guidelines) or "not named"),
        *((f"{kind}, kept", count) for kind, count in sorted(kinds.items())),
        ("pairs trained on", sum(row["split"] == "train" for row in labels)),
        *((f"of them {source}, judged by no doctor", count) for source, count in others(labels).items()),
        ("pairs held out, by question", sum(row["split"] == "held_out" for row in labels)),
    ]
    left_out = Counter(built["dropped"]) + Counter(read_json(plan.work / "mix" / NAME)["dropped"] if asked.also else {})
    if unread := sum(row["split"] == "too_long" for row in labels):
        left_out[f"longer than {lineage['recipe']['max_length']} tokens"] = unread
    dropped = sorted(left_out.items())
    compared = audited.get("decontaminated", built["decontaminated"])
    suites = "left out" if compared else "NOT looked for (no data folder was given)"
    return [
        f"{'Of the source expert: doctors' if others(labels) else 'Doctors'} compared two answers to one question "
        "each, blind to which model wrote which; a pair is the answer they found better over the other. "
        "Questions and answers were cleaned of personal identifiers before any "
        f"doctor saw them. Pairs that share a run of words with the suites were {suites}.",
        table(("what", "how many"), rows),
        table(("left out because", "how many"), dropped) if dropped else "No pair was left out.",
        audit_line(audited),
        *([earlier] if (earlier := learned_before(plan)) else []),
    ]


def _figures(plan: Plan, evaluation: Mapping[str, Any]) -> list[str]:
    """Every comparison with its interval, and what it says."""
    lines = [f"| | {plan.continues} | {plan.name} | difference | 95 % interval | p | questions | |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    lines += [_line(what, told) for what, told in comparisons(evaluation).items()]
    reward = evaluation["held_out"]["reward_accuracy"]
    return [
        "Both answered the same questions with the same prompts, sampling and seeds; p is of the paired test "
        "(McNemar's exact test, or a sign-flip test where a question has several values), two-sided. "
        f"Better needs p below {TWO_SIDED:g}; worse, which refuses an adapter, only {2 * ONE_SIDED:g}.",
        "\n".join(lines),
        f"On {reward['n']} held-out pairs the implicit reward of {plan.name} against {plan.continues} prefers the "
        f"chosen side in {reward['value']} % [{reward['low']}, {reward['high']}]."
        + (
            f" {away} more did not fit the model's context." if (away := evaluation["held_out"].get("too_long")) else ""
        ),
    ]


def comparisons(evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What was compared, by its name on the card."""
    away = evaluation["held_out"]
    found = {
        "held-out pairs: chosen side likelier": away["prefers_chosen"],
        "held-out pairs: margin of the chosen side": away["margin"],
        "emergencies: answers that send to urgent care": evaluation["safety"]["sends_to_care"],
    }
    if "scored" in evaluation:
        found["held-out questions: the scorer's score"] = evaluation["scored"]
    return found | {f"{name}: right": told for name, told in evaluation.get("suites", {}).items()}


def _line(what: str, told: Mapping[str, Any]) -> str:
    unit, (low, high) = told["unit"], told["ci95"]
    said = "better" if better(dict(told)) else "worse" if worse(dict(told)) else "not told apart"
    return (
        f"| {what} | {told['old']:.1f} {unit} | {told['new']:.1f} {unit} | {told['difference']:+.1f} | "
        f"{low:+.1f} to {high:+.1f} | {told['p']:.3g} | {told['n']} | {said} |"
    )


def weaknesses(
    asked: Round, plan: Plan, lineage: Mapping[str, Any], labels: Labels, evaluation: Mapping[str, Any]
) -> list[str]:
    """What a user must know, worked out of the figures."""
    safety, away = evaluation["safety"]["sends_to_care"], evaluation["held_out"]["prefers_chosen"]
    lines = [
        f"It missed urgent care in {100 - safety['new']:.0f} % of answers to {safety['n']} emergencies "
        f"({plan.continues}: {100 - safety['old']:.0f} %). The page's own warning does not depend on it.",
        f"Of {away['n']} held-out questions at least 5 ({500 / away['n']:.0f} %) must change for the worse to be "
        f"refused, 6 ({600 / away['n']:.0f} %) for the better to be called better, all one way.",
        "It learned what these doctors preferred in these answers, not medicine: knowledge was not taught.",
        "Pairs and figures are in Persian only; nothing was measured in another language.",
    ]
    if (heeded := evaluation["safety"]["can_worsen"]) < GATE_SHUTS:
        lines.append(
            f"The gate on safety could not have shut: {plan.continues} sent the asker to urgent care on {heeded} of "
            f"the {safety['n']} emergencies, and on {GATE_SHUTS} an answer must get worse. Nothing here says that it "
            "is safe."
        )
    lines += [f"Worse on {name}." for name, told in evaluation.get("suites", {}).items() if worse(dict(told))]
    if not evaluation.get("suites"):
        lines.append("Its medical knowledge was not measured: the suites were not at hand.")
    if lineage["round"]["audit"].get("decontaminated") is False:
        lines.append("Its pairs were not compared with any suite: it may have seen questions of theirs.")
    if not lineage["round"]["audit"]["passed"]:
        lines.append("A surface cue tells the chosen side (see the audit above): it may have learned that cue alone.")
    if max((row["judges"] for row in labels), default=0) < 2:
        lines.append("No answer was judged by two doctors: their disagreement is not known.")
    if asked.preset == "mini":
        lines.append("The mini models know no medicine; their answers show how the system works and nothing else.")
    return lines
