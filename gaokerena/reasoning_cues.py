"""How a Persian chain of thought opens its steps and its conclusion: the words and marks `reasoning` looks for.

Words are matched against `plain(sentence)`: without marks, list numbers and ZWNJ.

Not covered: which option is named, which is the work of `options`.
"""

from __future__ import annotations

import re

from gaokerena.option_cues import fold

# Words a conclusion may open with; whatever opens otherwise in a list line just streams.
OPENERS = (
    *(
        "بنابراین",
        "بنا بر",
        "بنابر این",
        "در نتیجه",
        "درنتیجه",
        "نتیجه",
        "در نهایت",
        "درنهایت",
        "نهایتا",
        "پس ",
        "پس،",
        "لذا",
    ),
    *("از این رو", "به این ترتیب", "به طور کلی", "به طور خلاصه", "جمع بندی", "در مجموع", "خلاصه", "در پایان", "در کل"),
    *("پاسخ", "جواب", "انتخاب", "گزینه صحیح", "گزینه درست", "گزینه نهایی", "گزینه مناسب", "گزینه انتخاب"),
    *("گزینه پیشنهادی", "گزینه منتخب", "با توجه به", "بر اساس", "براساس", "از بین", "از میان", "در میان", "در بین"),
    *("به همین دلیل", "تنها", "مناسب ترین", "محتمل ترین", "بهترین", "صحیح ترین", "درست ترین"),
)
# Words that begin a step of thought in a plain paragraph: no need to wait for the end of their sentence.
STREAMERS = ("برای ", "ابتدا", "نخست", "سپس", "در ابتدا", "زنجیره", "گام ", "مرحله ", "حال ", "اکنون", "علاوه بر")
# A line of its own that heads the conclusion.
HEADING = re.compile(
    r"\W*(?:\d{1,2}\W+)?(?:پاسخ(?: (?:نهایی|صحیح|درست|انتخابی|انتخاب شده))?|نتیجه(?: ?گیری)?(?: نهایی)?"
    r"|جمع ?بندی(?: نهایی)?|جواب(?: نهایی)?|گزینه (?:صحیح|درست|نهایی|منتخب|مناسب|انتخابی|انتخاب ?شده|پیشنهادی)"
    r"|انتخاب (?:نهایی|پاسخ|گزینه)(?: \w+){0,2}|خلاصه)\W*$"
)
# A sentence that breaks off before its answer: «… پاسخ صحیح عبارت است از:».
ANSWER_FOLLOWS = re.compile(r"(?:پاسخ|گزینه|جواب) (?:صحیح|درست|نهایی|مناسب)[^.:\n]{0,40}:$")
# An answer given first, when these follow, only announces the chain of thought.
CHAIN = re.compile(r"زنجیره|(?:گام|قدم|مرحله) به (?:گام|قدم|مرحله)|مراحل|دلایل|استدلال|به شرح زیر|(?:شرح|توضیح) می ?ده")
ABOVE = re.compile(r"بالا|فوق|ذکر شده|گفته شده")  # … unless that chain stands before
NAMED = re.compile(r"(?:پاسخ|جواب|گزینه|تشخیص) (?:صحیح|درست|نهایی|مناسب)")
# A line that is a step, and the beginning of one that may still become such a line.
LISTED = re.compile(r"[ \u200c]*(?:#|\*\*|[-*•–>|]|[0-9۰-۹٠-٩]{1,2} ?[.)\-:]|\(?[A-Dالفبجد]{1,3}[).\]:]|\[)")
MAYBE_LISTED = re.compile(r"[ \u200c]*(?:\*|[0-9۰-۹٠-٩]{1,2} ?|\(?[A-Dالفبجد]{0,3})?$")
# Bounded and possessive, for a text of nothing but full stops must not take quadratic time.
BOUNDARY = re.compile(r"[.!؟?]{1,8}+[\])»\"*_]{0,8}+(?=\s)|\n")
MAYBE_BOUNDARY = re.compile(r"[.!؟?]{1,8}+[\])»\"*_]{0,8}+$")
_MARKS = re.compile(r"[\s*_#>`«»\"\[(•\-–\u200c\u200e\u200f]+")
_NUMBER = re.compile(r"[0-9۰-۹٠-٩]{1,2} ?[.)\-:]\s*")


def plain(opening: str) -> str:
    """The first words of a sentence without marks, list number and ZWNJ, as OPENERS are written."""
    return fold(_NUMBER.sub("", _MARKS.sub(" ", opening).lstrip(), count=1)).lstrip()


def numbered(unit: str) -> bool:
    """Whether the line begins with a number («۱.», «**1)»)."""
    return _NUMBER.match(_MARKS.sub("", unit)) is not None


def opens_conclusion(unit: str) -> bool:
    """Whether a sentence opens as a conclusion does."""
    return plain(unit[:80]).startswith(OPENERS)


def may_open_conclusion(opening: str) -> bool:
    """Whether the first letters of a `plain` sentence may still become one of OPENERS, a list number aside."""
    if len(opening) < 2 or (opening[0].isdigit() and len(opening) < 6):
        return True
    return any(opener.startswith(opening) for opener in OPENERS)
