"""The reading list on a toy data folder: forms, drops with their reasons, the split by question, no overlap."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from gaokerena.persian import normalize_for_key
from gaokerena.prompts import COT_FREE
from tests.training.toy import OPTIONS, Row, benchmark, consultation, explained, pair, questions, write
from training import documents
from training.documents import Document, as_steps, build, defect, explanation
from training.manifest import read_json, read_jsonl
from training.mini import make
from training.sources import reference

ANSWER = (
    "سلام دوست عزیز. نخست فشار خونتان را دو بار در روز بسنجید و بنویسید. سپس نمک غذا را کمتر کنید. "
    "قرص‌ها را سر ساعت بخورید. اگر سردرد ماند به پزشک خانواده سر بزنید."
)
PLAIN = "این نشانه‌ها با آزمایش خون روشن می‌شود و تا آماده‌شدن پاسخ آن، استراحت و نوشیدن مایعات کافی است."
TEXTBOOK = (
    "پاسخ گزینه b است، یعنی سنجش دوباره. فشار خون باید در دو نوبت جداگانه بالا باشد تا تشخیص داده شود. Ref: Harrison"
)
THOUGHT = "در این بیمار باید mri و crohn را به یاد داشت. سردرد با تهوع نشانهٔ خطر است. بنابراین گزینهٔ [b] درست است."
MISTAKE = (
    "در این بیمار MRI و Crohn لازم نیست. تنها مسکن کافی است و MRI و Crohn و mri بماند. بنابراین گزینهٔ [A] درست است."
)
SUITE = "مردی ۶۰ ساله پس از سال‌ها کار در معدن با تنگی نفس پیش‌رونده آمده است؛ محتمل‌ترین تشخیص چیست؟"
DEV_ANSWER = "نگران نباشید. روزی دو لیوان آب بیشتر بنوشید. شب زودتر بخوابید. هفتهٔ آینده خبر بدهید."
"""Sentences so short that numbering them would break up every run of eight words."""


def built(folder: Path, seed: int = 7, **tables: list[Row]) -> tuple[list[Document], Counter[str]]:
    dropped: Counter[str] = Counter()
    data = write(folder, **tables)
    return list(build(data, seed, reference(data), dropped)), dropped


def away(question: str) -> str:
    """The side of the split a document's question is on."""
    return "held_out" if documents.held_out(question) else "train"


class TestForms:
    def test_an_answer_becomes_numbered_steps_and_a_conclusion(self) -> None:
        assert as_steps(ANSWER) == (
            "۱. نخست فشار خونتان را دو بار در روز بسنجید و بنویسید.\n"
            "۲. سپس نمک غذا را کمتر کنید.\n"
            "۳. قرص‌ها را سر ساعت بخورید.\n\n"
            "نتیجه: اگر سردرد ماند به پزشک خانواده سر بزنید."
        )

    def test_numbers_of_its_own_are_replaced(self) -> None:
        listed = "1- روزی دو لیتر آب بنوشید.\n2) هر شب زود بخوابید.\n• پیاده‌روی را فراموش نکنید."
        assert (
            as_steps(listed) == "۱. روزی دو لیتر آب بنوشید.\n۲. هر شب زود بخوابید.\n\nنتیجه: پیاده‌روی را فراموش نکنید."
        )

    @pytest.mark.parametrize("count", [2, 13])
    def test_too_few_or_too_many_sentences_stay_as_they_are(self, count: int) -> None:
        assert as_steps(" ".join(["یک جملهٔ نسبتاً کوتاه."] * count)) is None

    def test_an_explanation_loses_its_key_and_its_citation(self) -> None:
        assert explanation(TEXTBOOK) == ("سنجش دوباره. فشار خون باید در دو نوبت جداگانه بالا باشد تا تشخیص داده شود.")
        assert explanation("Ans. (c) یعنی دیابت. قند ناشتا بالا است.") == "دیابت. قند ناشتا بالا است."
        assert explanation("a یک ویتامین است؛ کمبود آن چشم را می‌آزارد") == (
            "a یک ویتامین است؛ کمبود آن چشم را می‌آزارد."
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (PLAIN, None),
            ("کوتاه است.", "short"),
            ("take two tablets after each meal and sleep well, سپس استراحت", "not_persian"),
            (PLAIN + " 漢字", "foreign_script"),
            (PLAIN + " موتورik", "mixed_script_word"),
            (PLAIN + r" \frac{1}{2}", "formula"),
        ],
    )
    def test_what_is_not_fit_to_learn_from(self, text: str, reason: str | None) -> None:
        assert defect(text) == reason


