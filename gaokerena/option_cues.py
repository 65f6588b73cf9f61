"""What `options` looks for in an answer: letters, the words that choose or reject, where sentences end.

Everything works on `fold(text)`: one character for one, so an offset found there is an offset in the answer. Bold
marks, ZWNJ and vowel marks become spaces there, and Arabic ye, kaf and digits their Persian and ASCII twins.

Patterns start with plain letters wherever they can (a look-behind comes after them): the regex engine then skips
what cannot match, which makes reading an answer three times as fast.

Not covered: what the words found amount to, which is the work of `option_claims` and `options`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gaokerena.persian import BIDI_CONTROLS
from gaokerena.questions import Letter

_SPACES = "\u200c\u200d\u200b\u00a0\ufeff\u0640\t\r*_`#" + BIDI_CONTROLS + "".join(map(chr, range(0x64B, 0x656)))
_FOLD: dict[str, str] = (
    dict.fromkeys(_SPACES, " ")
    | {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "ؤ": "و"}
    | dict(zip("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "0123456789" * 2, strict=True))
    | dict(zip("ＡＢＣＤⒶⒷⒸⒹ［］（）：", "ABCDABCD[]():", strict=True))
)
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")

LETTER_OF: dict[str, Letter] = {}
_NAMES: tuple[tuple[Letter, str], ...] = (
    ("A", "A a الف ا آ اول نخست یک 1"),
    ("B", "B b ب دوم دو 2"),
    ("C", "C c ج سوم سه 3"),
    ("D", "D d د چهارم چهار 4"),
)
for _letter, _names in _NAMES:
    LETTER_OF |= dict.fromkeys(_names.split(), _letter)

_LATIN = re.compile(r"[A-Da-d](?<![\w\-+/'’.].)(?![A-Za-z0-9'’+/]|-\w| ?=|\u200c)")
_PERSIAN = re.compile(r"[ابجدآ](?<!\w.)(?:(?<=ا)لف)?(?!\w)")
_ORDINAL = re.compile(
    r"گزینه(?: ?ی)?(?: شماره)? {1,3}(?:اول|نخست|دوم|سوم|چهارم|یک|دو|سه|چهار|[1-4](?![\d/.]\d| ?[%٪]))(?!\w)"
)
_COUNT_BEFORE = re.compile(r"(?:دو|سه|هر|چهار|این|آن) $")
_OPENING, _CLOSING = "[({«<\"“'", "])}»>\"”'"
# Words after which a letter without brackets names an option, and where a bare Persian letter may stand.
_AFTER_NOUN = re.compile(
    r"(?:گزینه|پاسخ|جواب|حرف|انتخاب|[Oo]ption|[Aa]nswer|[Cc]hoice)"
    r"(?: +(?:ی|ها|های|شماره|حرف|صحیح|درست|نهایی|من|ما|است|نه|is))*[ :,،=\"'«(\[]{1,5}$"
)
_ANNOUNCED = re.compile(r"(?:است|[:=]|حرف) {0,3}$")
# Where a bare Persian letter may stand after another: «الف و ب», «الف نیست، بلکه ب است».
_LISTED = re.compile(r" *(?:[،,/]|[،,]? ?(?<!\w)(?:و|یا)(?= )) *")
_CONTRASTED = re.compile(r"(?<!\w)(?:نیست|نیستند|نه|بلکه)[ ،؛,]{1,3}(?:بلکه )?$")
_SAID_TO_BE = re.compile(r" {1,2}(?:است|درست|صحیح)(?!\w)| {0,2}(?:[.،\n]|$)")
# «مناسب‌ترین گام **د** (فلان) است»: bold marks are blanks here; but a vitamin may be bold too.
_SET_OFF = re.compile(r"(?<!ویتامین) {3}$")
_THEN = re.compile(r" {2,3}(?:\(|است(?!\w))")
_LINE_START = re.compile(r"(?:^|\n)[ \-•]{0,8}$")
_ENUMERATED = re.compile(r" ?[).:-]| *(?:\n|$)")
_SPECIES = re.compile(r"\. ?[a-z]{4}")  # C. difficile
# A capital after these names a thing of medicine, not an option.
_NOT_OPTION = re.compile(
    r"(?:ویتامین|هپاتیت|نوع|گروه|خون(?:ی)?|آنفلوانزا|انفلوانزا|ایمونوگلوبولین|فاکتور|عامل|سلول(?: های)?"
    r"|لنفوسیت(?: های)?|کوآنزیم|پروتئین|زنجیره|ژن|آلل|کلاس|مرحله|استرپتوکوک|لایه|نقطه|شکل|بیماری|فیبر(?:های)?|موج|ناحیه"
    r"|بخش|کد|حالت|[Vv]itamin|[Hh]epatitis|[Tt]ype|[Gg]roup|[Cc]lass|[Ff]actor)\W{0,4}$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One option letter in the text and its span, brackets included."""

    letter: Letter
    start: int
    end: int


