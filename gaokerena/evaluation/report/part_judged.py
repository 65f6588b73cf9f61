"""Free-form answers judged in both orders (judge.json): who wins, and how far the judge can be believed."""

from __future__ import annotations

from collections.abc import Iterator

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Grid, Picture, Section, Words
from gaokerena.evaluation.report.parts import head, span
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.schema_more import Judged, Share
from gaokerena.evaluation.report.values import Chance, Joined, Name, Number, Phrase, Value

FAIR = 50.0


def judged(found: Judged | None) -> Section:
    """The section; without blocks where nothing was judged."""
    title = Phrase("judged_title")
    if found is None:
        return Section("judged", title)
    models = {"a": naming.model(found.a.model), "b": naming.model(found.b.model)}
    shares = [(label, share) for label, share in _shares(found) if share is not None]
    bars = tuple(Bar(label, share.estimate, *share.ci95, slot=0) for label, share in shares)
    rows = tuple((label, Number(share.n, 0), Number(share.estimate), span(share.ci95)) for label, share in shares)
    caption = Phrase.of("judged_figure", **models)
    plot = Rows("judged", caption, Phrase("percent"), ((None, bars),), line=FAIR)
    grid = Grid("judged-shares", caption, head("row", "count", "share", "ci95"), rows, found.command)
    text = Words((Phrase.of("judged_text", **models, judge=Name(found.judge.model)),))
    return Section("judged", title, (text, Picture(plot, grid, Phrase("fair_note")), _counts(found)))


def _shares(found: Judged) -> Iterator[tuple[Value, Share | None]]:
    a = {"a": naming.model(found.a.model)}
    yield Phrase.of("win_rate", **a), found.win_rate
    yield Phrase.of("win_rate_near", **a), found.length.win_rate_near
    yield Phrase.of("win_rate_equal", **a), found.length.win_rate_at_equal_length
    yield Phrase("first_wins"), found.position.first_wins
    yield Phrase("longer_wins"), found.length.longer_wins
    yield Phrase("consistency"), found.consistency


def _counts(found: Judged) -> Grid:
    pairs, test = found.pairs, found.sign_test
    a, b = naming.model(found.a.model), naming.model(found.b.model)
    counts = (
        (Phrase("judged_questions"), pairs.questions),
        (Phrase("judged_pairs"), pairs.judged),
        (Phrase.of("both_orders", model=a), pairs.a_wins),
        (Phrase.of("both_orders", model=b), pairs.b_wins),
        (Phrase("ties"), pairs.ties),
        (Phrase("inconsistent"), pairs.flipped + pairs.half),
        (Phrase("unreadable"), pairs.unreadable),
    )
    rows: list[tuple[Value, Value]] = [(label, Number(count, 0)) for label, count in counts]
    if found.win_rate_bounds:
        rows.append((Phrase.of("win_rate_bounds", a=a), span(found.win_rate_bounds)))
    rows.append((Phrase("sign_test"), Phrase.of("p_is", p=Chance(test.p), a=Number(test.a, 0), b=Number(test.b, 0))))
    rows.append((Phrase("reference"), Phrase("yes" if found.reference else "no")))
    prompt = Joined((Name(found.judge.prompt_version), Name(found.judge.prompt)), "dot")
    rows.append((Phrase("judge_prompt"), prompt))
    return Grid("judged-counts", Phrase("judged_counts"), head("fact", "value"), tuple(rows), found.command)
