"""A small folder of suites, all three of them, written for the tests of the lm-eval tasks."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("suite", "subject", "question", "option_a", "option_b", "option_c", "option_d", "gold", "source")
ROWS = (
    ("mmlu_fa", "anatomy", "کدام استخوان در ساعد است؟", "زند زبرین", "ران", "درشت‌نی", "بازو", "A"),
    ("mmlu_fa", "anatomy", "دریچهٔ میان دهلیز و بطن چپ کدام است؟", "سه‌لتی", "میترال", "ریوی", "آئورت", "B"),
    ("mmlu_fa", "anatomy", "کدام عصب دیافراگم را حرکت می‌دهد؟", "واگ", "اولنار", "فرنیک", "سیاتیک", "C"),
    ("mmlu_fa", "clinical_knowledge", "نبض طبیعی یک بزرگسال در دقیقه چند است؟", "۲۰", "۴۰", "۷۰", "۱۸۰", "C"),
    ("mmlu_fa", "clinical_knowledge", "برای سنجش قند سه ماه گذشته کدام آزمایش است؟", "HbA1c", "CRP", "TSH", "INR", "A"),
    ("mmlu_fa", "college_biology", "میتوکندری چه می‌سازد؟", "ATP", "نشاسته", "کلسیم", "سلولز", "A"),
    ("mmlu_fa", "college_medicine", "کمبود چه چیزی اسکوربوت می‌آورد؟", "آهن", "ید", "ویتامین C", "کلسیم", "C"),
    ("mmlu_fa", "medical_genetics", "انسان چند کروموزوم دارد؟", "۲۳", "۴۶", "۴۴", "۴۸", "B"),
    ("mmlu_fa", "medical_genetics", "تریزومی ۲۱ چیست؟", "نشانگان داون", "هموفیلی", "تالاسمی", "فاویسم", "A"),
    ("mmlu_fa", "professional_medicine", "مردی ۶۰ ساله درد فشارندهٔ سینه دارد. نخست چه می‌کنید؟",
     "نوار قلب", "کولونوسکوپی", "رادیوگرافی زانو", "آزمایش ادرار", "A"),
    ("ibmsee_2023", "فیزیولوژی", "چه چیزی قند خون را پایین می‌آورد؟", "گلوکاگون", "انسولین", "کورتیزول", "کافئین", "2"),
    ("ibmsee_2023", "فیزیولوژی", "کدام بخش کلیه خون را می‌پالاید؟", "میزنای", "مثانه", "لگنچه", "گلومرول", "4"),
    ("ibmsee_2023", "باکتری‌شناسی", "عامل سل کدام است؟", "ویروس", "قارچ", "مایکوباکتریوم", "انگل", "3"),
    ("kopp_larger", "بیوشیمی", "واحد سازندهٔ پروتئین کدام است؟", "اسید آمینه", "گلوکز", "اسید چرب", "نوکلئوتید", "A"),
    ("kopp_larger", "تشریح", "بزرگ‌ترین اندام بدن کدام است؟", "کبد", "پوست", "قلب", "ریه", "B"),
    ("kopp_larger", "تشریح", "پرسشی که کلید ندارد؟", "یک", "دو", "سه", "چهار", ""),
)  # fmt: skip


def make(folder: Path) -> Path:
    """Write `benchmarks.parquet` into `folder`. The last question has no key, so no task may ask it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [dict(zip(COLUMNS, (*row, "tests"), strict=True)) for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), folder / "benchmarks.parquet")
    return folder
