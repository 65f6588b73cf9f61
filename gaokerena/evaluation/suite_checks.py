"""What is wrong with a suite: every question looked at, every finding said, nothing repaired.

    for finding in check(load_all(Path("data"))):
        print(finding.severity, finding.suite, finding.row, finding.message, finding.step)

    python -m gaokerena suites --check

Here: empty texts, options, keys, subjects. In `suite_text`: figures, leftovers, orthography. In `suite_twins`:
repetitions and leaks. Severities: `suite_findings.SEVERITIES`. Not covered: whether a key is right.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from gaokerena.evaluation.suite_findings import SEVERITIES, Finding, at, excerpt, visible
from gaokerena.evaluation.suite_text import figures, leftovers, orthography
from gaokerena.evaluation.suite_twins import twins
from gaokerena.evaluation.suites import Item, Suite
from gaokerena.persian import normalize_for_key, tidy
from gaokerena.questions import LETTERS

SKEWED = 0.001
"""A distribution of keys that is less likely than this, were the four letters equally likely, is named."""
FEWEST_KEYS = 20
"""Below this many keys the chi-square test says nothing: an expected count is under five."""
_MEND = "mend the file, or leave the question out and say so"


def check(suites: Sequence[Suite]) -> list[Finding]:
    """Every finding in and between `suites`: suite by suite, the gravest first. Pure."""
    found = [*twins(suites)]
    for suite in suites:
        if suite.name.endswith(":train"):  # nothing is asked from it: it is there for the leaks
            continue
        for item in suite.items:
            found += [*_texts(item), *_options(item), *_keys(item, suite)]
        found += [*_subjects(suite), *_labels(suite), *_answers(suite), *_balance(suite)]
        found += [*figures(suite), *leftovers(suite), *orthography(suite)]
    order = {suite.name: place for place, suite in enumerate(suites)}
    return sorted(found, key=lambda one: (order[one.suite], SEVERITIES.index(one.severity)))


def _texts(item: Item) -> Iterator[Finding]:
    if not item.text.strip():
        yield at(item, "empty text", "error", "the question has no text", _MEND)
    if not item.options and not item.reference.strip():
        yield at(item, "empty reference", "error", f"neither options nor an answer: {excerpt(item.text)}", _MEND)


def _options(item: Item) -> Iterator[Finding]:
    if len(item.options) not in (0, 4):
        yield at(item, "option count", "error", f"{len(item.options)} options, not four: {excerpt(item.text)}", _MEND)
    for letter, option in zip("ABCDEFGH", item.options, strict=False):
        if not option.strip():
            yield at(item, "empty option", "error", f"option {letter} is empty: {excerpt(item.text)}", _MEND)
    for (one, first), (other, second) in combinations(zip("ABCDEFGH", item.options, strict=False), 2):
        if first.strip() and normalize_for_key(first) == normalize_for_key(second):
            yield _alike(item, one + other, first, second)


def _alike(item: Item, letters: str, first: str, second: str) -> Finding:
    """Two options with one folded form: equal, or apart in case and points alone («D از DMFT», «d از DMFT»)."""
    where = f"options {letters[0]} and {letters[1]}"
    if "".join(tidy(first).split()) != "".join(tidy(second).split()):
        message = f"{where} differ in case or points alone: {excerpt(first)}, {excerpt(second)}"
        return at(item, "similar options", "note", message, "read an answer by its letter here, not by its words")
    if item.gold and item.gold in letters:
        message = f"{where} are equal, {excerpt(first)}, and the key is {item.gold}: two letters are right"
        return at(
            item, "identical options", "error", message, "count both letters as right, or leave it out and say so"
        )
    message = f"{where} are equal: {excerpt(first)}; the key is {item.gold}"
    return at(item, "identical options", "warning", message, "say that three options are left to guess from")


def _keys(item: Item, suite: Suite) -> Iterator[Finding]:
    if not item.options or item.gold:
        return
    if not item.key.strip():
        yield at(item, "missing key", "error", f"no key: {excerpt(item.text)}", _MEND)
    else:
        counted = "" if suite.base is None else f" where keys count from {suite.base}"
        yield at(item, "unreadable key", "error", f"key {item.key[:40]!r} names no option{counted}", _MEND)


def _subjects(suite: Suite) -> Iterator[Finding]:
    """Subjects that one key unites, blanks aside: their figures are split between the spellings."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for subject in suite.subjects:
        spellings[normalize_for_key(subject).replace(" ", "")].append(subject)
    sizes = Counter(item.subject for item in suite.items)
    for several in spellings.values():
        if len(several) > 1:
            said = ", ".join(f"{visible(subject)} ({sizes[subject]})" for subject in several)
            step = "add up their counts before a figure by subject is reported"
            yield Finding(
                "subject spelling", "warning", suite.name, f"one subject, {len(several)} spellings: {said}", step
            )
    if empty := sizes.get("", 0):
        yield Finding("missing subject", "warning", suite.name, f"{empty} questions have no subject", _MEND)


def _labels(suite: Suite) -> Iterator[Finding]:
    """Sources that hold characters nobody can see or type: they are not found by their name."""
    for source in dict.fromkeys(item.source for item in suite.items):
        if "ـ" in source or visible(source) != source:
            message = f"source {visible(source)!r} holds a tatweel or bidi marks"
            yield Finding("label", "note", suite.name, message, "compare sources after normalising them")


def _answers(suite: Suite) -> Iterator[Finding]:
    """Reference answers that occur word for word more than once: templates."""
    seen: set[str] = set()
    again = []
    for item in suite.items:
        answer = item.reference.strip()
        if answer and answer in seen:
            again.append(item.row)
        seen.add(answer)
    if again:
        message = (
            f"{len(again):,} reference answers stand in an earlier row too (rows {', '.join(map(str, again[:5]))} …)"
        )
        step = "draw whole answers, not rows, when intervals are computed"
        yield Finding("repeated answer", "note", suite.name, message, step, rows=tuple(again))


def _balance(suite: Suite) -> Iterator[Finding]:
    """Keys that are far from one in four each, for the suite and for each subject."""
    for subject in (None, *suite.subjects):
        keys = Counter(item.gold for item in suite.items if item.gold and subject in (None, item.subject))
        if keys.total() < FEWEST_KEYS:
            continue
        p = uniform_p([keys[letter] for letter in LETTERS])
        if p < SKEWED:
            counts = ", ".join(f"{letter} {keys[letter]}" for letter in LETTERS)
            best, most = keys.most_common(1)[0]
            said = f"keys are {counts} (chi-square p = {p:.1g}); always {best} scores {100 * most / keys.total():.1f} %"
            message = f"all subjects: {said}" if subject is None else f"subject {visible(subject)}: {said}"
            step = "compare with the most frequent key, not with 25 %"
            yield Finding("skewed keys", "note", suite.name, message, step, subject)


def uniform_p(counts: Sequence[int]) -> float:
    """p of Pearson's chi-square test that four counts are of equal shares (three degrees of freedom).

    The upper tail in closed form: erfc(√(x/2)) + √(2x/π)·e^(-x/2). Raises ValueError for other than four counts.
    """
    if len(counts) != 4 or not sum(counts):
        raise ValueError(f"four counts, not all zero, not {list(counts)}")
    expected = sum(counts) / 4
    x = sum((count - expected) ** 2 for count in counts) / expected
    return math.erfc(math.sqrt(x / 2)) + math.sqrt(2 * x / math.pi) * math.exp(-x / 2)
