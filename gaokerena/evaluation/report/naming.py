"""What models, suites, subjects, rules and promptings are called; a name nobody has words for stands as it is."""

from __future__ import annotations

from gaokerena.evaluation.report.schema import Comparison
from gaokerena.evaluation.report.values import Joined, Name, Phrase, Quote, Value
from gaokerena.evaluation.report.words import known


def model(name: str) -> Value:
    """The short name of a model, or of several joined by `+`."""
    if key := known("model_", name):
        return Phrase(key)
    parts = name.split("+")
    if len(parts) > 1 and any(known("model_", part) for part in parts):
        return Joined(tuple(model(part) for part in parts), "plus")
    return Name(name)


def suite(name: str) -> Value:
    return _named("suite_", name)


def subject(name: str) -> Value:
    return _named("subject_", name)


def rule(name: str) -> Value:
    return _named("rule_", name)


def prompting(name: str) -> Value:
    return _named("prompting_", name)


def family(name: str) -> Value:
    return _named("family_", name)


def system(side: tuple[str, str, str]) -> Value:
    """(model, prompting, rule) in a few words; the prompting is said where it is not implied by the rule."""
    named, asked, decided = side
    if asked == "straight":
        return Phrase.of("system_straight", model=model(named))
    if decided == "single":
        return Phrase.of("system_single", model=model(named), prompting=prompting(asked))
    return Phrase.of("system", model=model(named), rule=rule(decided))


def difference(comparison: Comparison) -> Value:
    """`a` minus `b`, saying of rule and prompting no more than once what both share."""
    a, b = comparison.sides
    if a[1:] == b[1:]:
        models = Joined((model(a[0]), model(b[0])), "minus")
        return Phrase.of("difference_same", models=models, way=way(a[1], a[2]))
    if a[0] == b[0]:
        return Phrase.of("difference_ways", model=model(a[0]), a=way(*a[1:]), b=way(*b[1:]))
    return Joined((system(a), system(b)), "minus")


def way(asked: str, decided: str) -> Value:
    """How a model was asked and its answers decided."""
    if asked == "straight":
        return prompting(asked)
    return Phrase.of("way_single", prompting=prompting(asked)) if decided == "single" else rule(decided)


def _named(kind: str, name: str) -> Value:
    key = known(kind, name)
    return Phrase(key) if key else Quote(name)
