"""How figures are written in each language, and that all words are there, typed with care."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from gaokerena.evaluation.report import words
from gaokerena.evaluation.report.naming import difference, model
from gaokerena.evaluation.report.schema import Comparison
from gaokerena.evaluation.report.values import Chance, Joined, Name, Number, Phrase, Quote, Range, Value, markup, plain
from gaokerena.evaluation.report.words import WORDS, Language
from gaokerena.persian import tidy
from gaokerena.statistics import holm
from tests.evaluation.report import sample

PERSIAN = re.compile("[\u0600-\u06ff]")
NAMED_OTHERWISE = {"other_language", "p", "k_is", "table_pass_1", "table_pass_2", "table_pass_3", "short_pass_1",
                   "short_pass_2", "short_pass_3", "passes_pass_at_k", "short_difference", "difference_same",
                   "difference_ways", "system"}  # fmt: skip
"""Texts without a word of their own, or in the other language."""


@pytest.mark.parametrize(
    ("value", "fa", "en"),
    [
        (Number(48.148148), "۴۸٫۱۵", "48.15"),
        (Number(-0.244, signed=True), "⁦−۰٫۲۴⁩", "−0.24"),
        (Number(1.5, signed=True), "⁦+۱٫۵۰⁩", "+1.50"),
        (Number(-0.001, signed=True), "۰٫۰۰", "0.00"),
        (Number(0.125), "۰٫۱۳", "0.13"),
        (Number(17944, 0), "۱۷٬۹۴۴", "17,944"),
        (Range(-1.5, 2.25, signed=True), "⁦−۱٫۵۰⁩ تا ⁦+۲٫۲۵⁩", "−1.50 to +2.25"),
        (Chance(0.16), "۰٫۱۶۰", "0.160"),
        (Chance(0.0000001), "⁦< ۰٫۰۰۱⁩", "< 0.001"),
        (Name("gaokerena-r1.0"), "⁦gaokerena-r1.0⁩", "gaokerena-r1.0"),
        (None, "–", "–"),
        (Joined((Number(3, 0), Number(5, 0))), "۳، ۵", "3, 5"),
    ],
)
def test_figures(value: Value, fa: str, en: str) -> None:
    assert plain(value, "fa") == fa
    assert plain(value, "en") == en


def test_html_isolates_and_escapes() -> None:
    assert markup(Number(-2.5), "fa") == '<bdi dir="ltr">−۲٫۵۰</bdi>'
    assert markup(Quote("<b>درد</b>"), "fa") == '<bdi dir="auto">&lt;b&gt;درد&lt;/b&gt;</bdi>'
    filled = Phrase.of("count_in", n=Number(12, 0), suite=Name("a&b"))
    assert markup(filled, "fa") == '۱۲ در <bdi dir="ltr">a&amp;b</bdi>'
    assert markup(filled, "en") == '12 in <bdi dir="ltr">a&amp;b</bdi>'


def test_names_of_models_and_differences() -> None:
    assert plain(model("gaokerena-r1.0+aya-expanse-8b"), "en") == "R + Aya"
    assert plain(model("medmobile+parsinlu"), "en") == "MedMobile with ParsiNLU"
    assert plain(model("v+r"), "en") == "v+r"
    shown = [plain(difference(Comparison(**each)), "en") for each in sample.evaluation()["comparisons"]]
    assert shown == [
        "R − Aya, at least 3 of 5",
        "V − Aya, straight",
        "R: at least 3 of 5 − one answer, chain of thought",
        "R, at least 3 of 5 − V, straight",
        "R + Aya, pooled − R, at least 3 of 5",
    ]


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # 0.01 × 3, 0.03 × 2, 0.005 × 4
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_it(key: str) -> None:
    fa, en = WORDS[key]["fa"], WORDS[key]["en"]
    if key not in NAMED_OTHERWISE and not key.startswith("model_"):
        assert PERSIAN.search(fa)
        assert not PERSIAN.search(en)
    assert tidy(fa) == fa, "Persian ye and kaf, ZWNJ in its place, no stray blanks"
    latin = re.sub(r"[A-Za-z][\w@-]*|{.*?}", "", fa)
    assert not re.search("[0-9.,;?]", latin.replace("…", "").removesuffix(".").replace(". ", " ")), "Persian digits"
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (fa, en)]
    assert fields[0] == fields[1]


def test_every_text_is_used() -> None:
    folder = Path(words.__file__).parent
    source = "".join(
        path.read_text("utf-8")
        for path in (*folder.glob("*.py"), *folder.glob("*.jinja"), *folder.glob("published.toml"))
    )
    kinds = ("model_", "suite_", "subject_", "rule_", "prompting_", "family_", "test_", "choices_", "caution_",
             "table_", "short_", "forest_", "passes_", "published_")  # fmt: skip
    own = tomllib.loads(words.FILE.read_text("utf-8"))  # others join WORDS when their page is written
    unused = [key for key in own if not re.search(f"[\"']{key}[\"']", source) and not key.startswith(kinds)]
    assert not unused


@pytest.mark.parametrize("language", ["fa", "en"])
def test_figures_in_sentences_are_of_the_language(language: Language) -> None:
    filled = Phrase.of("caution_many", **{name: Number(65, 0) for name in ("all", "expected", "small", "holm")})
    assert ("۶۵" in plain(filled, language)) == (language == "fa")
    assert ("65" in plain(filled, language)) == (language == "en")
