"""A small study of invented cases, for the tests of the study, its tab and its file."""

from __future__ import annotations

from pathlib import Path

from gaokerena.questions import Question
from gaokerena.reasoning import steps
from gaokerena.study import StudyAnswer, StudyHead, StudyItem, lines

THOUGHT = (
    "شرح حال را مرور می‌کنم.\n"
    "۱. تب دوروزه با گلودرد بیشتر ویروسی است.\n"
    "۲. نشانهٔ خطر مانند سفتی گردن یا تنگی نفس ندارد.\n"
    "۳. پس آنتی‌بیوتیک لازم نیست و Amoxicillin 500 mg سودی ندارد.\n"
)
HOSTILE = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'> List<int> $& $$ $` {{value}} "
    "${1+1} \u202eوارونه\u202c"
)
OPTIONS = ("استراحت و مایعات", "Amoxicillin 500 mg هر ۸ ساعت", "بستری فوری", "سی‌تی‌اسکن گردن")
GUIDELINES = "# راهنما\n\nنخست **ایمنی** را بسنجید.\n"


def item(number: int, *, part: int = 0, hostile: bool = False) -> StudyItem:
    """Item `i1`, `i2` …: the even ones have options; the reasoning side changes."""
    straight = StudyAnswer(conclusion="مایعات و **Acetaminophen 500 mg** هر ۶ ساعت.\n\n- اگر تب ماند به پزشک بروید.")
    said = HOSTILE if hostile else "بنابراین درمان علامتی کافی است."
    thinking = StudyAnswer(reasoning=THOUGHT, steps=steps(THOUGHT), conclusion=said)
    left, right = (straight, thinking) if number % 3 else (thinking, straight)
    text = f"مورد شمارهٔ {number}: بیمار ۳۴ ساله با تب و گلودرد آمده است. چه کنیم؟"
    return StudyItem(
        id=f"i{number}",
        question=Question(text=text, options=() if number % 2 else OPTIONS),
        sides={"left": left, "right": right},
        part=part,
    )


def study_file(path: Path, count: int = 4, *, hostile: bool = False, codes: tuple[str, ...] = ()) -> Path:
    """A study of `count` items at `path`."""
    head = StudyHead(name="demo", guideline_version="fa-1", guidelines=GUIDELINES, codes=codes)
    rows = (item(number, hostile=hostile) for number in range(1, count + 1))
    path.write_text("".join(f"{line}\n" for line in lines(head, rows)), "utf-8")
    return path