def fold(text: str) -> str:
    """`text` in the form the cues are written for, character for character; presentation forms must be gone before."""
    text = text.replace("\n* ", "\n- ")  # a bullet must not vanish with the bold marks
    for character in _FOLD.keys() & set(text):
        text = text.replace(character, _FOLD[character])
    return text


def unshaped(text: str) -> str:
    """`text` without Arabic presentation forms; all else stays."""
    return unicodedata.normalize("NFKC", text) if _PRESENTATION.search(text) else text


def mentions(folded: str) -> list[Mention]:
    """Every option letter in a folded text, in order: [A], (الف), گزینه ب, گزینه دوم, D) …"""
    found = [mention for match in _LATIN.finditer(folded) if (mention := _latin(folded, match))]
    found += _persian_mentions(folded)
    for match in _ORDINAL.finditer(folded):
        if not _COUNT_BEFORE.search(folded, max(0, match.start() - 8), match.start()):
            found.append(Mention(LETTER_OF[match[0].split()[-1]], match.start(), match.end()))
    found.sort(key=lambda mention: mention.start)
    return found


def _held(folded: str, start: int, end: int) -> tuple[int, int] | None:
    """The span with its brackets when the letter stands alone in them, else None."""
    before, after = folded[max(0, start - 3) : start].rstrip(" "), folded[end : end + 3].lstrip(" ")
    if not before or not after or before[-1] not in _OPENING or after[0] not in _CLOSING:
        return None
    return folded.rindex(before[-1], 0, start), folded.index(after[0], end) + 1


def _latin(folded: str, match: re.Match[str]) -> Mention | None:
    start, end = match.span()
    letter = LETTER_OF[match[0]]
    held = _held(folded, start, end)
    if held and (match[0].isupper() or folded[held[0]] in "[("):  # «c» in quotation marks is a symbol of the question
        return Mention(letter, *held)
    if _AFTER_NOUN.search(folded, max(0, start - 30), start):
        return Mention(letter, start, end)
    if _SPECIES.match(folded, end) and not _LINE_START.search(folded, max(0, start - 9), start):
        return None
    if match[0].islower() or _NOT_OPTION.search(folded, max(0, start - 24), start):
        return None
    return Mention(letter, start, end)


def _persian_mentions(folded: str) -> list[Mention]:
    """Persian letters that name an option, and the bare ones listed after one («گزینه‌های الف، ب و ج»)."""
    found: list[Mention] = []
    for match in _PERSIAN.finditer(folded):
        mention = _persian(folded, match)
        named = len(match[0]) + (match[0] in "بجد") > 1  # a lone «ا» is no name
        if not mention and named and found and _LISTED.fullmatch(folded, found[-1].end, match.start()):
            mention = Mention(LETTER_OF[match[0]], *match.span())
        if mention:
            found.append(mention)
    return found


def _persian(folded: str, match: re.Match[str]) -> Mention | None:
    start, end = match.span()
    letter = LETTER_OF[match[0]]
    if held := _held(folded, start, end):
        return Mention(letter, *held)
    bracketed = folded[end : end + 2].lstrip(" ")[:1] == ")"
    if _AFTER_NOUN.search(folded, max(0, start - 30), start) or (bracketed and len(match[0]) + (match[0] in "بجد") > 1):
        return Mention(letter, start, end)
    if _ANNOUNCED.search(folded, max(0, start - 6), start) and _STOP.match(folded, end):
        return Mention(letter, start, end)
    if _LINE_START.search(folded, max(0, start - 9), start) and _ENUMERATED.match(folded, end):
        return Mention(letter, start, end)
    if _CONTRASTED.search(folded, max(0, start - 14), start) and _SAID_TO_BE.match(folded, end):
        return Mention(letter, start, end)
    if _SET_OFF.search(folded, max(0, start - 12), start) and _THEN.match(folded, end) and match[0] != "ا":
        return Mention(letter, start, end)
    return None


