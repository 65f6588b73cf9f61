"""Rows of different models are one question or they are not: shuffled, edited, translated, repeated, missing."""

from __future__ import annotations

import math
import tracemalloc
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.evaluation import likeness
from gaokerena.evaluation.alignment import Alignment, align
from gaokerena.evaluation.answers import Group, grouped, letters, load
from gaokerena.evaluation.likeness import AHEAD, ENOUGH, Item, Key, by_options, by_similarity, key_of
from tests.evaluation.recorded_cases import ITEMS, OTHERWISE, Text, group, item
from tests.real_data import data_folder

GOLD = "BBCBDAAABCBA"
ENGLISH = [
    "Which cranial nerve carries taste from the anterior two thirds of the tongue?",
    "Deficiency of which vitamin causes beriberi?",
    "What is the most common cause of duodenal ulcer?",
]


def asked(model: str, items: Sequence[Text], gold: str, **more: object) -> Group:
    return group(["A"] * len(gold), gold, model, "straight", texts=items, **more)  # type: ignore[arg-type]


def numbers(made: Alignment, model: str) -> list[int]:
    return made.numbers[model, "straight"].tolist()


def by_model(entries: list[dict[str, object]], count: str) -> dict[object, object]:
    return {entry["model"]: entry[count] for entry in entries}


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(16)), st.permutations(range(16)))
def test_shuffled_copies_give_the_permutation_back(first: list[int], second: list[int]) -> None:
    items, gold = [item(number) for number in range(16)], (GOLD + GOLD)[:16]
    plain = asked("v", items, gold)
    mixed = [
        asked(name, [items[n] for n in order], "".join(gold[n] for n in order), indices=range(100, 116))
        for name, order in (("r", first), ("aya", second))
    ]
    made = align([*mixed, plain])
    there = np.array(numbers(made, "v"))
    assert numbers(made, "r") == there[first].tolist()
    assert numbers(made, "aya") == there[second].tolist()
    assert len(made.texts) == 16
    assert made.unaligned == made.missing == made.repeated == []


def test_spelling_is_not_another_question() -> None:
    typed = [tuple(part.replace("ی", "ي").replace("ک", "ك").replace("\u200c", " ") for part in one) for one in ITEMS]
    made = align([asked("v", ITEMS, GOLD), asked("r", typed, GOLD)])  # type: ignore[arg-type]
    assert numbers(made, "v") == numbers(made, "r")
    assert made.report()["aligned_by"] == {"text": len(ITEMS), "options": 0, "similarity": 0}


def test_edited_and_translated_questions_keep_their_number() -> None:
    """By options where these stand, by likeness where all of it is worded anew."""
    english = [(stem, *ITEMS[place][1:]) for place, stem in enumerate(ENGLISH)]
    edited = (ITEMS[3][0].replace("کدام است", "چیست؟ یکی را برگزینید"), *ITEMS[3][1:])
    anew = [english[0], english[1], english[2], edited, ITEMS[4], *OTHERWISE.values(), *ITEMS[8:]]
    made = align([asked("v", ITEMS, GOLD), asked("r", ITEMS, GOLD), asked("aya", anew, GOLD)])
    assert numbers(made, "aya") == numbers(made, "v") == list(range(12))
    assert made.report()["aligned_by"] == {"text": 12 + 5, "options": 4, "similarity": 3}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_groups_changes_nothing(order: tuple[int, ...]) -> None:
    anew = [*ITEMS[:5], *OTHERWISE.values(), *ITEMS[8:]]
    groups = [asked("v", ITEMS, GOLD), asked("r", ITEMS[:11], GOLD[:11]), asked("aya", anew, GOLD)]
    made = align([groups[place] for place in order])
    assert numbers(made, "v") == numbers(made, "aya")
    assert numbers(made, "r") == numbers(made, "v")[:11]
    assert by_model(made.missing, "questions") == {"r": 1}
    assert made.ways["similarity"] == 3


def parted(made: Alignment, one: str, other: str) -> set[int]:
    return set(numbers(made, one)) & set(numbers(made, other))


