"""The shortcut audit: can a surface cue tell which side of a pair was chosen?

    found = audit(read_pairs(path), limit=0.60, seed=1)
    found["passed"], found["reason"], found["failed"], found["families"], found["cues"], found["sources"]

Tried are single features, a logistic regression for each family, and one on all families together (`features`,
`mining`, `classify`), each cross-validated over questions; where prompts are of several kinds, each a second time,
learned by kind (`rules`); and all of it again for every source by itself, so that none hides among the others. Pairs
count by their weight, as in training. The rule: a cue fails when the lower end of its 95 % interval is above the
limit. Fewer than LEAST effective pairs cannot pass: too few to tell. A source of fewer is named and not judged. Nor
can pairs of fewer effective questions than folds: what is learned of one question cannot be tried on it.

Many cues are tried, so one may fail by chance where the limit is 0.5; at 0.60 chance alone needs few pairs, see
docs/pairs.md for how often it happens.

Not covered: what a reader of meaning could use; whether a cue is a shortcut or deserved (a doctor may like short
answers); a kind of prompt that few pairs have, whose cue the others dilute. The audit says what tells; a person
decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.audit_gate import LIMIT, SCHEMA
from training.errors import TrainingError
from training.pair_rows import SOURCES, PairRow
from training.pairing.classify import FOLDS
from training.pairing.contrasts import Contrasts, contrasts_of
from training.pairing.cues import CONFIDENCE, Cue, cues
from training.pairing.weighing import LEAST

ONE_PROMPT = (
    "prompts tell the winner, so ask every pair with one: "
    "`python -m training pairs build --prompting cot PAIRS --out FOLDER`"
)
ONE_WORDING = "prompts tell the winner, so give every pair one of the same wording"


@dataclass(frozen=True)
class Tried:
    """What was tried on all pairs, or on those of one source."""

    source: str
    """Empty for all."""
    of: Contrasts
    cues: Sequence[Cue]
    limit: float
    confidence: float = CONFIDENCE

    @property
    def judged(self) -> bool:
        """Whether pairs and questions are enough to say that nothing tells."""
        return _enough(self.of) and self.of.effective_questions > FOLDS - 1e-6

    @property
    def failed(self) -> list[Cue]:
        """The cues above the limit; one by the prompt's form only where it tells more than the plain one."""
        above = {cue.label: cue for cue in self.cues if cue.low > self.limit}
        plain = {label: cue.high for label, cue in above.items() if not cue.by_prompt}
        return [cue for cue in above.values() if not cue.by_prompt or cue.low > plain.get(cue.plain, 0)]

    def named(self, cue: Cue) -> str:
        """The cue, with the source it is of."""
        return f"{cue.label}, in {self.source}" if self.source else cue.label

    def facts(self) -> dict[str, Any]:
        """What the report says of the pairs and their families."""
        questions = len(set(self.of.questions))
        return {
            "pairs": len(self.of.rows),
            "effective": round(self.of.effective, 1),
            "questions": questions,
            "confidence": round(self.confidence, 4),
            "detectable": detectable(questions * self.of.effective / len(self.of.rows), self.limit, self.confidence),
            "families": [asdict(cue) for cue in self.cues if cue.kind != "feature"],
        }


def audit(rows: Sequence[PairRow], *, limit: float = LIMIT, seed: int = 1) -> dict[str, Any]:
    """What the audit of `rows` found, ready for JSON; equal rows and seed give equal findings.

    Raises TrainingError for no pairs, or a limit that is not between 0.5 and 1.
    """
    if not rows:
        raise TrainingError("no pairs to audit; the manifest beside the file says what `pairs build` left out, and why")
    if not 0.5 <= limit < 1:
        raise TrainingError(f"a limit of {limit}: give a share of pairs from 0.5 to below 1, for example {LIMIT}")
    contrasts = contrasts_of(rows)
    whole = Tried("", contrasts, cues(contrasts, seed), limit)
    sources = list(_by_source(whole, seed))
    failed = _failed(whole, sources)
    reason = _reason(whole, failed)
    groups = contrasts.groups
    return {
        "schema": SCHEMA,
        "limit": limit,
        "seed": seed,
        "folds": FOLDS,
        "least": LEAST,
        "passed": reason is None,
        "reason": reason,
        "failed": [tried.named(cue) for tried, cue in failed],
        "prompts": {kind: len(places) for kind, places in groups.items()} if len(groups) > 1 else {},
        **whole.facts(),
        "cues": [asdict(cue) for cue in whole.cues if cue.kind == "feature"],
        "sources": [_said(tried) for tried in sources],
    }