_STOP = re.compile(r" {0,2}(?:[\].)،\n]|$)")
# A full stop ends a sentence unless it follows a lone letter or digit («A. فلان», «1. فلان»).
SENTENCE_END = re.compile(r"[.!؟?][.!؟?\])»\"]{0,8}+(?=\s|$)|\n\s*+")


def ends_sentence(folded: str, at: int) -> bool:
    """Whether the punctuation at `at` closes a sentence, not an enumerator."""
    if folded[at] == "\n" or not at:
        return True
    return folded[at - 1] not in "ABCDabcd0123456789۰۱۲۳۴۵۶۷۸۹" or (at > 1 and folded[at - 2] not in " \n[(.")


_GOOD = (
    r"(?:صحیح|درست|نهایی|قطعی|مناسب|منطقی|محتمل|مرتبط|بهتر|دقیق|نزدیک|کامل|قابل\ قبول|منتخب"
    r"|انتخابی|انتخاب\ شده|پیشنهادی|اصلی|مورد\ نظر|ارجح|مطلوب|احتمالی|صادقانه)(?:\ ?تر(?:ین)?)?"
)
_QUESTION = r"(?:به\ (?:این\ )?)?(?:پرسش|سو[اآئ]?[لئ]ل?)"
# Words that announce the answer: strong enough to read the letter beside them as the choice.
ANSWER = re.compile(
    rf"""
    (?:پاسخ|جواب)(?<!برای\ \w{{4}})(?:\ ی)?\ +(?:(?:من|ما|کاملا|{_QUESTION}(?:\ شما)?)\ +)?{_GOOD}
  | گزینه(?:\ (?:ی|ای|های))?(?:\ که)?\ +{_GOOD}(?!(?:\ ?ی)?\ +(?:نیست|نمی\ ?باشد|به\ نظر\ نمی))
  | ترین\ +(?:گزینه|پاسخ|جواب|انتخاب|تشخیص|توضیح|توصیف|درمان|علت|دلیل|اقدام|مورد|عامل|عبارت|روش|مرحله|گام|قدم|نتیجه)
  | تنها\ +(?:گزینه|پاسخ|جواب|انتخاب|مورد|عبارت|جمله)
  | (?:پاسخ|جواب)(?<!برای\ \w{{4}})(?<!\ این\ \w{{4}})
    (?=\ *(?:[:=\n]|$|نیز|همان|است\b|این|ما|من|شما|حرف|برابر|عبارت|گزینه|\[|\(|[A-D]\b|{_QUESTION}))
  | انتخاب\ +(?:صحیح|درست|نهایی|من|ما|مناسب|گزینه)|نتیجه\ *:|جمع\ بندی\ *:|گزینه\ باید
  | correct\ (?:answer|option|choice)|right\ answer|best\ (?:answer|option)|final\ answer|answer|Answer
    """,
    re.VERBOSE,
)
# Where the question asks for what does not hold, «گزینه نادرست» announces the answer too.
ANSWER_FALSE = re.compile(r"(?:گزینه|عبارت|جمله|مورد)(?: (?:ی|ای|های))? +(?:نادرست|غلط|اشتباه)")
SUPERLATIVE = re.compile(r"ترین(?= )")
CONCLUDE = re.compile(
    r"بنابراین|بنا ?بر ?این|در ?نتیجه|نتیجه|در ?نهایت|نهایتا|پس(?= |،)(?! از)(?<!\wپس)|از این رو|به این ترتیب"
    r"|با توجه به|جمع بندی|خلاصه|بر اساس|براساس|در ?مجموع|از بین|از میان|در میان|با در نظر گرفتن|به نظر می ?رسد"
    r"|Therefore|therefore|Thus|Hence"
)
AFFIRM = re.compile(
    r"(?<!نا)(?:صحیح|درست|بهترین|مناسب ?ترین|محتمل ?ترین|منطقی ?ترین|دقیق ?ترین|مناسب)"
    r"[^.،؛\n]{0,30}?(?:است|می ?باشد(?<!نمی باشد)(?<!نمیباشد)|می ?رسد(?<!نمی رسد)(?<!نمیرسد)|هست)"
    r"|را انتخاب(?! (?:نمی|نکن|نکرد|نخواه|نشد))|انتخاب می|بر ?می ?گزین|[:؛-] *(?:صحیح|درست)(?!\w)|correct"
)
REJECT = re.compile(
    r"نادرست|غلط|اشتباه|نیست|نیستند|نمی |ندارد|ندارند|نبود|(?<!\w)رد (?:می|شد|کرد)|حذف (?:می|شد|کرد)"
    r"|کنار (?:می ?گذار|گذاشته)|منتفی|کمتر محتمل|کمترین احتمال|مردود|غیر ?منطقی|بی ربط|نامناسب(?! آن)|نامعتبر"
    r"|incorrect|wrong|not "
)
_NOT = r"(?:نیست|نیستند|نمی ?باشد|نمی ?باشند|نمی ?تواند|نمی ?توانند|به نظر نمی ?رسد|ندارد|ندارند)"
# How a sentence with an answer cue takes back the letter it names: «گزینه صحیح [C] نیست», «… انتخاب مناسبی نیست».
NOT_THIS = re.compile(
    r"[\W\d]*(?:(?!است|که|باشد)\w+ +){0,2}(?:(?:صحیح|درست|مناسب|دقیق|کامل)(?: ?ی)? +)?"
    r"(?:نیست|نیستند|نمی ?باشد|نمی ?باشند|نادرست|غلط|اشتباه)"
)
DENIED = re.compile(
    rf"(?:صحیح|درست|مناسب|منطقی|دقیق|پاسخ|جواب|انتخاب|گزینه|محتمل|کامل)(?: ?ی| ?ترین)*(?: \w+){{0,3}} +{_NOT}"
    r"|نادرست|غلط|نامعتبر|حذف (?:می|شد)|(?<!\w)رد (?:می|شد)|(?:صحیح|درست|مناسب)\W*نیست"
    r"|(?<!\w)نمی ?پذیر|کنار (?:می ?گذار|گذاشته)|قبول (?:نمی|نکن)|نمی ?توان\w{0,2} (?:\w+ ){0,2}?(?:پذیرفت|درست|صحیح)"
    r"|کمترین (?:احتمال|ارتباط)|کمتر (?:محتمل|احتمال)|احتمال(?: \w+){0,2} (?:بسیار |خیلی )?کم(?:ی|تری)? (?:است|دارد)"
)
# «گزینه [C] محتمل‌ترین توضیح برای این علائم نیست.»
ENDS_DENIED = re.compile(r"(?<!\w)(?:نیست|نیستند|نمی ?باشد|نمی ?باشند)\W*$")
NEITHER = re.compile(r"(?<!\w)(?:نه|غیر از|به جز|بجز|پاسخ نادرست|پاسخ غلط|not)\W{1,3}(?:گزینه\W{1,3})?$")
NOT_BUT = re.compile(r"(?<!\w)(?:نه|not)\W{1,3}(?:گزینه\W{1,3})?$")
# «[A] نیست، [B] نیست، پس [C]»
THEREFORE = re.compile(r"(?:بنابراین|بنا بر این|در ?نتیجه|پس(?= |،)(?<!\wپس))[^.؛:\n]{0,40}$")
# «پاسخ صحیح [A] نیست»: not the answer, whatever the question asks for.
IS_NOT = re.compile(r"\W*(?:نیست|نیستند|نمی ?باشد|نمی ?باشند)")
ANSWER_WORD = re.compile(r"پاسخ|جواب")
# «گزینه [A] را انتخاب نمی‌کنم»
NOT_TAKEN = re.compile(
    r"\W*(?:را\W+)?(?:به عنوان(?: \w+){1,3} )?"
    r"(?:انتخاب (?:نمی|نکن|نکرد|نخواه|نشد)|بر ?نمی ?گزین"
    r"|(?:نباید|نمی ?توان\w{0,2}) (?:\w+ ){0,3}?(?:انتخاب|برگزی|پاسخ|جواب))"
)
# The same where words stand between, and «نباید این گزینه را انتخاب کرد».
REFUSED = re.compile(r"نباید [^.،؛:\n]{0,80}(?:انتخاب|برگزی)|انتخاب (?:نمی|نکن|نکرد|نخواه|نشد)")
# «نباید گزینه [A] را انتخاب کرد», «نمی‌توان گزینه [A] را درست دانست»: what governs the letter, what is not to be done.
# Between the two no other clause may begin («… نمی‌تواند راه برود و گزینه [A] …»).
CANNOT = re.compile(r"(?:نباید|نمی ?توان)[^.،؛:!؟\n]{0,40}$")
CLAUSE_BEGINS = re.compile(r"(?<!\w)(?:و|یا|است|باشد|شود|کند|کرد|داد|دارد|بود|پس|بنابراین)(?!\w)")
TAKEN = re.compile(r"انتخاب|برگزی|پاسخ|جواب")
TAKEN_AS_TRUE = re.compile(r"انتخاب|برگزی|پاسخ|جواب|درست|صحیح|پذیرفت|دانست|باشد")
CLAUSE_END = re.compile(r"[،؛:!؟]")
NO_OPTION = re.compile(
    r"هیچ ?(?:کدام|یک)(?: ?ی)? (?:از )?(?:این )?(?:\w+ )?(?:گزینه|موارد|پاسخ|اینها)|هیچ گزینه"
    r"|(?:پاسخ|گزینه|جواب)[^.،\n]{0,40}هیچ ?(?:کدام|یک)|هیچ ?کدام\W*$|none of"
)
# «پاسخ این است:» and nothing after it.
NOTHING_SAID = re.compile(r"(?:پاسخ|جواب)(?: \w+){0,2} این(?: است)?(?: که)?\W*(?:پایان(?: جمله)?)?\W*$")
# «گزینه‌های دیگر …»; but «از بین گزینه‌های باقی‌مانده، [D] …» chooses.
OTHERS = re.compile(
    r"گزینه(?<!بین .{5})(?<!میان .{5})(?: ?ها)?(?: ?ی)? (?:دیگر|باقی)|سایر (?:گزینه|موارد)|بقیه|دیگر گزینه"
)
# «گزینه [D] نیز درست است» adds a second to what is chosen already.
ALSO = re.compile(r"\W*(?:نیز|هم)(?!\w)")
# The question asks for the option that does not fit.
EXCEPT = re.compile(
    r"نادرست|غلط|به ?جز|به ?غیر|نیست|نیستند|نمی |ندارد|ندارند|اشتباه|استثنا|نمی ?باشد|کمترین|بعید"
    r"|\b(?i:not|except|incorrect|false|(?<!at )least)\b"
)
TURN = re.compile(
    r"(?:زیرا|چون|چرا ?که|در حالی ?که|درحالی ?که|در صورتی ?که|بلکه|ولی|اما|لیکن|با این حال|با این وجود|هر ?چند"
    r"|اگر ?چه|(?<!\w)گر ?چه|نسبت به|به جای|because)(?<!\wچون)(?<!\wولی)(?<!\wاما)(?!\w)|؛"
)
THIS_OPTION = re.compile(
    r"این (?:گزینه|پاسخ|جمله|عبارت|مورد(?<!در این مورد)|بیان|ادعا|توضیح|توصیف|تعریف|اظهار)"
    r"|(?:^|\n)\W*(?:صحیح|درست|نادرست|غلط)"
)
# What may stand between two letters chosen together, and what may not.
JOIN = re.compile(
    r"(?:(?<!\w)(?:و|یا|تا|and|or)|[،,/&])\W*(?:(?:هم|همچنین|نیز|همان)\W+)?(?:گزینه\W*(?:ی |های )?)?\W*$"
    r"|(?<!\w)(?:و|یا)\W+[^.؛:\n()]{1,60}\((?:گزینه\W*)?\W*$"
)
VERB = re.compile(
    r"(?<!\w)(?:است|نیست|باشد|باشند|هستند|شود|شوند|کند|کنند|دارد|دارند|می|نمی|که|نسبت|برای|زیرا|چون|اما|ولی|بلکه|نه"
    r"|نادرست|غلط|اشتباه)(?!\w)"
)
STARTS_CONCLUSION = re.compile(r"\W*(?:بنابراین|بنا ?بر ?این|در ?نتیجه|در ?نهایت|پس |نتیجه)")
BULLET = re.compile(r"\s*(?:[-•–]|\d{1,2}[.)-])")
# «گزینه C پاسخ دقیقی است، اگرچه گزینه B …»: a letter after these is not the one announced before them.
CONCEDED = re.compile(
    r"زیرا|در حالی ?که|درحالی ?که|هر ?چند|اگر ?چه|نسبت به(?! (?:سایر|دیگر|بقیه))|چرا ?که|چون(?<!\wچون)(?!\w)"
)