@pytest.mark.parametrize("place", [5, 6, 7])
def test_one_case_with_another_question_is_another_question(place: int) -> None:
    """Same vignette and gold letter, other question and options."""
    story = ITEMS[place][0].rsplit(". ", 1)[0]
    other = (f"{story}. کدام پیامد در یک سال آینده محتمل‌تر است؟", "کم‌خونی", "پوکی استخوان", "آب‌مروارید", "نقرس")
    made = align([asked("v", [*ITEMS[:3], ITEMS[place]], "BBCA"), asked("r", [*ITEMS[:3], other], "BBCA")])
    assert numbers(made, "v")[:3] == numbers(made, "r")[:3]
    assert numbers(made, "v")[3] != numbers(made, "r")[3]
    assert by_model(made.unaligned, "rows") == {"v": 1, "r": 1}
    assert {entry["example"] for entry in made.unaligned} == {ITEMS[place][0], other[0]}


def test_one_stem_with_other_options_is_another_question() -> None:
    stem = "کدام یک از عبارت‌های زیر دربارهٔ درمان دارویی بیماران دچار فشار خون بالا نادرست است؟"
    one = (stem, "تیازید ارزان است", "لوزارتان در بارداری ممنوع است", "نمک باید کم شود", "ورزش سود دارد")
    other = (stem, "آملودیپین ورم می‌آورد", "کاپتوپریل سرفه می‌آورد", "چاقی زیان دارد", "سیگار بی‌اثر است")
    made = align([asked("v", [*ITEMS[:4], one], "BBCBD"), asked("r", [*ITEMS[:4], other], "BBCBD")])
    assert len(parted(made, "v", "r")) == 4
    politely = (f"لطفاً پاسخ دهید: {stem}", *other[1:])
    made = align([asked("v", [*ITEMS[:4], one], "BBCBD"), asked("r", [*ITEMS[:4], politely], "BBCBD")])
    assert len(parted(made, "v", "r")) == 4
    reworded = (stem.replace("نادرست است", "غلط است"), *one[1:])
    made = align([asked("v", [*ITEMS[:4], one], "BBCBD"), asked("r", [*ITEMS[:4], reworded], "BBCBD")])
    assert len(parted(made, "v", "r")) == 5


SHARED = ("دیگوکسین", "فوروزماید", "هر دو", "هیچ‌کدام")


def test_questions_that_share_their_options_are_told_apart_by_text_alone() -> None:
    first = ("کدام دارو ضربان قلب را کند می‌کند؟", *SHARED)
    second = ("کدام دارو پتاسیم خون را پایین می‌آورد؟", *SHARED)
    third = ("Which of these is a loop diuretic?", *SHARED)
    both = [*ITEMS[:3], first, second]
    made = align([asked("v", both, "BBCAA"), asked("r", [*ITEMS[:3], first, third], "BBCAA")])
    assert len(parted(made, "v", "r")) == 4, "the first is matched, but shows that these options are not one question's"
    made = align([asked("v", both, "BBCAA"), asked("r", [*ITEMS[:3], third], "BBCA")])
    assert len(parted(made, "v", "r")) == 3
    made = align([asked("v", [*ITEMS[:3], first], "BBCA"), asked("r", [*ITEMS[:3], second, third], "BBCAA")])
    assert len(parted(made, "v", "r")) == 3


def test_another_gold_letter_is_another_question() -> None:
    made = align([asked("v", ITEMS[:4], "BBCB"), asked("r", ITEMS[:4], "BBCA"), asked("aya", ITEMS[:4], "BBCB")])
    assert numbers(made, "v") == numbers(made, "aya") == [0, 1, 2, 3]
    assert numbers(made, "r") == [0, 1, 2, 4]
    assert by_model(made.unaligned, "rows") == {"r": 1}
    assert by_model(made.missing, "questions") == {"r": 1}
    assert made.gold == [1, 1, 2, 1, 0]


def test_another_subject_is_another_question() -> None:
    made = align([asked("v", ITEMS[:2], "BB"), asked("r", ITEMS[:2], "BB", subjects=("گوارش", "قلب"))])
    assert len(parted(made, "v", "r")) == 1


