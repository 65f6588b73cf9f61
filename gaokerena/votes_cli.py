"""The doors `python -m gaokerena votes …`: what visitors of the page said, counted, written out, or made forgotten.

    python -m gaokerena votes tally                                # who was preferred to whom, with intervals
    python -m gaokerena votes export --out build/votes.jsonl       # every verdict with what it was about
    python -m gaokerena votes purge --days 90                      # texts older than that go; verdicts and counts stay

All read the page's store (`GAOKERENA_STORE_PATH`, or `--store`), also while a page writes to it. Exit status 2: an
error, told in one line.

Not covered: what doctors said (`python -m annotation report`), pairs to train on (`python -m training pairs public`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gaokerena.comparisons import Judge
from gaokerena.settings import SettingsError, load_settings
from gaokerena.statistics import Interval, bootstrap_mean, clopper_pearson
from gaokerena.store import Store, StoreError, Vote

LEAST_VISITORS = 10
"""Below this many visitors a bootstrap over them says too little; no interval is printed then."""
SEED = 1

votes = typer.Typer(
    no_args_is_help=True, help="What visitors said, counted, written or forgotten.", rich_markup_mode=None
)
StorePath = Annotated[Path | None, typer.Option(help="the page's store; GAOKERENA_STORE_PATH if not given")]


@dataclass(frozen=True)
class Duel:
    """Two models and how often each was preferred; `share` is of the decided votes, for `model`."""

    model: str
    other: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    visitors: int
    share: float | None
    ci95: tuple[float, float] | None


@votes.command()
def tally(
    store: StorePath = None,
    judge: Annotated[Judge | None, typer.Option(help="one kind of judge; all if not given")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Count the blind verdicts, pair by pair of models: python -m gaokerena votes tally --judge public"""
    with _opened(store) as opened:
        found = opened.votes(judge)
    blind = [vote for vote in found if vote.blind]
    known, changed = len(found) - len(blind), sum(vote.changed for vote in blind)
    pairs = duels(blind)
    if as_json:
        told = {
            "votes": len(blind),
            "not_blind": known,
            "changed_later": changed,
            "duels": [asdict(one) for one in pairs],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo("\n".join([*_lines(pairs), _note(len(blind), known, changed)]))


@votes.command()
def export(
    out: Annotated[Path, typer.Option(help="the JSON-lines file to write")],
    store: StorePath = None,
) -> None:
    """Write every verdict with its comparison: python -m gaokerena votes export --out votes.jsonl"""
    with _opened(store) as opened:
        out.parent.mkdir(parents=True, exist_ok=True)
        count = opened.export_jsonl(out)
    typer.echo(f"{count} verdicts in {out}; texts only where the visitor agreed to their being kept")


@votes.command()
def purge(
    store: StorePath = None,
    days: Annotated[int | None, typer.Option(min=0, help="older than so many days")] = None,
    before: Annotated[
        str | None, typer.Option(help="asked before this date or ISO time, UTC if it names no zone")
    ] = None,
) -> None:
    """Take the texts out of old comparisons, for good: python -m gaokerena votes purge --days 90"""
    moment = _moment(days, before)
    with _opened(store) as opened:
        count = opened.purge(moment.isoformat())
    typer.echo(
        f"the texts of {count} comparisons asked before {moment:%Y-%m-%d %H:%M %Z} are gone; verdicts and counts stay"
    )


def _moment(days: int | None, before: str | None) -> datetime:
    """What is older goes, in UTC. What cannot be undone takes no guesses: nothing empty, nothing to come."""
    today = datetime.now(UTC)
    if before is None and days is not None:
        try:
            return today - timedelta(days=days)
        except OverflowError:
            raise _refused(f"--days {days} reaches back before the year 1; for example 90") from None
    if before is None or days is not None:
        raise _refused("say how old: --days N or --before DATE, one of the two")
    try:
        told = datetime.fromisoformat(before)
        moment = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(f"--before {before!r} is no date or ISO time; for example 2026-01-31") from None
    if moment > today:
        raise _refused(f"--before {before} lies in the future; to take the texts of all that was asked: --days 0")
    return moment


def duels(votes: Sequence[Vote]) -> list[Duel]:
    """Each pair of models that met, by name, of blind votes."""
    met: defaultdict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        first, second = sorted((vote.left, vote.right))
        met[first, second].append(vote)
    return [_duel(*models, met[models]) for models in sorted(met)]


def _duel(model: str, other: str, votes: Sequence[Vote]) -> Duel:
    decided = [vote for vote in votes if vote.choice in ("left", "right")]
    won = [float((vote.left if vote.choice == "left" else vote.right) == model) for vote in decided]
    visitors = [vote.session for vote in decided]
    share = _interval(won, visitors) if len(set(visitors)) >= LEAST_VISITORS else None
    return Duel(
        model, other, int(sum(won)), len(won) - int(sum(won)),
        sum(vote.choice == "tie" for vote in votes), sum(vote.choice == "both_bad" for vote in votes),
        len({vote.session for vote in votes}), sum(won) / len(won) if won else None,
        (share.low, share.high) if share else None,
    )  # fmt: skip


def _interval(won: Sequence[float], visitors: Sequence[str]) -> Interval:
    """Whole visitors resampled; where all said the same no resample differs, so the exact one of as many visitors."""
    count = len(set(visitors))
    if len(set(won)) == 1:
        return clopper_pearson(count if won[0] else 0, count)
    return bootstrap_mean(won, seed=SEED, clusters=visitors)


def _lines(pairs: Iterable[Duel]) -> Iterator[str]:
    for one in pairs:
        share = "" if one.share is None else f" · {one.model} in {100 * one.share:.1f} % of the decided"
        if one.ci95:
            share += f" [{100 * one.ci95[0]:.1f}, {100 * one.ci95[1]:.1f}]"
        elif share:
            share += f" (fewer than {LEAST_VISITORS} visitors decided: no interval)"
        yield (
            f"{one.model} : {one.other}  {one.wins} : {one.losses} · ties {one.ties} · both bad {one.both_bad}"
            f" · visitors {one.visitors}{share}"
        )


def _note(blind: int, known: int, changed: int) -> str:
    return (
        f"{blind} blind votes, each visitor's newest on a comparison ({changed} said something else once the names "
        f"were out); {known} left out that were never blind. Intervals: 95 %, whole visitors resampled "
        "(where all agree: the exact one of so many visitors)."
    )


@contextmanager
def _opened(path: Path | None) -> Iterator[Store]:
    """The store at `path`, or that of the settings. A file that is not there is not made."""
    try:
        place = path or load_settings().store_path
        if not place.is_file() or not place.stat().st_size:  # an empty file would be made a store
            raise StoreError(f"no store at {place}; give --store FILE (the page's GAOKERENA_STORE_PATH)")
        with Store(place) as store:
            yield store
    except (StoreError, SettingsError, OSError) as error:
        raise _refused(str(error)) from None


def _refused(why: str) -> typer.Exit:
    typer.echo(why, err=True)
    return typer.Exit(2)