class TestBuild:
    def test_a_consultation_is_straight_or_in_steps(self, tmp_path: Path) -> None:
        asked = [f"چرا پس از {word} سرم درد می‌گیرد؟" for word in ("ناهار", "ورزش", "خواب", "کار", "سفر", "حمام")]
        rows = [consultation(question, f"{ANSWER} این پاسخ {question}") for question in asked]
        found, _ = built(tmp_path, mf3qa=rows)
        forms = Counter(document.prompting for document in found)
        assert set(forms) == {"straight", "cot"}, "both forms; which one follows from the question and the seed"
        for document in found:
            assert document.kind == "consultation"
            assert document.user.endswith(COT_FREE) == (document.prompting == "cot")
            assert document.assistant.startswith("۱. " if document.prompting == "cot" else "سلام")

    def test_an_explained_question_names_its_key_and_only_trusted_ones_count(self, tmp_path: Path) -> None:
        stems = [
            f"در بیماری شمارهٔ {name} نخستین کار درست برای این بیمار سرپایی کدام است؟"
            for name in ["الف", "ب", "پ", "ت", "ث", "ج", "چ", "ح"]
        ]
        rows = [explained(stem, OPTIONS, "B", f"{TEXTBOOK[:-15]} {stem}") for stem in stems]
        rows.append(explained("پرسش ترجمهٔ بد؟", OPTIONS, "B", PLAIN, ("5", "4")))
        rows.append(explained("پرسش بی‌توضیح این فهرست؟", OPTIONS, "B", "b"))
        found, dropped = built(tmp_path, medmcqa_fa_rated=rows)
        assert len(found) == len(stems)
        assert dropped == {"explained: no_explanation": 1}
        assert all(OPTIONS[1] in document.assistant for document in found)
        with_options = [document for document in found if "[D]" in document.user]
        free = [document for document in found if "[D]" not in document.user]
        assert with_options, "most are shown with their options"
        assert all("[B]" in document.assistant for document in with_options)
        assert all("[B]" not in document.assistant and document.prompting == "cot" for document in free)

    def test_both_sides_of_a_pair_come_with_one_letter_case(self, tmp_path: Path) -> None:
        found, _ = built(tmp_path, preference_pairs=[pair("سردرد با تهوع؟", OPTIONS, "B", THOUGHT, MISTAKE)])
        chosen, rejected = found
        assert (chosen.kind, rejected.kind) == ("pair_chosen", "pair_rejected")
        assert chosen.user == rejected.user
        assert "MRI و Crohn" in chosen.assistant
        assert "MRI و Crohn و MRI بماند" in rejected.assistant
        assert chosen.assistant.endswith("[B] درست است.")

    def test_identifiers_of_a_person_are_scrubbed(self, tmp_path: Path) -> None:
        numbers = "برای پیگیری با ۰۹۱۲۳۴۵۶۷۸۹ یا a.b@example.com تماس بگیرید. " + PLAIN
        found, _ = built(tmp_path, niniban_crawled=[consultation("شماره‌ام 09121234567 است؛ چه کنم؟", numbers)])
        text = normalize_for_key(found[0].user + found[0].assistant)
        assert "9123456789" not in text
        assert "example" not in text
        assert "9121234567" not in text
        assert "تماس بگیرید" in found[0].assistant

    def test_repetitions_and_defects_are_dropped_and_counted(self, tmp_path: Path) -> None:
        rows = [
            consultation("سرم درد می‌کند", PLAIN),
            consultation("سرم درد مي‌كند", PLAIN),
            consultation("کمرم درد می‌کند", PLAIN),
            consultation("گلویم درد می‌کند", "خیر"),
            consultation("چشمم درد می‌کند", PLAIN + " 漢字"),
            consultation("", "پاسخی بلند به پرسشی که کسی آن را نپرسیده است و نباید آموخته شود."),
            consultation("دستم درد می‌کند", "پاسخ بخش آزمون که هرگز نباید آموخته شود و همین‌جا می‌ماند.", "test"),
        ]
        found, dropped = built(tmp_path, mf3qa=rows)
        assert [document.user for document in found] == ["سرم درد می‌کند"]
        assert dropped == {"consultation: duplicate": 1, "consultation: short": 1, "consultation: foreign_script": 1}