def test_a_question_asked_twice_is_one_and_is_told() -> None:
    twice = [*ITEMS[:3], ITEMS[1]]
    made = align([asked("v", ITEMS[:4], "BBCB"), asked("r", ITEMS[:4], "BBCB"), asked("aya", twice, "BBCB")])
    assert numbers(made, "aya") == [0, 1, 2, 1]
    assert made.repeated == [{"model": "aya", "prompting": "straight", "subject": "گوارش", "rows": 1}]
    assert by_model(made.missing, "questions") == {"aya": 1}
    assert not made.unaligned


def test_a_question_with_two_keys_stays_two_in_every_group() -> None:
    twice = [*ITEMS[:2], ITEMS[0], ITEMS[0]]
    made = align([asked(name, twice, "BBDB") for name in ("v", "r", "aya")])
    assert numbers(made, "v") == numbers(made, "r") == numbers(made, "aya") == [0, 1, 2, 0]
    assert by_model(made.repeated, "rows") == {"v": 1, "r": 1, "aya": 1}
    assert made.ways["text"] == 8


def test_what_others_were_not_asked_is_reported_with_an_example() -> None:
    made = align(
        [asked("v", ITEMS[:4], "BBCB"), asked("r", [*ITEMS[:3], ITEMS[9]], "BBCC"), asked("aya", ITEMS[:4], "BBCB")]
    )
    assert made.unaligned == [
        {"model": "r", "prompting": "straight", "subject": "گوارش", "rows": 1, "example": ITEMS[9][0]}
    ]
    assert made.lonely == {numbers(made, "r")[3]}
    assert by_model(made.missing, "questions") == {"r": 1}


def test_a_model_alone_in_a_subject_is_not_a_failure_to_align() -> None:
    made = align([asked("v", ITEMS[:2], "BB", subjects=("گوارش", "قلب")), asked("r", ITEMS[:1], "B")])
    assert not made.unaligned
    assert not made.missing


def test_what_may_be_one_question_in_two_wordings() -> None:
    """v and r: the third of each may be one; q, asked both a fourth and r's third, parts those two."""
    v, r = asked("v", ITEMS[:4], "BBCB"), asked("r", [*ITEMS[:2], ITEMS[9]], "BBC")
    made = align([v, r])
    third, fourth = numbers(made, "v")[2:]
    other = numbers(made, "r")[2]
    mine, theirs = np.array([fourth, third]), np.array([other])
    assert made.in_two_wordings(mine, theirs).tolist() == sorted([third, fourth, other])
    made = align([v, r, asked("q", [ITEMS[3], ITEMS[9]], "BC")])
    third, fourth = numbers(made, "v")[2:]
    other = numbers(made, "r")[2]
    mine, theirs = np.array([third, fourth]), np.array([other])
    assert made.in_two_wordings(mine, theirs).tolist() == sorted([third, other])
    assert made.in_two_wordings(np.array([fourth]), theirs).tolist() == []
    assert made.in_two_wordings(np.array([], int), theirs).tolist() == []
    elsewhere = align([v, asked("r", ITEMS[9:10], "B", subjects=("قلب",))])
    assert not len(elsewhere.in_two_wordings(np.arange(4), np.array([4])))


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(12)), st.permutations(range(3)))
def test_the_order_of_rows_changes_no_number(rows: list[int], groups: list[int]) -> None:
    anew = [*ITEMS[:5], *OTHERWISE.values(), *ITEMS[8:]]
    subjects = ["قلب", "ریه", "گوارش"] * 4
    plain = [asked(name, texts, GOLD, subjects=subjects) for name, texts in (("v", ITEMS), ("r", ITEMS), ("q", anew))]
    mixed = [one.only(rows) for one in plain]
    before, after = align(plain), align([mixed[place] for place in groups])
    assert after.report() == before.report()
    assert (after.texts, after.gold, after.lonely) == (before.texts, before.gold, before.lonely)
    for name in "vrq":
        assert numbers(after, name) == [numbers(before, name)[row] for row in rows]


