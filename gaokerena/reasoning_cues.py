"""How a Persian chain of thought opens its steps and its conclusion: the words and marks `reasoning` looks for.

Words are matched against `plain(sentence)`: without marks, list numbers and ZWNJ.

Not covered: which option is named, which is the work of `options`.
"""

from __future__ import annotations

import re

from gaokerena.option_cues import ends_sentence, fold

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
        "پس:",
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
# What opens as they do and is a thing of medicine: «پاسخ ایمنی بدن …», «پاسخ به درمان …», «نتیجهٔ آزمایش …». Each ends
# on what follows its last word, so that more text never takes back what the first letters showed.
NO_OPENERS = re.compile(
    r"(?:پاسخ|جواب|نتیجه)(?: ?(?:های|ی))? {1,2}(?:(?:ایمنی|بدن|درمانی|التهابی|دارویی|سلولی|بالینی|بافتی|عضلانی|عصبی"
    r"|حرکتی|کلامی|شفاهی|چشمی|هورمونی|فیزیولوژیک|آلرژیک|حساسیتی|خودایمنی|طبیعی|استرس|سیستم|دستگاه|کف پا|گویی|دهی)\W"
    r"|(?:آزمایش|ازمایش|معاینه|تست|بیوپسی|سونوگرافی|تصویربرداری|کشت|نوار)\w*\W"
    r"|(?:(?:مناسب|ضعیف|ناکافی|خوب|کند|سریع|مثبت|کامل) )?"
    r"به (?!(?:این|آن|طور|عنوان|صورت|نظر|شما|پرسش\w*|س[وئا]\w*|گزینه)\W)\w+\W)"
    r"|پس بار\W"
)
_HEAD = (
    r"(?:پاسخ(?: (?:نهایی|صحیح|درست|انتخابی|انتخاب شده))?|نتیجه(?: ?گیری)?(?: نهایی)?"
    r"|جمع ?بندی(?: نهایی)?|جواب(?: نهایی)?|گزینه (?:صحیح|درست|نهایی|منتخب|مناسب|انتخابی|انتخاب ?شده|پیشنهادی)"
    r"|انتخاب (?:نهایی|پاسخ|گزینه)(?: \w+){0,2}|خلاصه)"
)
_COLON = r"(?:[»\" ]{0,3}:|[»\"]? [-–—] )"
# A line of its own that heads the conclusion; such a heading with text after it; one that leaves no doubt.
HEADING = re.compile(rf"\W*(?:\d{{1,2}}\W+)?{_HEAD}\W*$")
HEADED = re.compile(rf"\W*(?:\d{{1,2}}\W+)?{_HEAD}{_COLON}")
FINAL = re.compile(rf"\W*(?:پاسخ|جواب|نتیجه(?: ?گیری)?|جمع ?بندی|گزینه|انتخاب) نهایی{_COLON}")
# A paragraph that opens so after the steps is taken for their conclusion, unless they go on after it.
FIRM = re.compile(
    r"\W*(?:بنابراین|بنا ?بر ?این|در ?نتیجه|پس(?:[،:]| (?!از |بار ))|لذا|از این رو|به این ترتیب|در ?نهایت|نهایتا"
    r"|در ?مجموع|به طور (?:کلی|خلاصه)|جمع بندی|خلاصه)(?!\w)"
)
# A sentence that breaks off before its answer: «… پاسخ صحیح عبارت است از:».
ANSWER_FOLLOWS = re.compile(r"(?:پاسخ|گزینه|جواب) (?:صحیح|درست|نهایی|مناسب)[^.:\n]{0,40}:$")
# An answer given first, when these follow, only announces the chain of thought.
CHAIN = re.compile(r"زنجیره|(?:گام|قدم|مرحله) به (?:گام|قدم|مرحله)|مراحل|دلایل|استدلال|به شرح زیر|(?:شرح|توضیح) می ?ده")
ABOVE = re.compile(r"بالا|فوق|ذکر شده|گفته شده")  # … unless that chain stands before
NAMED = re.compile(r"(?:پاسخ|جواب|گزینه|تشخیص) (?:صحیح|درست|نهایی|مناسب)")
# A thought goes on: «زنجیره افکار:», «گزینه‌ها را بررسی می‌کنیم:».
_WEIGH = r"(?:بررسی|تحلیل|ارزیابی|مقایسه)"
THOUGHT_FOLLOWS = re.compile(
    rf"(?:{_WEIGH}[^.\n]{{0,20}}گزینه|گزینه[^.\n]{{0,30}}{_WEIGH}|زنجیره)[^.\n]{{0,60}}:|زنجیره \w+\W*\n"
)
# Lines after a conclusion, folded: the number of an item, a named step, one option discussed; and a bullet, as it is.
NUMBERED = re.compile(r"[ #_]*([0-9]{1,2}) {0,3}[.)\-:](?=\D)")
STEP_LINE = re.compile(
    r"[ #\-•]*(?:گام|مرحله|قدم|[Ss]tep) +(?:\d+|اول|نخست|یکم|دوم|سوم|چهارم|پنجم|ششم|هفتم|هشتم|نهم|دهم|آخر|نهایی)\W"
)
OPTION_LINE = re.compile(r"\W{0,8}(?:گزینه\W{1,4}([A-D]|الف|ب|ج|د)|[\[(]?([A-D]|الف|ب|ج|د)[\]).:\-])\W")
BOLD_LINE = re.compile(r"\*\*[^*\n]{1,80}(?:\*\*:?|:\*\*)[ \u200c]*\n")
NOTE = re.compile(r"\W*(?:نکته|نکات|توجه|توصیه|پیشنهاد|هشدار|مراقبت|یادآوری|چه زمانی|اقدام|درمان|پیگیری)")
LISTS = re.compile(r"عبارت|بررسی|نیز|هم ")  # «گزینه‌های دیگر عبارت‌اند از:» opens a list instead of closing one
OPTION = re.compile(r"گزینه|[\[(] ?[A-D] ?[\])]")
BULLETED = re.compile(r"[ \u200c]*[-*•–+] ")
# A line that is a step, and the beginning of one that may still become such a line.
LISTED = re.compile(r"[ \u200c]*(?:#|\*\*|[-*•–>|]|[0-9۰-۹٠-٩]{1,2} ?[.)\-:]|\(?[A-Dالفبجد]{1,3}[).\]:]|\[)")
MAYBE_LISTED = re.compile(r"[ \u200c]*(?:\*|[0-9۰-۹٠-٩]{1,2} ?|\(?[A-Dالفبجد]{0,3})?$")
# Bounded and possessive, for a text of nothing but full stops must not take quadratic time.
_BOUNDARY = re.compile(r"[.!؟?]{1,8}+[\])»\"*_]{0,8}+(?=\s)|\n")
_NUMBER_ALONE = re.compile(r"[\s*_#]*[0-9۰-۹٠-٩]{1,2}[.)]")  # «**۳. نتیجه»: no sentence ends here
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
    return opens(plain(unit[:80]))


def opens(opening: str) -> bool:
    """Whether a `plain` opening is that of a conclusion."""
    return opening.startswith(OPENERS) and not NO_OPENERS.match(opening)


def may_open_conclusion(opening: str) -> bool:
    """Whether the first letters of a `plain` sentence may still become one of OPENERS, a list number aside."""
    if len(opening) < 2 or (opening[0].isdigit() and len(opening) < 6):
        return True
    return any(opener.startswith(opening) for opener in OPENERS)


def sentence_end(context: str, unit: str) -> int:
    """Where in `unit` its first sentence ends, or 0; `context` holds the last characters before it of that sentence."""
    said = context + unit
    for match in _BOUNDARY.finditer(said, len(context)):
        if not context and _NUMBER_ALONE.fullmatch(said, 0, match.end()):
            continue
        if ends_sentence(said, match.start()):
            return match.end() - len(context)
    return 0
