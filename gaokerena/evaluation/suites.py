"""Suites: the questions that models are measured on, as published, with their keys read.

    suite = load_suite("mmlu_fa", Path("data"))          # from a folder that holds benchmarks.parquet
    suite = load_suite("mf3qa:dev", Path("data"))        # free form; a split other than test is named
    suite = load_suite("mine.csv", None)                 # a file in one of the layouts of `suite_files`
    suite = load_suite("hub:gaokerena/MF3QA@main", None) # a dataset of the Hub (`suite_hub`)
    for item in suite.askable:
        engine.ask(item.question())

Text is kept as published and nothing is repaired or dropped: what is wrong with a suite says `suite_checks.check`, and
rows of other splits are counted in `Suite.left_out`.

    python -m gaokerena suites --check

Not covered: answers (`gaokerena.transcripts`) and few-shot examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gaokerena.evaluation import suite_hub
from gaokerena.evaluation.suite_files import SUFFIXES, Record, SuiteError, read_file
from gaokerena.evaluation.suite_keys import Base, key_base, read_key
from gaokerena.questions import Letter, Question

__all__ = ["FREE_FORM", "KNOWN", "Item", "Suite", "SuiteError", "is_place", "load_all", "load_file", "load_suite"]

CHOICE_FILE = "benchmarks.parquet"
FREE_FILE = "mf3qa.parquet"
KNOWN: dict[str, tuple[str, str]] = {
    "mmlu_fa": ("MMLU پزشکی، ترجمهٔ فارسی", "Medical MMLU in Persian"),
    "ibmsee_2023": ("علوم پایهٔ پزشکی، شهریور ۱۴۰۲", "Basic medical sciences exam, September 2023"),
    "kopp_larger": ("علوم پایهٔ پزشکی، دوره‌های دیگر", "Basic medical sciences exam, other years"),
    "mf3qa": ("پرسش بیماران و پاسخ پزشکان", "Patients' questions, doctors' answers"),
    "persianmedqa": ("آزمون‌های دستیاری و پیش‌دستیاری", "Residency and pre-residency exams (gated)"),
}
"""Suites by name, with what they are in Persian and in English."""
FREE_FORM = "mf3qa"
SPLIT = "test"
"""The split that is meant where none is named."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a suite as published.

    `index` counts from 0 inside the subject, in the order of the file: the `question_index` of transcripts. `row`
    counts from 0 inside the suite. `options` is empty for free form, where `reference` is the doctor's answer; `key`
    is the key as published and `gold` the letter it means (None: unreadable, or free form).
    """

    suite: str
    subject: str
    index: int
    row: int
    text: str
    options: tuple[str, ...]
    gold: Letter | None
    key: str
    reference: str
    source: str

    @property
    def trouble(self) -> str | None:
        """Why the question cannot be asked as published; None where it can."""
        if not self.text.strip():
            return "the text is empty"
        if len(self.options) not in (0, 4):
            return f"there are {len(self.options)} options, not four"
        empty = [letter for letter, option in zip("ABCD", self.options, strict=False) if not option.strip()]
        return f"option {', '.join(empty)} is empty" if empty else None

    def question(self) -> Question:
        """The question as a value, its text untouched. Raises ValueError where it cannot be asked (`trouble`)."""
        if self.trouble:
            where = f"{self.suite}, subject {self.subject!r}, question {self.index}"
            raise ValueError(f"{where}: {self.trouble}; mend the file, or ask the suite's `askable` questions alone")
        return Question(
            text=self.text,
            options=self.options,
            gold=self.gold if self.options else None,
            suite=self.suite or None,
            subject=self.subject or None,
        )


@dataclass(frozen=True)
class Suite:
    """Items in the order of the file. `origin` is a path, or repository@commit of the Hub.

    `base` says from where the numbers among the keys count (None: there are none), `left_out` counts the suite's rows
    in other splits, which are not in `items`.
    """

    name: str
    items: tuple[Item, ...]
    origin: str
    base: Base | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def askable(self) -> tuple[Item, ...]:
        """The items that can be asked as published."""
        return tuple(item for item in self.items if not item.trouble)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects as spelled, in order of first mention."""
        return tuple(dict.fromkeys(item.subject for item in self.items))

    @property
    def is_free_form(self) -> bool:
        """Whether no item has options."""
        return not any(item.options for item in self.items)


