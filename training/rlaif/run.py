"""A whole RLAIF run: questions in, pairs out, every question accounted for; killed and run again it goes on.

    manifest = run(Job("a", Path("runs/rlaif/a"), teacher=Wanted("endpoint:big"), student=Wanted("mini:base")))

calls.jsonl in the folder grows as calls end and is what a next start goes on from; the other files (`books`) are
written at the end of every start, also of one that its budget stopped. accepted + dropped + failed = asked.

Not covered: whether the pairs are fit to train on (`training pairs build` and `audit`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from typing import Any, TypeAlias

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_score import Verdict
from gaokerena.evaluation.run_rows import RunError
from gaokerena.prompts import VERSION
from training import clock
from training.code import code_hash
from training.errors import TrainingError
from training.manifest import Manifest, begin, fingerprint, write_json
from training.pair_rows import PairRow
from training.pairing.stage import finished
from training.rlaif import books
from training.rlaif.agreement import Agreement, measure
from training.rlaif.budget import Purse, Spent
from training.rlaif.caller import Caller, CallFailedError
from training.rlaif.calls import Call, CallLog
from training.rlaif.compared import Compared
from training.rlaif.correction import correct
from training.rlaif.doctors import Doctors
from training.rlaif.job import LEAST, Job, Work, prepare
from training.rlaif.judged_pairs import label_pair, student_pair
from training.rlaif.judging import judge
from training.rlaif.outcome import DroppedError, same_options
from training.rlaif.parties import check_prices, opened
from training.rlaif.pool import End, drive
from training.rlaif.questions import Task
from training.rlaif.self_correction import self_correct
from training.rlaif.turns import by_turn
from training.rlaif.wording import CURRENT, Wording, load

log = logging.getLogger("training")
AGREEMENT = "agreement.json"


def run(job: Job, tell: Callable[[str], None] = log.info) -> dict[str, Any]:
    """Do the job, or go on with it; returns the manifest. `tell` hears what a person must read before labels count.

    Raises TrainingError, KeyboardInterrupt.
    """
    work, wording = prepare(job), load(CURRENT[job.method])
    try:
        job.out.mkdir(parents=True, exist_ok=True)
        return _run(job, work, wording, tell)
    except RunError as error:
        raise TrainingError(str(error)) from error
    except OSError as error:
        place = error.filename or job.out
        raise TrainingError(
            f"{place}: {error.strerror or error}; make room or give another --out, then run the same command again"
        ) from error


def _run(job: Job, work: Work, wording: Wording, tell: Callable[[str], None]) -> dict[str, Any]:
    """As `run`, in a folder that is there. Raises RunError and OSError for what cannot be written."""
    with ExitStack() as closing:
        parties = closing.enter_context(opened(job.parties, at_once=job.at_once, timeout=job.timeout))
        if job.budget.money is not None:
            check_prices(job.parties, parties)
        about = {role: {"identity": party.identity, **party.about()} for role, party in parties.items()}
        mark = fingerprint(job.deciding(), about, work.content, wording.sha256, VERSION, _code())
        earlier = finished(job.out, mark)
        if earlier and earlier["outcome"] == "complete":
            log.info("%s: finished earlier, nothing to do", job.out)
            return earlier
        begin(job.out, mark)
        calls = closing.enter_context(CallLog(job.out / books.CALLS))
        caller = Caller(parties, calls, Purse(job.budget, sum(calls.spent.values(), Spent())), job.seed)
        manifest = Manifest(f"rlaif {job.method}", job.seed, mark, recipe=dict(job.deciding()))
        manifest.extra = {"parties": {role: party.about() for role, party in parties.items()}}
        with clock.running(job.out, manifest):
            _work(job, work, wording, caller, manifest, tell)
    return finished(job.out, mark) or {}


@cache
def _code() -> str:
    """The code behind a run; reading some seventy modules takes a second, and they do not change under a process."""
    return code_hash("training.rlaif.run")


def _work(
    job: Job, work: Work, wording: Wording, caller: Caller, manifest: Manifest, tell: Callable[[str], None]
) -> None:
    """Everything between the first call and the manifest."""
    judged = _judged(job, work.doctors, wording, caller) if work.doctors else []
    state = books.state_of(caller, judged)
    trust = _measured(work.doctors, judged) if work.doctors and state == "complete" else None
    if trust:
        write_json(job.out / AGREEMENT, trust.row())
        tell(trust.text())
        _allow(job, trust)
    ends: list[End[PairRow]] = [None] * len(work.units)
    if state == "complete":
        makes = [partial(_make, job, unit, wording, caller, trust) for unit in work.units]
        ends = drive(caller, makes, job.at_once)
        state = books.state_of(caller, ends)
    else:
        tell(_not_measured(judged))
    manifest.counts_in = {"available": work.available}
    manifest.tokens = books.total(caller).tokens
    manifest.extra |= {
        "outcome": state,
        "left_out": dict(work.left_out),
        "prompts": wording.provenance | {"question": VERSION},
        "agreement": trust.row() if trust else None,
        "doctors_left_out": work.doctors.left_out if work.doctors else None,
        **({"by_turn": by_turn(ends)} if job.method == "b" else {}),
        **books.spending(caller),
    }
    books.write(job.out, work.ids, ends, manifest)


def _make(job: Job, unit: Task | Compared, wording: Wording, caller: Caller, trust: Agreement | None) -> PairRow:
    """The pair of one unit by the job's method."""
    if isinstance(unit, Compared):
        return label_pair(caller, unit, wording, trust)
    if unit.question.options and same_options(unit.question):
        raise DroppedError("two options read alike")
    if job.method == "a":
        return correct(caller, unit, wording, count=job.samples, tries=job.tries)
    if job.method == "b":
        return self_correct(caller, unit, wording, count=job.samples, tries=job.tries, turns=job.turns)
    return label_pair(caller, student_pair(caller, unit), wording, trust)


