"""The page and the Markdown: whole, self-contained, and with the evaluation's own numbers in table and drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gaokerena.evaluation.report.blocks import Picture, Section
from gaokerena.evaluation.report.build import sections
from gaokerena.evaluation.report.figures import draw
from gaokerena.evaluation.report.html import html
from gaokerena.evaluation.report.markdown import markdown
from gaokerena.evaluation.report.plots import Lines, Rows
from gaokerena.evaluation.report.read import read
from gaokerena.evaluation.report.values import figure
from gaokerena.evaluation.report.words import Language
from tests.evaluation.report import sample

COMMAND = "python -m gaokerena report papers"
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Section]:
    return sections(read(sample.write(tmp_path_factory.mktemp("evaluation"))), COMMAND)


@pytest.fixture(scope="module")
def page(made: list[Section]) -> str:
    return html(made)


class Reader(HTMLParser):
    """Tables by id as rows of texts, texts with the tags around them, and all attributes; unbalanced tags raise."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.texts: list[tuple[str, list[tuple[str, dict[str, str | None]]]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._rows: list[list[str]] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if tag == "table":
            self._rows = self.tables[(dict(attrs)["id"] or "").removeprefix("table-")] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((data, list(self.open)))
        if any(tag in ("td", "th") for tag, _ in self.open):
            self._rows[-1][-1] += data


@pytest.fixture(scope="module")
def seen(page: str) -> Reader:
    return Reader(page)


def pictures(made: list[Section]) -> Iterator[Picture]:
    for section in made:
        yield from (block for block in section.blocks if isinstance(block, Picture))