class TestOverlap:
    def test_a_benchmark_question_is_dropped_from_every_kind_and_counted(self, tmp_path: Path) -> None:
        variant = SUITE.replace("ی", "ي").replace("۶۰", "60").replace("سال‌ها", "سال ها")
        found, dropped = built(
            tmp_path,
            benchmarks=[benchmark("mmlu_fa", SUITE, OPTIONS, "C")],
            mf3qa=[consultation(variant, PLAIN), consultation("پای من ورم دارد", f"{PLAIN} نمونه: {variant}")],
            medmcqa_fa_rated=[explained(variant, OPTIONS, "B", f"{PLAIN} در معدن.")],
            preference_pairs=[pair(variant, OPTIONS, "B", THOUGHT, MISTAKE)],
        )
        assert found == []
        assert dropped == {
            "consultation: shares_8_gram_with_mmlu_fa": 2,
            "explained: shares_8_gram_with_mmlu_fa": 1,
            "pair_chosen: shares_8_gram_with_mmlu_fa": 1,
            "pair_rejected: shares_8_gram_with_mmlu_fa": 1,
        }

    def test_a_short_benchmark_question_is_found_in_every_form(self, tmp_path: Path) -> None:
        short = "علت خارش پوست چیست؟"
        rows = [explained(short, [f"{option} {n}" for option in OPTIONS], "B", f"{PLAIN} {n}") for n in range(12)]
        found, dropped = built(
            tmp_path, benchmarks=[benchmark("kopp_larger", short, OPTIONS, "A")], medmcqa_fa_rated=rows
        )
        assert found == []
        assert dropped == {"explained: shares_8_gram_with_kopp_larger": 12}

    def test_very_short_questions_are_found_by_their_options(self, tmp_path: Path) -> None:
        rows = [explained("درمان؟", OPTIONS, "B", f"{PLAIN} {n}") for n in range(3)]
        suite = [benchmark("ibmsee_2023", "درمان؟", OPTIONS, "A")]
        found, dropped = built(tmp_path, benchmarks=suite, medmcqa_fa_rated=rows)
        assert found == []
        assert dropped == {"explained: shares_8_gram_with_ibmsee_2023": 3}

    def test_numbering_an_answer_does_not_hide_it(self, tmp_path: Path) -> None:
        asked = [f"دخترم {age} ساله است و آب کم می‌نوشد" for age in ("دو", "سه", "چهار", "پنج", "شش", "هفت")]
        rows = [consultation("پسرم خواب ندارد", DEV_ANSWER, "dev")] + [consultation(one, DEV_ANSWER) for one in asked]
        found, dropped = built(tmp_path, mf3qa=rows)
        assert found == []
        assert dropped == {"consultation: shares_8_gram_with_mf3qa_dev": len(asked)}

    def test_the_toy_set_without_benchmarks_would_be_kept(self, tmp_path: Path) -> None:
        found, _ = built(
            tmp_path, mf3qa=[consultation(SUITE, PLAIN)], preference_pairs=[pair(SUITE, OPTIONS, "B", THOUGHT, MISTAKE)]
        )
        assert len(found) == 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage `documents` run on questions of both sides of the split, each in all three sources."""
    folder = tmp_path_factory.mktemp("documents")
    template = "بیماری {age} ساله با سردرد و تهوع به درمانگاه آمده است؛ نخستین کار درست چیست؟"
    asked = [*islice(questions(template, away=False), 8), *islice(questions(template, away=True), 4)]
    tables = {
        "mf3qa": [consultation(one, f"{ANSWER} دربارهٔ {one}") for one in asked],
        "medmcqa_fa_rated": [explained(one, OPTIONS, "B", f"{TEXTBOOK[:-15]} {one}") for one in asked],
        "preference_pairs": [pair(one, OPTIONS, "B", f"{one} {THOUGHT}", f"{one} {MISTAKE}") for one in asked],
        "benchmarks": [benchmark("mmlu_fa", SUITE, ("سل", "سیلیکوز", "آسم", "سرطان ریه"), "B")],
    }
    tables["mf3qa"] += [consultation(f"{SUITE} لطفاً بگویید", PLAIN)]
    write(folder / "data", **tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAOKERENA_DATA", str(folder / "data"))
        make(folder / "run", "documents")
    return folder / "run" / "documents"


class TestSplit:
    def test_all_readings_of_a_question_fall_on_one_side(self, run: Path) -> None:
        sides = {name: read_jsonl(run / f"{name}.jsonl") for name in ("train", "held_out")}
        keys = {name: {row["question"] for row in rows} for name, rows in sides.items()}
        assert not keys["train"] & keys["held_out"]
        assert (len(keys["train"]), len(keys["held_out"])) == (8, 4)
        for rows in sides.values():
            kinds = Counter((row["question"], row["kind"]) for row in rows)
            assert set(kinds.values()) == {1}
            assert {kind for _, kind in kinds} == {"consultation", "explained", "pair_chosen", "pair_rejected"}
            assert len(rows) == 4 * len({row["question"] for row in rows})

    def test_the_manifest_counts_what_came_out_and_what_was_dropped(self, run: Path) -> None:
        manifest = read_json(run / "manifest.json")
        assert manifest["counts_out"] == {"train": 32, "held_out": 16}
        assert manifest["dropped"] == {"consultation: shares_8_gram_with_mmlu_fa": 1}
        rows = read_jsonl(run / "train.jsonl")
        assert manifest["characters"] == sum(len(row["user"]) + len(row["assistant"]) for row in rows)

    def test_nothing_written_shares_eight_words_with_what_is_tested(self, run: Path) -> None:
        references = reference(run.parent.parent / "data")
        rows = read_jsonl(run / "train.jsonl") + read_jsonl(run / "held_out.jsonl")
        assert len(references) > 5
        assert not any(references.hit(row["user"], row["assistant"]) for row in rows)

    def test_about_two_per_cent_are_held_out(self) -> None:
        names = [documents.question_key(documents.Question(text=f"پرسش شمارهٔ {number}")) for number in range(5000)]
        share = sum(away(name) == "held_out" for name in names) / len(names)
        assert 0.014 < share < 0.026, "three standard errors around 0.02"

    def test_spelling_does_not_move_a_question_over_the_split(self) -> None:
        spelled = [documents.Question(text=text) for text in ("درد کلیه با ۲ سنگ", "درد كليه  با 2 سنگ؟")]
        assert len({documents.question_key(question) for question in spelled}) == 1