def items(texts: Sequence[Text], *, open_: bool = True, gold: str = "A") -> list[Item]:
    return [Item(place, "ABCD".index(gold), key_of(text), open_) for place, text in enumerate(texts)]


def test_what_has_a_partner_is_a_rival_but_no_candidate() -> None:
    anew = items([OTHERWISE[5]])
    assert by_similarity(anew, items(ITEMS)) == [(0, 5)]
    taken = [one._replace(open=one.place != 5) for one in items(ITEMS)]
    assert by_similarity(anew, taken) == by_options(items([ITEMS[5]]), taken) == []
    nearly = (ITEMS[5][0].replace("۳۴", "۳۵"), *ITEMS[5][1:])
    assert by_similarity(anew, items([*ITEMS, nearly])) == [], "no clear lead over the second best"
    assert by_similarity(anew, items(ITEMS, gold="B")) == []
    assert by_similarity([], items(ITEMS)) == []


def plainly(one: Sequence[Item], other: Sequence[Item]) -> list[tuple[int, int]]:
    """`by_similarity` as its docstring says it, every pair of texts compared."""
    texts = [" ".join(item.key) for item in (*one, *other)]
    grams = [Counter(text[place : place + 4] for place in range(len(text))) for text in texts]
    often = Counter(gram for found in grams for gram in found)
    rare = {gram: math.log((1 + len(texts)) / (1 + count)) + 1 for gram, count in often.items()}
    rows = [{gram: count * rare[gram] for gram, count in found.items()} for found in grams]
    sizes = [math.sqrt(sum(value * value for value in row.values())) for row in rows]
    near = np.array([
        [sum(value * b.get(gram, 0.0) for gram, value in a.items()) / (size * sizes[len(one) + column])
         for column, b in enumerate(rows[len(one) :])] for a, size in zip(rows[: len(one)], sizes, strict=False)
    ])  # fmt: skip
    found = []
    for row, column in np.argwhere(near >= ENOUGH).tolist():
        rivals = [*np.delete(near[row], column), *np.delete(near[:, column], row)]
        clear = all(near[row, column] - rival >= AHEAD for rival in rivals)
        a, b = one[row], other[column]
        if clear and a.open and b.open and a.gold == b.gold and likeness._one_question(a.key, b.key):
            found.append((row, column))
    return found


_WORDINGS = st.sampled_from([*ITEMS[4:9], *OTHERWISE.values(), (ITEMS[5][0].replace("۳۴", "۳۵"), *ITEMS[5][1:])])
_SIDE = st.lists(st.tuples(_WORDINGS, st.booleans(), st.sampled_from("AB")), min_size=1, max_size=6)


@pytest.mark.parametrize("block", [1, 7, 4_000_000])
def test_the_most_similar_are_those_found_by_comparing_every_pair(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "_BLOCK", block)
    matched = 0

    @settings(max_examples=40, deadline=None)
    @given(_SIDE, _SIDE)
    def check(one: list[tuple[Text, bool, str]], other: list[tuple[Text, bool, str]]) -> None:
        nonlocal matched
        sides = [
            [Item(place, "AB".index(gold), key_of(text), open_) for place, (text, open_, gold) in enumerate(side)]
            for side in (one, other)
        ]
        found = by_similarity(*sides)
        assert sorted(found) == plainly(*sides)
        matched += len(found)

    check()
    assert matched


def test_empty_and_short_texts_are_like_nothing() -> None:
    blank = [Item(0, 0, ("", "", "", "", ""), True)]
    assert by_similarity(blank, items(ITEMS[:2])) == []
    assert not likeness.reworded(("؟", "۱", "۲", "۳", "۴"), ("!", "۵", "۶", "۷", "۸"))