def load_suite(name_or_path: str | Path, data: Path | str | None = None, *, keys: Base | None = None) -> Suite:
    """One suite: by name from `data` (`mf3qa:dev` names a split), by the path of a file, or from the Hub (`hub:…`).

    `data` is a folder, a suite file or a dataset of the Hub; `keys` says whether numbers count from 0 or from 1 where
    they cannot tell. Raises SuiteError, also for a file that holds several suites: give it as `data` and name one.
    """
    name = str(name_or_path)
    if is_place(name):
        return _only(load_file(name, keys=keys), name)
    for place in _places(name.partition(":")[0], data):
        found = {suite.name: suite for suite in load_file(place, keys=keys, only=name.partition(":")[0])}
        if name in found:
            return found[name]
        if found:
            raise SuiteError(f"{place}: no suite {name!r}; there are {', '.join(found)}")
    where = f"in {data}" if data else "without a folder of data"
    hub = suite_hub.PREFIX + suite_hub.REPOSITORIES.get(name.partition(":")[0], "owner/dataset")
    raise SuiteError(
        f"no suite {name!r} {where}; known are {', '.join(KNOWN)}: set GAOKERENA_DATA or --data to the folder "
        f"that holds {CHOICE_FILE} and {FREE_FILE}, or give a file or {hub}"
    )


def load_file(place: str | Path, *, keys: Base | None = None, only: str | None = None) -> list[Suite]:
    """Every suite of a file, a folder or a dataset of the Hub, each split by itself, in order of first mention.

    `only` names the one suite that is wanted. The split test, and what has no split, has the suite's plain name,
    another one `name:split`. Raises SuiteError.
    """
    records, origin = _records(str(place))
    suites: list[Suite] = []
    for name in dict.fromkeys(record.suite for record in records if only in (None, record.suite)):
        rows = [record for record in records if record.suite == name]
        base = keys if keys is not None else key_base((row.key for row in rows), where=f"{origin}, suite {name}")
        sizes = Counter(row.split for row in rows)
        suites += [_suite(name, split, rows, origin, base) for split in sizes]
    return suites


def load_all(data: Path | str | None, *, keys: Base | None = None) -> list[Suite]:
    """Every suite of the folder `data`. Raises SuiteError."""
    if data is None:
        raise SuiteError("no folder of data; set GAOKERENA_DATA, give --data, or name a file or hub:owner/dataset")
    return load_file(data, keys=keys)


def is_place(name: str) -> bool:
    """Whether `name` is a path or a dataset of the Hub rather than the name of a suite."""
    return name.startswith(suite_hub.PREFIX) or Path(name).suffix in SUFFIXES or Path(name).is_dir()


def _only(suites: list[Suite], place: str) -> Suite:
    """The single suite of a place; its test split where it has several splits."""
    plain = [suite for suite in suites if ":" not in suite.name]
    found = plain if plain else suites
    if len(found) > 1:
        listed = ", ".join(suite.name for suite in found)
        raise SuiteError(f"{place}: holds the suites {listed}; give it as the data (--data) and name one of them")
    return found[0]


def _suite(name: str, split: str, rows: Sequence[Record], origin: str, base: Base | None) -> Suite:
    full = name if split in ("", SPLIT) else f"{name}:{split}"
    within: Counter[str] = Counter()
    items: list[Item] = []
    for record in rows:
        if record.split == split:
            items.append(_item(record, full, within[record.subject], len(items), base))
            within[record.subject] += 1
    others = Counter(f"split {row.split or 'without a name'}" for row in rows if row.split != split)
    return Suite(full, tuple(items), origin, base, dict(others))


def _item(record: Record, suite: str, index: int, row: int, base: Base | None) -> Item:
    return Item(
        suite=suite,
        subject=record.subject,
        index=index,
        row=row,
        text=record.text,
        options=record.options,
        gold=read_key(record.key, base) if record.options else None,
        key=record.key,
        reference=record.reference,
        source=record.source,
    )


def _records(place: str) -> tuple[list[Record], str]:
    """The rows of a file, a folder or a dataset of the Hub, and where they are from."""
    if place.startswith(suite_hub.PREFIX):
        repository, revision = suite_hub.parse(place)
        folder, commit = suite_hub.fetch(repository, revision)
        files, origin = _everything(folder), f"{repository}@{commit}"
    else:
        path = Path(place)
        files, origin = _files(path) if path.is_dir() else [path], place
    if not files:
        raise SuiteError(f"{origin}: no suite files ({', '.join(SUFFIXES)}); save spreadsheets as CSV in UTF-8")
    return [record for file in files for record in read_file(file)], origin


def _places(name: str, data: Path | str | None) -> Iterator[str]:
    """Where a suite of this name may be, the likeliest first: only these files are read."""
    if data is None:
        return
    if not Path(data).is_dir():
        yield str(data)
        return
    usual = FREE_FILE if name == FREE_FORM else CHOICE_FILE
    for file in (*(f"{name}{suffix}" for suffix in SUFFIXES), usual):
        if (Path(data) / file).is_file():
            yield str(Path(data) / file)
    if not _named(Path(data)):
        yield str(data)


def _files(folder: Path) -> list[Path]:
    """The suite files of a folder: those with a name of ours, or else everything in it."""
    return _named(folder) or _everything(folder)


def _named(folder: Path) -> list[Path]:
    stems = (Path(CHOICE_FILE).stem, *KNOWN)
    return [folder / (stem + suffix) for stem in stems for suffix in SUFFIXES if (folder / (stem + suffix)).is_file()]


def _everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())