_Judged: TypeAlias = list[End[tuple[Verdict, list[Call]]]]


def _judged(job: Job, doctors: Doctors, wording: Wording, caller: Caller) -> _Judged:
    """What the judge says of each comparison that doctors judged."""
    makes = [partial(judge, caller, compared, wording) for compared, _ in doctors.known]
    return drive(caller, makes, job.at_once)


def _measured(doctors: Doctors, judged: _Judged) -> Agreement:
    """The judge against the doctors, when it was asked about every comparison."""
    pairs = zip(doctors.known, judged, strict=True)
    said = [end[0] if isinstance(end, tuple) else _unread(compared) for (compared, _), end in pairs]
    return measure(doctors, said)


def _not_measured(judged: _Judged) -> str:
    """Why the judge could not be measured to the end, and what to do."""
    failed = Counter(str(end) for end in judged if isinstance(end, CallFailedError))
    missing = sum(end is None for end in judged) + failed.total()
    why = f" ({failed.most_common(1)[0][0]})" if failed else ""
    return (
        f"the judge was not measured, so no label was asked for: of {len(judged)} comparisons that doctors judged it "
        f"was not asked about {missing}, or its call failed{why}; the same command goes on"
    )


def _unread(compared: Compared) -> Verdict:
    """The verdict on what the judge cannot take in (a conversation too long for it)."""
    return Verdict(Pair(compared.question.id, 0, compared.question.text, compared.a, compared.b), (None, None))


def _allow(job: Job, trust: Agreement) -> None:
    """Raises TrainingError where the judge was measured on too little or is not good enough."""
    if trust.n_decided < LEAST:
        raise TrainingError(
            f"{job.out / AGREEMENT}: no label is written. Doctors and judge both name a winner in {trust.n_decided} "
            f"comparisons, at least {LEAST} are needed; give more verdicts, or a judge that calls fewer ties"
        )
    low = trust.decided.low if trust.decided else 0.0
    if low <= job.least_agreement:
        raise TrainingError(
            f"{job.out / AGREEMENT}: no label is written. The judge names the doctors' winner in {trust.percent()}, "
            f"and the lower end must be above {100 * job.least_agreement:g} % (--least-agreement). Take a better "
            "judge, or more verdicts to measure it against"
        )