def test_thousands_of_one_subject_with_one_reworded() -> None:
    """What is not open is only a rival: 2,500 by 2,500 cosines would be 50 MB."""
    many = [item(number) for number in range(20, 2_520)]
    gold = "A" * 2_500
    there = [ITEMS[5], *many]
    anew = [OTHERWISE[5], *many]
    tracemalloc.start()
    made = align([asked("v", there, "A" + gold), asked("r", anew, "A" + gold)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.report()["aligned_by"] == {"text": 2_500, "options": 0, "similarity": 1}
    assert peak < 30_000_000, peak


def test_unlike_questions_stay_apart_however_few_there_are() -> None:
    for place, one in enumerate(ITEMS):
        for other in ITEMS[:place]:
            assert not by_similarity(items([one]), items([other]))
            assert not by_options(items([one]), items([other]))


# --- measured on the published recordings -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> list[Group]:
    rows = load(data_folder())
    return grouped(rows, letters(rows.annotated))


@pytest.fixture(scope="module")
def published(recorded: list[Group]) -> Alignment:
    return align(recorded)


@pytest.mark.data
def test_the_published_recordings_are_aligned(recorded: list[Group], published: Alignment) -> None:
    report = published.report()
    assert sum(report["aligned_by"].values()) >= 7_330
    assert {(e["model"], e["subject"]) for e in report["unaligned"]} == {("persianmind-v1.0", "professional_medicine")}
    assert sum(e["rows"] for e in report["unaligned"]) <= 2
    assert [(e["model"], e["subject"], e["rows"]) for e in report["repeated"]] == [
        ("aya-expanse-8b", "clinical_knowledge", 1)
    ]
    gaps = {(e["model"], e["prompting"]): e["questions"] for e in report["missing"]}
    assert gaps[("aya-expanse-8b", "straight")] == 1
    assert gaps[("qwen2.5-7b-instruct", "straight")] == 8
    assert len(published.texts) - len(published.lonely) == 816


@pytest.mark.data
def test_the_published_recordings_in_any_order(recorded: list[Group], published: Alignment) -> None:
    """All groups backwards and each group's rows shuffled: the same questions are together."""
    generator = np.random.default_rng(4)
    shuffled, orders = [], {}
    for one in recorded[::-1]:
        order = generator.permutation(len(one.gold))
        orders[one.name] = order
        columns = (tuple(part[place] for place in order) for part in (one.subjects, one.indices, one.texts))
        shuffled.append(Group(one.suite, *one.name, *columns, one.gold[order], one.choices[order]))
    made = align(shuffled)
    to: dict[int, int] = {}
    for name, order in orders.items():
        for before, after in zip(published.numbers[name][order].tolist(), made.numbers[name].tolist(), strict=True):
            assert to.setdefault(before, after) == after
    assert len(set(to.values())) == len(to) == len(published.texts) == len(made.texts)


def alike(one: Sequence[Key], other: Sequence[Key]) -> list[tuple[int, int]]:
    """Pairs by likeness where gold letters are no help."""
    sides = [[Item(place, 0, key, True) for place, key in enumerate(side)] for side in (one, other)]
    return by_similarity(sides[0], sides[1])


@pytest.mark.data
def test_the_thresholds_on_an_older_translation(recorded: list[Group], published: Alignment) -> None:
    """PersianMind was asked professional_medicine in another translation: 270 of 272 are found without the gold
    letter, which then agrees every time; and where the partners are taken away, hardly anything is matched."""
    assert (ENOUGH, AHEAD) == (0.4, 0.1)
    by_name = {one.name: one for one in recorded}
    old, new = by_name["persianmind-v1.0", "straight"], by_name["gaokerena-v1.0", "straight"]
    sides = [[place for place, s in enumerate(one.subjects) if s == "professional_medicine"] for one in (old, new)]
    keys = [[key_of(one.texts[place]) for place in side] for one, side in zip((old, new), sides, strict=True)]
    found = alike(*keys)
    assert len(found) >= 268
    assert all(old.gold[sides[0][one]] == new.gold[sides[1][other]] for one, other in found)
    generator = np.random.default_rng(0)
    wrong = 0
    for _ in range(4):
        order = generator.permutation(len(found))
        half = (
            [found[place] for place in order[: len(order) // 2]],
            [found[place] for place in order[len(order) // 2 :]],
        )
        wrong += len(alike([keys[0][one] for one, _ in half[0]], [keys[1][other] for _, other in half[1]]))
    assert wrong <= 4, "of 4 times 135 questions without a partner, gold letters not looked at"