def detectable(questions: float, limit: float, confidence: float = CONFIDENCE) -> float:
    """About the smallest accuracy that fails with so many questions: below it a cue may pass unseen."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return round(min(1.0, limit + z * math.sqrt(limit * (1 - limit) / questions)), 3)


def _enough(of: Contrasts) -> bool:
    return of.effective > LEAST - 1e-6


def _by_source(whole: Tried, seed: int) -> Iterator[Tried]:
    """Each source by itself; the only one is the whole. Of too few pairs no cue is looked for.

    Whoever looks at several sources finds something by chance more often, so their intervals share the chance of
    missing that one set has (Bonferroni).
    """
    given: NDArray[np.str_] = np.array([row.source for row in whole.of.rows])
    parts = {source: whole.of.part(np.flatnonzero(given == source)) for source in SOURCES if source in given}
    if len(parts) == 1:
        yield replace(whole, source=next(iter(parts)))
        return
    confidence = 1 - (1 - CONFIDENCE) / max(1, sum(map(_enough, parts.values())))
    for source, part in parts.items():
        yield Tried(source, part, cues(part, seed, confidence) if _enough(part) else (), whole.limit, confidence)


def _said(tried: Tried) -> dict[str, Any]:
    """What the report says of a source; its single cues only where they fail."""
    failed = tried.failed
    said = "failed" if failed else "passed" if tried.judged else "too few to judge"
    single = [asdict(cue) for cue in failed if cue.kind == "feature"]
    return {"source": tried.source, "verdict": said, "failed": [cue.label for cue in failed]} | tried.facts() | {
        "cues": single
    }  # fmt: skip


def _failed(whole: Tried, sources: Sequence[Tried]) -> list[tuple[Tried, Cue]]:
    """The cues above the limit: of all pairs, then those of single sources that do not show in all."""
    found = [(whole, cue) for cue in whole.failed]
    known = {cue.label for _, cue in found}
    return found + [(tried, cue) for tried in sources for cue in tried.failed if cue.label not in known]


def _reason(whole: Tried, failed: Sequence[tuple[Tried, Cue]]) -> str | None:
    """Why the pairs do not pass: the worst cue, of all pairs before a source, plain before by the prompt's form."""
    pairs, effective = len(whole.of.rows), whole.of.effective
    if not _enough(whole.of):
        weighed = "" if effective == pairs else f", weighed as they are: they count as {effective:.1f} equal ones"
        return f"{pairs} pairs are too few to tell (at least {LEAST}){weighed}"
    if not failed:
        return None if whole.judged else _few_questions(whole.of)
    tried, worst = max(
        failed, key=lambda one: (not one[0].source, not one[1].by_prompt, one[1].kind == "feature", one[1].low)
    )
    more = f"; so do {len(failed) - 1} more" if len(failed) > 1 else ""
    of = f"{len(tried.of.rows):,} pairs of {tried.source}" if tried.source else "pairs"
    told = f"{worst.label} tells {100 * worst.accuracy:.2f} % of the {of} apart (limit {100 * tried.limit:.0f} %)"
    return told + more + _remedy(failed)


def _few_questions(of: Contrasts) -> str:
    return (
        f"{len(of.rows)} pairs of too few questions to tell, by weight as good as {of.effective_questions:.1f} "
        f"(at least {FOLDS})"
    )


def _remedy(failed: Sequence[tuple[Tried, Cue]]) -> str:
    """What to do about prompts that give the winner away, where some do."""
    by_prompt = [set(tried.of.groups) for tried, cue in failed if cue.by_prompt]
    if not by_prompt:
        return ""
    return f"; {ONE_PROMPT if any({'straight', 'cot'} <= kinds for kinds in by_prompt) else ONE_WORDING}"