def test_nothing_comes_from_elsewhere(page: str, seen: Reader) -> None:
    assert not re.search(r"https?:|//[a-z]|@import", re.sub(r"url\(data:[^)]*\)", "", page))
    links = [value for tag, name, value in seen.attributes if name in ("src", "href", "action", "srcset", "data")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert len(re.findall(r"url\((?!#)", page)) == 2
    assert page.count("url(data:font/woff2;base64,d09GMg") == 2  # "wOF2"
    assert not {tag for tag, _, _ in seen.attributes} & {"link", "img", "iframe", "object", "embed"}


def test_ids_are_unique_and_links_lead_somewhere(page: str, seen: Reader) -> None:
    ids = [value for _, name, value in seen.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for _, name, value in seen.attributes if name == "href"}
    wanted |= {place for _, name, value in seen.attributes if name == "aria-labelledby" for place in value.split()}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert wanted <= set(ids)


def test_every_published_cell_is_shown_in_both_languages(seen: Reader) -> None:
    shown = [value for tag, name, value in seen.attributes if name == "class" and value.startswith("compared")]
    assert len(shown) == 2 * 175
    assert {value.split()[1] for value in shown} == {"exact", "differs", "absent"}
    biology = seen.tables["published-sc-en"][6]
    assert biology[0] == "College biology"
    assert biology[1] == "48.6149.306≠"
    assert seen.tables["published-v_straight-fa"][1][1] == "۴۸٫۱۴۴۸٫۱۴۸✓"
    reasons = {tuple(row[:3]): row[-1] for row in seen.tables["differing-en"]}
    assert "older answer sheet" in reasons["At least 3 of 5, negative marking", "Anatomy", "R"]
    assert "published 118, recomputed 112" in reasons["At least 3 of 5, negative marking", "Anatomy", "R"]


def test_cells_and_averages_are_counted_apart(made: list[Section], seen: Reader) -> None:
    """Each figure in one of four counts, which are the numbers of rows and marks shown."""
    published = markdown(made, "en")
    counted = re.search(
        r"Of (\d+) figures .* tables (\d+) are exact, (\d+) differ .*, (\d+) are averages that .* of (\d+) the",
        published,
    )
    assert counted
    total, exact, differs, averages, absent = map(int, counted.groups())
    assert total == exact + differs + averages + absent == 175
    marks = [value.split()[1] for _, name, value in seen.attributes if name == "class" and value.startswith("compared")]
    assert (marks.count("exact"), marks.count("absent")) == (2 * exact, 2 * absent)
    assert len(seen.tables["differing-en"]) == 1 + differs
    contradicting = seen.tables["contradicting-en"]
    assert len(contradicting) == 1 + averages
    assert ["At least 3 of 5", "R", "48.76", "48.669", "48.252", "45.878", "279"] in contradicting
    assert not [row for row in seen.tables["differing-en"] if row[1] == "All questions"]
    assert f"{figure(averages, 0, 'fa')} میانگین با خانه‌های منتشرشدهٔ خودش نمی‌خواند" in markdown(made, "fa")


def test_a_whole_average_shows_what_is_recomputed(tmp_path: Path) -> None:
    changed = sample.evaluation()
    changed["cells"] += [sample.cell("all", "qwen2.5-7b-instruct", 1081, 488, 593)]
    shown = Reader(html(sections(read(sample.write(tmp_path, whole=False, changed=changed)), COMMAND)))
    assert shown.tables["published-v_straight-en"][7][3] == "45.1745.143≠"
    assert ["V, straight", "Qwen", "45.17", "45.143", "45.438", "45.143", "1,081"] in shown.tables["contradicting-en"]


def test_tables_hold_the_evaluations_numbers(seen: Reader) -> None:
    compared = {each["difference"]: each for each in sample.evaluation()["comparisons"]}
    rows = [
        row
        for part in ("models", "ways", "systems", "others")
        for row in seen.tables.get(f"differences-{part}-mmlu_fa-en", [])[1:]
    ]
    assert len(rows) == len(compared)
    for row in rows:
        each = compared[next(number for number in compared if _signed(number) == row[2])]
        assert row[1:4] == [str(each["n"]), _signed(each["difference"]), " to ".join(map(_signed, each["ci95"]))]
        assert row[4] == figure(each["p"], 3, "en") if each["p"] >= 0.001 else "< 0.001"
    passes = sample.evaluation()["cells"][10]["pass_at_k"]
    assert seen.tables["pass-at-k-mmlu_fa-en"][1] == ["R", *(figure(value, 2, "en") for value in passes.values())]
    assert seen.tables["pass-at-k-mmlu_fa-en"][-1] == ["Guessing", "25.00", "43.75", "57.81"]


def _signed(number: float) -> str:
    return figure(number, 2, "en", signed=True)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_every_drawn_number_stands_in_the_figures_table(made: list[Section], seen: Reader, language: Language) -> None:
    found = list(pictures(made))
    assert len(found) >= 10
    for picture in found:
        shown = " ".join(text for row in seen.tables[f"{picture.grid.name}-{language}"] for text in row)
        missing = [n for n in picture.plot.numbers() if figure(n, 2, language).lstrip("−") not in shown]
        assert not missing, picture.plot.name


MARK = re.compile(r'<use x="([\d.]+)" y="[\d.]+" style="fill: var')
INTERVAL = re.compile(r'<path d="M ([\d.]+) [\d.]+ L ([\d.]+) [\d.]+"[^>]*stroke: var\(--series')
DASHED = re.compile(r'<path d="M ([\d.]+) [\d.]+ L [\d.]+ [\d.]+"[^>]*stroke-dasharray[^>]*var\(--ink')


def test_marks_and_intervals_are_drawn_where_their_numbers_are(made: list[Section]) -> None:
    """On one scale with the dashed line, whose value is known, and with each other."""
    plot = next(p.plot for p in pictures(made) if isinstance(p.plot, Rows) and len(p.plot.groups[0][1]) > 1)
    bars = [bar for _, bars in plot.groups for bar in bars]
    svg = draw(plot, "en")
    places = [float(x) for x in DASHED.findall(svg) + MARK.findall(svg)]
    places += [float(x) for pair in INTERVAL.findall(svg) for x in pair]
    values = [plot.line or 0.0, *(bar.estimate for bar in bars)]
    values += [end or 0.0 for bar in bars for end in (bar.low, bar.high)]
    assert len(places) == len(values) == 1 + 3 * len(bars) > 4
    scale = (places[1] - places[0]) / (values[1] - values[0])
    assert scale > 0
    assert [places[0] + scale * (value - values[0]) for value in values] == pytest.approx(places, abs=0.05)


def test_a_drawing_belongs_to_the_page(made: list[Section]) -> None:
    plot = next(p.plot for p in pictures(made) if isinstance(p.plot, Lines))
    svg = draw(plot, "fa", wide=False)
    assert svg.startswith('<svg viewBox="0 0 340 ')
    assert '<title id="' in svg
    assert '<desc id="' in svg
    assert not re.search(r"#0[0-9a-f]{5}|font-family|<style|<metadata", svg)
    assert "var(--series-0)" in svg
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert texts
    assert all(text[0] in "\u2066\u2067" and text[-1] == "\u2069" for text in texts)
    assert not [text for text in texts if re.search("[0-9]", text)]


def test_prose_of_the_persian_half(seen: Reader) -> None:
    apart = {"code", "script", "style", "bdi"}
    prose = [
        text
        for text, around in seen.texts
        if any(attributes.get("lang") == "fa" and tag == "div" for tag, attributes in around)
        and not apart & {tag for tag, _ in around}
    ]
    assert len(prose) > 500
    latin = re.compile(r"[A-Za-z][\w@-]*")
    assert not [text for text in prose if re.search("[0-9]|[يك]", latin.sub("", text))]


def test_texts_of_the_data_stay_text(page: str) -> None:
    assert "<b>دیافراگم" not in page
    assert "&lt;b&gt;دیافراگم&lt;/b&gt;" in page


def test_every_table_and_figure_names_its_command(made: list[Section], page: str) -> None:
    grids = [block.grid if isinstance(block, Picture) else block for s in made for block in s.blocks]
    tables = [grid for grid in grids if hasattr(grid, "command")]
    assert page.count('<p class="command">') == 2 * len(tables)
    assert {grid.command.split()[3] for grid in tables} == {"evaluate", "report"}
    assert {grid.command.split()[4] for grid in tables} == {"transcripts", "rules", "judge", "papers"}
    for language in ("fa", "en"):
        assert markdown(made, language).count("`python -m gaokerena ") == len(tables)


def test_markdown_tables_are_whole(made: list[Section]) -> None:
    for language in ("fa", "en"):
        text = markdown(made, language)
        assert ('<div dir="rtl">' in text) == (language == "fa")
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1, table
    assert "| College biology | 48.61 → 49.306 ≠ | 36.80 → – ○ |" in markdown(made, "en")
    fa = markdown(made, "fa")
    assert "۴۸٫۶۱ ← ۴۹٫۳۰۶ ≠" in fa
    assert "\u2066+۳٫۲۳\u2069" in fa


def test_warnings_are_this_evaluations(made: list[Section]) -> None:
    text = markdown(made, "en")
    warnings = text[text.index("What must not be concluded") :]
    assert "There are 5 comparisons here" in warnings
    assert "about 0.3 would still have p below 0.05. 2 have p below 0.05; after Holm's correction 1 remain" in warnings
    assert "The intervals of 3 of 5 comparisons contain 0" in warnings
    assert "R − Aya, at least 3 of 5 (+3.23)" in warnings
    assert "| Medical MMLU | V − Aya, straight | +4.66 | +0.72 to +8.60 | 0.028 | 0.112 |" in warnings
    assert "Medical genetics; College medicine" in warnings


def test_parts_without_figures_are_left_out(tmp_path: Path) -> None:
    bare: dict[str, Any] = {
        key: value
        for key, value in sample.evaluation().items()
        if key not in ("comparisons", "abstention", "invariance")
    }
    bare["cells"] = [sample.cell("all", "mini-v", 20, 9, 11, suite="quiz"), sample.cell("q", "mini-v", 20, 9, 11)]
    made = sections(read(sample.write(tmp_path, whole=False, changed=bare)), COMMAND)
    assert [section.name for section in made] == ["about", "published", "subjects", "reader", "alignment", "caution"]
    assert "None of the models of the two papers' tables" in markdown(made, "en")
    assert "mini-v" in Reader(html(made)).tables["subjects-straight-mmlu_fa-fa"][1][1]


def test_a_search_of_other_files_is_said(tmp_path: Path) -> None:
    found = read(sample.write(tmp_path))
    assert "made from other files" not in markdown(sections(found, COMMAND), "en")
    rules = found.rules
    assert rules is not None
    other = rules.model_copy(update={"source": rules.source.model_copy(update={"sha256": "f" * 64})})
    changed = type(found)(found.folder, found.evaluation, other)
    assert "made from other files" in markdown(sections(changed, COMMAND), "en")
