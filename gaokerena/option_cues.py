"""What `options` looks for in an answer: letters, the words that choose or reject, where sentences end.

Everything works on `fold(text)`: one character for one, so an offset found there is an offset in the answer. Bold
marks, ZWNJ and vowel marks become spaces there, and Arabic ye, kaf and digits their Persian and ASCII twins.

Not covered: what the words found amount to, which is `options`' work.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gaokerena.persian import BIDI_CONTROLS
from gaokerena.questions import Letter

_SPACES = "\u200c\u200d\u200b\u00a0\ufeff\u0640\t\r*_`#" + BIDI_CONTROLS + "".join(map(chr, range(0x64B, 0x656)))
_FOLD = str.maketrans(
    dict.fromkeys(_SPACES, " ")
    | {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "ؤ": "و"}
    | dict(zip("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "0123456789" * 2, strict=True))
    | dict(zip("ＡＢＣＤⒶⒷⒸⒹ［］（）：", "ABCDABCD[]():", strict=True))
)
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")

LETTER_OF: dict[str, Letter] = {}
for _letter, _names in (
    ("A", "A a الف ا آ اول نخست یک 1 یکم"),
    ("B", "B b ب دوم دو 2"),
    ("C", "C c ج پ سوم سه 3"),
    ("D", "D d د ت چهارم چهار 4"),
):
    LETTER_OF |= dict.fromkeys(_names.split(), _letter)  # type: ignore[arg-type]

# «گزینه» and its like: what may stand before a letter that has no brackets of its own.
_NOUN = r"(?:گزینه|گزینش|پاسخ|جواب|حرف|انتخاب|[Oo]ption|[Aa]nswer|[Cc]hoice)"
_PERSIAN = r"الف|[ابجد]"
MENTION = re.compile(
    rf"""
    [\[({{«<"“']\ {{0,2}}(?:گزینه[ ]{{0,2}})?(?P<held>[A-Da-d]|{_PERSIAN})\ {{0,2}}[\])}}»>"”'] # [A]  (الف)  «گزینه B»
  | {_NOUN}(?:\ (?:ی|ها|های|شماره|حرف|is))*[\ :,،="'«]{{1,5}}(?P<named>[A-Da-d]|{_PERSIAN})(?![\w'’]|[ ]?[=+/°])
  | گزینه(?:\ ?ی)?(?:\ شماره)?\ {{1,3}}(?P<ordinal>اول|نخست|دوم|سوم|چهارم|یک|دو|سه|چهار|[1-4](?![\d/.]\d|\ ?[%٪]))(?!\w)
  | (?<![A-Za-z0-9\-+/'’.])(?P<bare>[A-D])(?![A-Za-z0-9'’+/]|-\w|\ ?=) # D) … D: … B است
  | (?:(?<=\n)|(?<=\A))\ {{0,8}}(?:-\ )?(?P<line>{_PERSIAN})\ ?[).:-] # الف) at the start of a line
  | (?<![\w])(?P<tick>الف|[بجد])\ ?\)   # ب) inside a sentence
    """,
    re.VERBOSE,
)
# A capital after these names a thing of medicine, not an option.
NOT_OPTION = re.compile(
    r"(?:ویتامین|هپاتیت|نوع|گروه|خون(?:ی)?|آنفلوانزا|انفلوانزا|ایمونوگلوبولین|فاکتور|عامل"
    r"|سلول(?: های)?|لنفوسیت(?: های)?|کوآنزیم|پروتئین|زنجیره|ژن|آلل|کلاس|مرحله|استرپتوکوک|لایه"
    r"|نقطه|شکل|بیماری|فیبر(?:های)?|موج|ناحیه|بخش|کد|حالت"
    r"|[Vv]itamin|[Hh]epatitis|[Tt]ype|[Gg]roup|[Cc]lass|[Ff]actor)\W{0,4}$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One option letter in the text: where, and how sure its shape is (`bare`: a lone capital)."""

    letter: Letter
    start: int
    end: int
    bare: bool = False


def fold(text: str) -> str:
    """`text` in the form the cues are written for; same length unless it holds presentation forms."""
    if _PRESENTATION.search(text):
        text = unicodedata.normalize("NFKC", text)
    return text.translate(_FOLD)


def mentions(folded: str) -> list[Mention]:
    """Every option letter in a folded text, in order."""
    found = []
    for match in MENTION.finditer(folded):
        group = match.lastgroup or ""
        start = match.start()
        if group == "bare" and NOT_OPTION.search(folded, max(0, start - 24), start):
            continue
        if group == "ordinal" and _COUNT_BEFORE.search(folded, max(0, start - 8), start):
            continue
        found.append(Mention(LETTER_OF[match[group]], start, match.end(), group == "bare"))
    return found


_COUNT_BEFORE = re.compile(r"(?:دو|سه|هر|چهار|این|آن) $")

# A full stop ends a sentence unless it follows a lone letter or digit («A. فلان», «1. فلان»).
SENTENCE_END = re.compile(r"(?<![\s\[(.][A-Da-d0-9])[.!؟?]+[\])»\"]*(?=\s|$)|\n")

_GOOD = (
    r"(?:صحیح|درست|نهایی|مناسب|منطقی|محتمل|مرتبط|بهتر|دقیق|نزدیک|کامل|قابل قبول"
    r"|انتخابی|انتخاب شده|پیشنهادی|اصلی|مورد نظر|ارجح|مطلوب|احتمالی|صادقانه)(?:\ ?تر(?:ین)?)?"
)
_QUESTION = r"(?:به\ (?:این\ )?)?(?:پرسش|سو[اآئ]?[لئ]ل?)"
# Words that announce the answer: strong enough to read the letter beside them as the choice.
ANSWER = re.compile(
    rf"""
    (?:پاسخ|جواب)(?:\ ی)?\ +(?:(?:من|ما|کاملا|{_QUESTION}(?:\ شما)?)\ +)?{_GOOD}
  | گزینه(?:\ (?:ی|ای|های))?(?:\ که)?\ +{_GOOD}(?!\ +(?:نیست|به نظر نمی))
  | \w+\ ?ترین\ +\w+
  | تنها\ +(?:گزینه|پاسخ|جواب|انتخاب|مورد|عبارت|جمله)
  | (?<!برای\ )(?<!این\ )(?:پاسخ|جواب)
    (?=\ *(?:[:=]|نیز|همان|است\b|این|ما|من|شما|حرف|برابر|عبارت|گزینه|\[|\(|[A-D]\b|{_QUESTION}))
  | انتخاب\ +(?:صحیح|درست|نهایی|من|ما|مناسب|گزینه)|(?:نتیجه|جمع\ بندی)\ *:|گزینه\ باید
  | (?:[Tt]he\ )?(?:(?:correct|right|best|final)\ )(?:answer|option|choice) | (?<![a-z])[Aa]nswer
    """,
    re.VERBOSE,
)
CONCLUDE = re.compile(
    r"بنابراین|بنا ?بر ?این|در نتیجه|نتیجه|در نهایت|نهایتا|پس(?= |،)(?! از)|از این رو|به این ترتیب|با توجه به"
    r"|جمع بندی|خلاصه|بر اساس|براساس|در مجموع|از بین|از میان|در میان|با در نظر گرفتن|به نظر می ?رسد"
    r"|[Tt]herefore|[Tt]hus|[Hh]ence"
)
AFFIRM = re.compile(
    r"(?<!نا)(?:صحیح|درست|بهترین|مناسب ?ترین|محتمل ?ترین|منطقی ?ترین|دقیق ?ترین|مناسب)"
    r"[^.،؛\n]{0,30}?(?:است|می ?باشد|می ?رسد|هست)"
    r"|را انتخاب|انتخاب می|[:؛-] *(?:صحیح|درست)(?!\w)|correct"
)
REJECT = re.compile(
    r"نادرست|غلط|اشتباه|نیست|نیستند|نمی |ندارد|ندارند|نبود|رد (?:می|شد|کرد)|حذف (?:می|شد|کرد)"
    r"|منتفی|کمتر محتمل|مردود|غیر ?منطقی|بی ربط|نامناسب|incorrect|wrong|not "
)
# A sentence that announces the answer takes it back only with its own last verb.
DENIED = re.compile(
    r"(?:نیست|نیستند|نمی ?باشد|نمی ?باشند|نمی ?تواند باشد|ندارد|ندارند|نادرست است|نمی ?رسد|نمی ?شود)\W*$"
)
NEITHER = re.compile(r"(?<!\w)(?:نه|غیر از|به جز|بجز|not)\W{1,3}(?:گزینه\W{1,3})?$")
FALSE = re.compile(
    r"نادرست|غلط|اشتباه|(?:صحیح|درست|صادق|مناسب|جزو?|از|علت|مربوط|مرتبط) (?:نیست|نمی ?باشد)|نیست|نمی |ندارد"
)
# The question asks for the option that does not fit.
EXCEPT = re.compile(r"نادرست|غلط|به ?جز|به ?غیر|نیست|نیستند|نمی |ندارد|ندارند|اشتباه|استثنا|نمی ?باشد|کمترین|بعید")
TURN = re.compile(
    r"زیرا|چون|چرا ?که|در حالی ?که|در صورتی ?که|بلکه|ولی|اما|لیکن|؛|با این حال|با این وجود|هرچند|اگرچه|هر ?چند"
    r"|نسبت به|به جای|because"
)
THIS_OPTION = re.compile(
    r"این (?:گزینه|پاسخ|جمله|عبارت|مورد|بیان|ادعا|توضیح|توصیف|تعریف|اظهار)|(?:^|\n)\W*(?:صحیح|درست|نادرست|غلط)"
)
