"""Pairs from what visitors of the page said: the source `public`, kept apart, each weighed by how its votes stood.

    make(Path("build/public"), Options(votes="build/votes.jsonl"))    # pairs.jsonl and its manifest

`votes` is the file of `python -m gaokerena votes export`. Counted are visitors' blind verdicts, each visitor's newest
on a comparison, at most `most` a visitor, on first questions whose texts were kept with consent and whose two answers,
of two models, ended by themselves. One pair a comparison: the side with more votes is chosen, with the weight
(for − against) / (votes + 2), votes with no preference among them: two Beta(1, 1) beliefs short of certainty, so that a
single vote weighs 1/3 and ten of ten 10/12. The margin is the mean strength of the votes for it. Every prompt is asked
with one prompting, whoever won: the form of the prompt would else tell (docs/circle.md).

Every verdict and every comparison is a pair or counted under a reason. Not covered: how far visitors can be trusted
(`pairs mix --weight public=…` makes all of them lighter); decontamination and repair (`pairs build`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.answers import Answer
from gaokerena.comparisons import Side
from gaokerena.prompts import VERSION, user_text
from gaokerena.questions import Prompting, Question
from training.code import code_hash
from training.errors import TrainingError
from training.manifest import NAME, Manifest, file_hash, fingerprint, read_json
from training.pair_rows import PairRow, Turn
from training.pairing.stage import finished, refuse, stage, write
from training.pairing.visitors import Asked, Vote, counted, read

_OTHER: dict[Side, Side] = {"left": "right", "right": "left"}


class Options(BaseModel):
    """What to read and how; all of it stands in the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    votes: str
    prompting: Prompting = "cot"
    most: int = Field(default=50, ge=1)
    """Votes counted of one visitor, the oldest first: nobody speaks for everybody."""


@dataclass
class Found:
    """The pairs, and a count of what became of every verdict and every comparison."""

    pairs: list[PairRow] = field(default_factory=list)
    verdicts: int = 0
    comparisons: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def make(out: Path, options: Options) -> dict[str, Any]:
    """Write the pairs into the folder `out`, or find them there; returns the manifest. Raises TrainingError."""
    path = Path(options.votes)
    if not path.is_file():
        raise TrainingError(f"no votes at {path}; `python -m gaokerena votes export --out {path}` writes them")
    refuse(out, [path])
    mark = fingerprint("pairs public", options.model_dump(), file_hash(path), code_hash("training.pairing.public"))
    if made := finished(out, mark):
        return made
    found = pairs_of(list(read(path)), options)
    if not found.pairs:
        why = ", ".join(f"{reason} {count}" for reason, count in found.dropped.most_common()) or "there are no verdicts"
        raise TrainingError(f"{path} gives no pair: {why}")
    with stage(out, Manifest("pairs public", 0, mark, recipe=options.model_dump(mode="json"))) as manifest:
        manifest.counts_in = {"verdicts": found.verdicts, "comparisons": found.comparisons}
        manifest.dropped = found.dropped
        manifest.extra |= {"decontaminated": False}
        write(out, manifest, found.pairs, [])
    return read_json(out / NAME)


def pairs_of(votes: Sequence[Vote], options: Options) -> Found:
    """The pairs of the exported votes."""
    found = Found(verdicts=len(votes))
    by_pair: dict[tuple[str, str, str], list[Vote]] = {}
    for vote in counted(votes, options.most, _fit, found.dropped):
        texts = (vote.comparison.text("left"), vote.comparison.text("right"))
        by_pair.setdefault((vote.comparison.id, *texts), []).append(vote)
    found.comparisons = len(by_pair)
    for some in by_pair.values():
        made = _pair(some, options.prompting)
        if isinstance(made, str):
            found.dropped[f"comparison: {made}"] += 1
        else:
            found.pairs.append(made)
    return found


def _pair(votes: Sequence[Vote], prompting: Prompting) -> PairRow | str:
    """The pair of one comparison, or why there is none."""
    whole = _whole(votes[0].comparison)
    if isinstance(whole, str):
        return whole
    counts = Counter(vote.choice for vote in votes)
    ahead = counts["left"] - counts["right"]
    if not ahead:
        return "both bad" if counts["both_bad"] > counts["tie"] else "no side preferred"
    better: Side = "left" if ahead > 0 else "right"
    question, answers = whole
    chosen, rejected = answers[better], answers[_OTHER[better]]
    return PairRow(
        id="p" + fingerprint(votes[0].comparison.id, chosen.text, rejected.text),
        prompt=(Turn(role="user", content=user_text(question, prompting)),),
        chosen=(Turn(role="assistant", content=chosen.text),),
        rejected=(Turn(role="assistant", content=rejected.text),),
        source="public",
        question_id=question.id,
        weight=round(abs(ahead) / (len(votes) + 2), 6),
        margin=round(fmean(vote.strength for vote in votes if vote.choice == better), 6),
        provenance=_provenance(votes, better, chosen, rejected) | {"prompting": _asked(prompting, chosen, rejected)},
    )


def _whole(about: Asked) -> tuple[Question, dict[Side, Answer]] | str:
    """The question and both answers, or why the comparison can be no pair."""
    answers = {side: answer for side in _OTHER if (answer := about.answers.get(side))}
    if not about.consent:
        return "no consent"
    if about.follows:
        return "goes on from an earlier question"
    if about.left == about.right:
        return "a model against itself"
    if len(answers) < 2 or any(answer.finish_reason != "stop" for answer in answers.values()):
        return "an answer did not end by itself"
    if about.question is None or not all(answer.text.strip() for answer in answers.values()):
        return "texts no longer kept"
    return "both texts the same" if about.text("left") == about.text("right") else (about.question, answers)


def _fit(about: Asked) -> bool:
    """Whether the comparison can be a pair, whoever wins."""
    return not isinstance(_whole(about), str)


def _provenance(votes: Sequence[Vote], better: Side, chosen: Answer, rejected: Answer) -> dict[str, Any]:
    about, counts = votes[0].comparison, Counter(vote.choice for vote in votes)
    return {
        "kind": "preference", "comparison_id": about.id, "suite": about.suite, "subject": about.subject,
        "verdict_ids": [vote.id for vote in votes],
        "votes": {
            "for": counts[better], "against": counts[_OTHER[better]], "neither": counts["tie"] + counts["both_bad"]
        },
        "chosen_model": chosen.model, "chosen_revision": chosen.revision,
        "rejected_model": rejected.model, "rejected_revision": rejected.revision,
        "prompts": VERSION,
    }  # fmt: skip


def _asked(prompting: Prompting, chosen: Answer, rejected: Answer) -> dict[str, str]:
    """How the pair's prompt asks, and how each side was asked when it was written."""
    return {"prompt": prompting, "chosen": chosen.prompting, "rejected": rejected.prompting}
