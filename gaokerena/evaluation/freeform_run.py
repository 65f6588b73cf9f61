"""A whole judging: answers read, paired and drawn, the judge asked, everything in one report.

    report, failures = judge_all(Wanted(Path("runs/free"), ("v", "r"), "judge"), Path("runs/free/judge.calls.jsonl"))

`freeform_cli` is the way in and says what is written where. Not covered: writing the report.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from gaokerena.comparisons import now
from gaokerena.engines.base import Sampling
from gaokerena.evaluation.freeform import (
    Answers,
    Pair,
    Paired,
    Side,
    Told,
    locate,
    pair_up,
    question_id,
    read_side,
    sample,
)
from gaokerena.evaluation.freeform_calls import JUDGING, CallLog, Judge, Judged
from gaokerena.evaluation.freeform_prompt import FINGERPRINT, VERSION
from gaokerena.evaluation.freeform_score import score, settle
from gaokerena.evaluation.progress import Meter, Prices
from gaokerena.evaluation.suites import SuiteError, load_suite
from gaokerena.presets import load_preset
from gaokerena.settings import PresetName, Settings, load_settings
from gaokerena.statistics import RESAMPLES

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be judged, as the command's options say it."""

    folder: Path
    sides: tuple[str, str]
    judge: str
    preset: PresetName | None = None
    suite: str = "mf3qa"
    files: tuple[Path, ...] = ()
    data: str | None = None
    limit: int | None = None
    seed: int = 1
    reference: bool = True
    max_tokens: int = JUDGING.max_new_tokens


def judge_all(wanted: Wanted, calls: Path) -> tuple[dict[str, Any], list[str]]:
    """The report, and why calls failed (none: all is judged). Progress goes to standard error.

    Raises FreeformError, TranscriptsError, SuiteError, SettingsError, EngineError, RunError.
    """
    settings = load_settings(cache=None, **({"preset": wanted.preset} if wanted.preset else {}))
    a, b = (_answers(wanted, Side.named(name)) for name in wanted.sides)
    paired = pair_up(a, b, _told(wanted, settings.data))
    pairs = sample(paired.pairs, wanted.limit, wanted.seed)
    preset = load_preset(settings, [wanted.judge])
    with closing(preset.engine) as engine, CallLog(calls) as log:
        judge = Judge(
            engine,
            wanted.judge,
            log,
            (str(a.side), str(b.side)),
            preset.revisions.get(wanted.judge) or _served(settings, wanted.judge),
            wanted.reference,
            Sampling(JUDGING.temperature, max_new_tokens=wanted.max_tokens),
            wanted.seed,
        )
        meter = Meter(0, prices=_prices(settings, wanted.judge))
        judged = judge.judge(pairs, meter)
        meter.close()
    report = _about(wanted, a, b, paired, judge, judged) | _calls(pairs, judged, meter.cost)
    settled = [verdict for pair in pairs if (verdict := settle(pair, judged.calls))]
    return report | score(settled, seed=wanted.seed), judged.failures


def _answers(wanted: Wanted, side: Side) -> Answers:
    return read_side(wanted.files, side) if wanted.files else locate(wanted.folder, wanted.suite, side)


def _told(wanted: Wanted, data: Path | None) -> dict[str, Told]:
    """What the suite knows of its questions. Without a reference wanted, a suite that is not at hand is no matter."""
    try:
        items = load_suite(wanted.suite, Path(wanted.data) if wanted.data else data).askable
    except SuiteError as error:
        if wanted.reference:
            raise SuiteError(f"{error}; or judge with --no-reference") from error
        return {}
    return {question_id(item.text): Told(item.reference, item.source) for item in items}


def _served(settings: Settings, name: str) -> str:
    """The name a served judge has on its server: other weights under another name are asked again."""
    endpoint = settings.endpoints.get(name) if settings.preset == "endpoint" else None
    return endpoint.model if endpoint else ""


def _prices(settings: Settings, name: str) -> Prices:
    endpoint = settings.endpoints.get(name) if settings.preset == "endpoint" else None
    return Prices(endpoint.price_prompt, endpoint.price_completion) if endpoint else Prices()


def _about(wanted: Wanted, a: Answers, b: Answers, paired: Paired, judge: Judge, judged: Judged) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "at": now(),
        "suite": wanted.suite,
        "a": _side(a),
        "b": _side(b),
        "judge": {
            "model": judge.model,
            "revisions": sorted({call.revision for call in judged.calls.values()}),
            "prompt_version": VERSION,
            "prompt": FINGERPRINT,
            "sampling": asdict(judge.sampling),
        },
        "reference": wanted.reference,
        "seed": wanted.seed,
        "resamples": RESAMPLES,
        "available": len(paired.pairs),
        "left_out": {"only_a": paired.only_a, "only_b": paired.only_b, "repeated": paired.repeated},
    }


def _side(answers: Answers) -> dict[str, Any]:
    files = []
    for path in answers.files:
        with path.open("rb") as file:
            files.append({"file": path.name, "sha256": file_digest(file, "sha256").hexdigest()})
    return {"model": answers.side.model, "prompting": answers.side.prompting, "files": files}


def _calls(pairs: list[Pair], judged: Judged, cost: float | None) -> dict[str, Any]:
    """What the calls came to; `cost` of all of them, None without prices."""
    calls = list(judged.calls.values())
    return {
        "with_reference": len({(call.question_id, call.run) for call in calls if call.reference}),
        "calls": {
            "total": len(calls),
            "fresh": judged.fresh,
            "failed": len(judged.failures),
            "reminded": sum(call.tries > 1 for call in calls),
            "unreadable": sum(call.label is None for call in calls),
            "prompt_tokens": sum(call.usage.prompt_tokens for call in calls),
            "completion_tokens": sum(call.usage.completion_tokens for call in calls),
            "cost": cost,
            "pairs_missing": sum(settle(pair, judged.calls) is None for pair in pairs),
        },
    }
