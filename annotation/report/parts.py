"""The page as a list of sections made of the summary, before it is drawn or written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.disputes import REASONS
from annotation.judged import OUTCOMES
from annotation.report.words import PREFIX
from annotation.summary import Row, open_by_reason
from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Entry, Grid, Picture, Section, Words
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.values import Chance, Joined, Name, Number, Phrase, Range, Value

ALPHA_LINE, FAIR = 66.7, 50.0
LISTED = 100
"""Disputes shown on the page; the others are in the JSON."""


def sections(summary: Row, command: str) -> list[Section]:
    """Every section that has something to show."""
    made = [
        _progress(summary["progress"], command),
        _agreement(summary, command),
        _doctors(summary["doctors"], command),
        _models(summary["models"], command),
        _disputes(summary, command),
    ]
    return [section for section in made if section.blocks]


def say(key: str, **filled: Value) -> Phrase:
    """A phrase of this page."""
    return Phrase.of(PREFIX + key, **filled)


def _head(*keys: str) -> tuple[Value, ...]:
    return tuple(say(key) for key in keys)


def _count(value: int) -> Number:
    return Number(value, 0)


def _hundred(value: float | None) -> Value:
    return None if value is None else Number(100 * value, 1)


def _span(bounds: Sequence[float] | None) -> Value:
    return Range(100 * bounds[0], 100 * bounds[1], 1) if bounds else None


def _bar(label: Value, estimate: float | None, bounds: Sequence[float] | None, slot: int = 0) -> Iterable[Bar]:
    if estimate is not None and bounds:
        yield Bar(label, 100 * estimate, 100 * bounds[0], 100 * bounds[1], slot)


def _figure(plot: Rows, grid: Grid, note: Phrase | None = None) -> tuple[Block, ...]:
    """The figure with its table, or the table alone where nothing can be drawn."""
    return (Picture(plot, grid, note),) if any(bars for _, bars in plot.groups) else (grid,)


def _progress(found: Row, command: str) -> Section:
    items = sum(found["items"].values())
    text = say(
        "progress_text", overlap=_count(found["overlap"]), verdicts=_count(found["verdicts"]),
        complete=_count(found["complete"]), items=_count(items),
    )  # fmt: skip
    counts = [
        (say("n_verdicts", n=_count(int(often))) if int(often) else say("no_verdict"), number)
        for often, number in found["items_by_verdicts"].items()
    ]
    bars = tuple(Bar(label, number) for label, number in counts)
    rows = tuple((label, _count(number)) for label, number in counts)
    grid = Grid("progress", say("by_verdicts"), _head("fact", "value"), rows, command)
    facts: list[tuple[Value, Value]] = [(say(f"kind_{kind}"), _count(n)) for kind, n in found["items"].items()]
    facts += [(say(key), _count(found[key])) for key in ("verdicts", "drafts", "discarded", "unknown_items")]
    facts += [(say("guideline", version=Name(v)), _count(n)) for v, n in found["guidelines"].items()]
    plot = Rows("progress", say("by_verdicts"), say("items_axis"), ((None, bars),), solid=True)
    table = Grid("facts", say("facts"), _head("fact", "value"), tuple(facts), command)
    return Section("progress", say("progress"), (Words((text,)), *_figure(plot, grid), table))


def _agreement(summary: Row, command: str) -> Section:
    alphas = summary["agreement"]
    bars = tuple(bar for each in alphas for bar in _bar(say(f"q_{each['question']}"), each["alpha"], each["ci95"]))
    rows = tuple((say(f"q_{each['question']}"), *_alpha_cells(each)) for each in alphas)
    head = _head("question", "level", "items", "units", "doctors_count", "alpha", "ci95")
    plot = Rows("alpha", say("alpha_figure"), say("alpha_axis"), ((None, bars),), line=ALPHA_LINE)
    grid = Grid("alpha", say("alpha_figure"), head, rows, command)
    blocks = (Words((say("agreement_text"),)), *_figure(plot, grid, say("alpha_note")))
    return Section("agreement", say("agreement"), (*blocks, *_subjects(summary, command), *_kappas(summary, command)))


def _alpha_cells(each: Row) -> tuple[Entry, ...]:
    counts = (_count(each[key]) for key in ("items", "units", "doctors"))
    return (say(f"level_{each['level']}"), *counts, _hundred(each["alpha"]), _span(each["ci95"]))


def _subjects(summary: Row, command: str) -> tuple[Block, ...]:
    if len({each["subject"] for each in summary["subjects"]}) < 2:
        return ()
    named = [
        (naming.subject(each["subject"]) if each["subject"] else say("no_subject"), each)
        for each in summary["subjects"]
    ]
    bars = tuple(
        bar for name, each in named if each["question"] == "choice" for bar in _bar(name, each["alpha"], each["ci95"])
    )
    rows = tuple((name, say(f"q_{each['question']}"), *_alpha_cells(each)) for name, each in named)
    head = _head("subject", "question", "level", "items", "units", "doctors_count", "alpha", "ci95")
    plot = Rows("subjects", say("subjects_figure"), say("alpha_axis"), ((None, bars),), line=ALPHA_LINE)
    return _figure(plot, Grid("subjects", say("subjects_table"), head, rows, command, folded=True))


def _kappas(summary: Row, command: str) -> tuple[Block, ...]:
    named = [(Joined((Name(each["a"]), Name(each["b"])), "dot"), each) for each in summary["kappa"]]
    if not named:
        return ()
    bars = tuple(
        bar for name, each in named if each["question"] == "choice" for bar in _bar(name, each["kappa"], each["ci95"])
    )
    rows = tuple(
        (name, say(f"q_{each['question']}"), _count(each["items"]), _hundred(each["same"]), _hundred(each["kappa"]),
         _span(each["ci95"]))
        for name, each in named
    )  # fmt: skip
    head = _head("pair", "question", "items", "same", "kappa", "ci95")
    plot = Rows("kappa", say("kappa_figure"), say("kappa_axis"), ((None, bars),), line=0.0)
    return _figure(plot, Grid("kappa", say("kappa_table"), head, rows, command))


def _doctors(found: Sequence[Row], command: str) -> Section:
    if not found:
        return Section("doctors", say("doctors"))
    measures = [
        ("consistency", [(each, each["consistency"]["share"], each["consistency"]["ci95"]) for each in found]),
        ("gold", [(each, each["gold"]["share"], each["gold"]["ci95"]) for each in found]),
        ("estimated_accuracy", [(each, *_accuracy(each)) for each in found]),
    ]
    groups = tuple(
        (say(key), bars)
        for slot, (key, rows) in enumerate(measures)
        if (bars := tuple(bar for each, share, ci95 in rows for bar in _bar(Name(each["judge"]), share, ci95, slot)))
    )
    plot = Rows("checks", say("checks_figure"), say("percent"), groups)
    head = _head("doctor", "status", "verdicts", "drafts", "discarded", "consistency", "gold", "exact",
                 "estimated_accuracy", "seconds")  # fmt: skip
    grid = Grid("checks", say("checks_table"), head, tuple(_check_row(each) for each in found), command)
    blocks = (Words((say("doctors_text"),)), *_figure(plot, grid, say("speed_note")))
    return Section("doctors", say("doctors"), (*blocks, *_sides(found, command), *_rates(found, command)))


def _accuracy(each: Row) -> tuple[float | None, Sequence[float] | None]:
    rates = each["error_rates"]
    return (rates["accuracy"], rates["ci95"]) if rates else (None, None)


def _check_row(each: Row) -> tuple[Entry, ...]:
    def share(found: Row) -> Value:
        return say("of", right=_count(found["right"]), of=_count(found["of"])) if found["of"] else None

    median = each["seconds"]["median"]
    seconds: Value = None
    if median is not None:
        seconds = Number(median, 0)
        seconds = say("seconds_estimated", seconds=seconds) if each["seconds"]["estimated"] else seconds
    status = say(f"failed_{each['failed']}") if each["failed"] else say("passed")
    counts = (_count(each[key]) for key in ("verdicts", "drafts", "discarded"))
    exact = _count(each["gold"]["exact"]) if each["gold"]["of"] else None
    checked = (share(each["consistency"]), share(each["gold"]), exact, _hundred(_accuracy(each)[0]), seconds)
    return (Name(each["judge"]), status, *counts, *checked)


def _sides(found: Sequence[Row], command: str) -> tuple[Block, ...]:
    bars = tuple(
        bar for each in found for bar in _bar(Name(each["judge"]), each["side"]["share"], each["side"]["ci95"])
    )
    rows = tuple(
        (Name(each["judge"]), _count(each["side"]["left"]), _count(each["side"]["right"]),
         _hundred(each["side"]["share"]), _span(each["side"]["ci95"]), Chance(each["side"]["p"]))
        for each in found
    )  # fmt: skip
    head = _head("doctor", "left", "right", "percent", "ci95", "p")
    plot = Rows("sides", say("side_figure"), say("percent"), ((None, bars),), line=FAIR)
    return _figure(plot, Grid("sides", say("side_figure"), head, rows, command), say("side_note"))


def _rates(found: Sequence[Row], command: str) -> tuple[Block, ...]:
    rows: list[tuple[Entry, ...]] = []
    for each in found:
        rates: Row = each["error_rates"] or {"confusion": [], "low": [], "high": []}
        for true, shares, low, high in zip(OUTCOMES, rates["confusion"], rates["low"], rates["high"], strict=False):
            cells = (
                Joined((Number(100 * share, 1), Range(100 * least, 100 * most, 0)), "line")
                for share, least, most in zip(shares, low, high, strict=True)
            )
            rows.append((Name(each["judge"]), say(true), *cells))
    head = (say("doctor"), say("true"), *(say("says", outcome=say(outcome)) for outcome in OUTCOMES))
    return (Grid("rates", say("rates_table"), head, tuple(rows), command),) if rows else ()


def _models(found: Sequence[Row], command: str) -> Section:
    if not found:
        return Section("models", say("models"))
    named = [(naming.model(each["a"]), naming.model(each["b"]), each) for each in found]
    bars = tuple(bar for a, b, each in named for bar in _bar(say("against", a=a, b=b), each["a_share"], each["ci95"]))
    rows = tuple(
        (say("against", a=a, b=b), _count(each["items"]), Number(each["a_wins"], 1), Number(each["b_wins"], 1),
         Number(each["neither"], 1), _hundred(each["a_share"]), _span(each["ci95"]))
        for a, b, each in named
    )  # fmt: skip
    head = _head("which", "items", "first_wins", "second_wins", "neither", "percent", "ci95")
    plot = Rows("models", say("models_figure"), say("models_axis"), ((None, bars),), line=FAIR)
    grid = Grid("models", say("models_figure"), head, rows, command)
    return Section("models", say("models"), _figure(plot, grid, say("models_note")))


def _disputes(summary: Row, command: str) -> Section:
    waiting = [each for each in summary["disputes"] if each["open"]]
    if not summary["disputes"]:
        return Section("disputes", say("disputes"))
    settled = len(summary["disputes"]) - len(waiting)
    text = Words((say("disputes_text", open=_count(len(waiting)), settled=_count(settled)),))
    counts = open_by_reason(summary)
    bars = tuple(Bar(say(f"r_{reason}"), counts[reason]) for reason in REASONS)
    rows = tuple((say(f"r_{reason}"), _count(counts[reason])) for reason in REASONS)
    plot = Rows("disputes", say("disputes_figure"), say("count"), ((None, bars),), solid=True)
    grid = Grid("disputes", say("disputes_figure"), _head("reason", "count"), rows, command)
    listed = tuple(_dispute_row(each) for each in waiting[:LISTED])
    table = Grid("open", say("disputes_table"), _head("item", "reason", "grades"), listed, command, folded=True)
    return Section("disputes", say("disputes"), (text, *_figure(plot, grid), *((table,) if listed else ())))


def _dispute_row(each: dict[str, Any]) -> tuple[Entry, ...]:
    grades = tuple(say(f"g_{grade}") for grade in each["grades"].values() if grade)
    reasons = tuple(say(f"r_{reason}") for reason in each["reasons"])
    return Name(each["item"]), Joined(reasons, "line"), Joined(grades, "semicolon")
