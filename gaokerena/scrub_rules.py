"""The shapes the scrubber looks for, kind by kind, and the check digits that prove them.

    for kind, pattern, check in RULES: ...

The patterns read the view of `gaokerena.scrub`: ASCII digits, Persian ye and kaf, plain spaces and hyphens, no marks
and no hidden characters. They are tried in this order, and what one has taken the next does not see. A pattern with a
group `it` takes that group only. `check` gets the digits of the match and says whether they are meant.

Every repeat is bounded or begins where no other match can, so the time is linear in the length of the text.

Not covered: names, addresses, numbers in words; an address without https:// or www. whose ending is in none of the
lists here; an account at «بله», «سروش» or «ایتا» that nothing but the name announces, unless it has an underscore.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Check = Callable[[str], bool] | None


def valid_national_id(digits: str) -> bool:
    """Whether ten ASCII digits carry the right check digit (sum of d_i * (10 - i) for nine digits, mod 11)."""
    if len(digits) != 10 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return int(digits[9]) == (remainder if remainder < 2 else 11 - remainder)


def valid_card(digits: str) -> bool:
    """Whether sixteen ASCII digits pass the Luhn check (ISO/IEC 7812)."""
    if len(digits) != 16 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def valid_sheba(digits: str) -> bool:
    """Whether the 24 ASCII digits after `IR` pass ISO 13616's mod-97 check."""
    return len(digits) == 24 and digits.isdecimal() and int(digits[2:] + "1827" + digits[:2]) % 97 == 1


def _not_round(digits: str) -> bool:
    return "00000" not in digits


# Numbers: what may stand between the digits, before them and behind them.
_ONE = r"[ \-_.]"
_SEP = rf"{_ONE}{{0,2}}"
_WIDE = r"[ \-_./\t]{0,3}"  # only where a check digit or 09 proves the number
_EDGE = r"(?<!\d)(?<!\d[.,/٬،])"  # not in the middle of a number, nor behind a decimal point
_END = r"(?!\d)(?![.,/٬]\d)"
_COUNTRY = rf"(?:\+|00){_SEP}98{_SEP}"
_UNITS = (
    r"IU|U/|units?|mg|mcg|[µμ]g|g\b|ml|cfu|copies|cells?|ppm|%|×|x10|گرم|میلی|میکرو|سی[\s\u200c]?سی|لیتر|درصد|"
    r"سلول|اسپرم|باکتری|گلبول|پلاکت|کلنی|ریال|تومان|تومن|دلار"
)
# «تلفن ۸۸۷۷۶۶۵۵ واحد ۳» is a flat, «۱۰۰۰۰۰۰ واحد» a dose: these words count only behind a round number.
_NO_AMOUNT = rf"(?!\s{{0,2}}(?:{_UNITS}))(?!(?<=000)\s{{0,2}}(?:واحد|عدد|نسخه|نفر|کپی|بار))"


def _spread(first: str, more: int) -> str:
    """`first` and `more` digits, each behind the same separator: 0-9-1-2, ۰ ۹ ۱ ۲."""
    return rf"{first}(?P<sep>{_ONE}{{1,2}})\d(?:(?P=sep)\d){{{more - 1}}}"


def _loose(count: int, between: str = _SEP) -> str:
    return rf"(?:{between}\d){{{count}}}"


def _named(names: str, number: str) -> str:
    """`number` at most twenty signs behind one of `names`; only the number is taken out."""
    return rf"(?:{names})[^\d\n@\[\]]{{0,20}}?{_EDGE}(?P<it>{number})(?!\d)"


# Words: the joint is empty, a space, a half-space, a hamza or «ی»: شماره ملی، شماره‌ی ملی، شمارهء ملی، کد‌ملی.
_JOINT = r"[\s\u200cء]{0,3}(?:ی[\s\u200c]{0,2})?"
_NUMBER = rf"شماره{_JOINT}"
_PHONE_NAMES = (
    rf"{_NUMBER}(?:تلفن|تماس|همراه|موبایل|من|مطب|منزل|خونه)|"
    rf"تلفن|موبایل|فکس|واتس{_JOINT}(?:اپ|آپ)|تماس|ایتا|روبیکا"
)
_RECORD_NAMES = (
    rf"{_NUMBER}(?:پرونده|بیمه|شناسنامه|گذرنامه|پاسپورت|دانشجویی|پرسنلی|نظام{_JOINT}پزشکی)|"
    rf"کد{_JOINT}(?:رهگیری|پیگیری|بیمه)|نظام{_JOINT}پزشکی"
)
_DATE = r"(?:1[34]|20)?\d\d[/-]\d{1,2}[/-]\d{1,2}(?!\d)"
_RECORD_SHAPES = rf"(?!{_DATE})[A-Z]?(?:\d{{4,15}}|\d{{1,6}}[/-]\d{{3,10}})(?:[/-]\d{{1,10}}){{0,2}}"  # 98/12345
_AREA = r"(?:1[1-7]|2[1-8]|3[1-8]|4[145]|5[1468]|6[16]|7[1-7]|8[1-7])"
_PHONE_SHAPES = r"(?!(?:13|14|19|20)\d\d[ -])(?:0?9\d{8,10}|[1-9]\d{6,10}|\d{3,4}[ -]\d{4,8}|\d{3,4}(?:[ -]\d{3,4}){2})"
_APART = r"[ \-_./\t]{1,3}"
_IN_THREE = rf"(?!\d{{3}}(?!-\d){_APART}\d{{3}}000)\d{{3}}{_APART}\d{{6}}{_APART}\d"  # «120 450000 3» is a blood count
_NATIONAL_SHAPES = rf"\d{{10}}|\d{{3}}{_APART}\d{{6}}{_APART}\d|\d{{8,9}}|{_spread('[0-9]', 9)}"

# Addresses. A label is of one script, so that a Persian word written against an address is not part of it.
_FA = r"[\u0620-\u064a\u066e-\u06d3\u200c]"
_FA_LABEL = rf"{_FA}(?:{_FA}|[0-9-]){{0,62}}"
_LABEL = rf"(?:[A-Za-z0-9-]{{1,63}}|{_FA_LABEL})"
_HOST = rf"(?:{_LABEL}\.){{0,5}}(?:{_FA_LABEL}\.{_FA_LABEL}|{_LABEL}\.(?:[A-Za-z0-9-]{{1,63}}|ایران(?!{_FA})))"
_MAILBOX = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}"
_DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}"
_URL_CHARS = r"(?:[!#-;=?-~]*[A-Za-z0-9/=#&_-])"
_TAIL = r"(?:(?<=[/=_-])[^\s،؛؟»)\]\"]+(?<![.!:]))?"  # a path may go on in Persian
_REST = rf"{_URL_CHARS}{_TAIL}"
_PATH = rf"(?:/{_URL_CHARS}?{_TAIL})"
_COMMON = r"ir|com|org|net|edu|gov"
# Without https:// an ending in small letters will do when a path follows. Left out are ml, mg, kg, cc, hr and other
# units (ng.ml/h); those that are also English or medicine (pain.in/out, serum.ca/ph) need a longer path with a digit.
_COUNTRIES = (
    r"a[cdefgiloqruwxz]|b[abefghijmnortwyz]|c[dfghiknouvwxyz]|d[ejkz]|e[cegrstu]|f[ijkmor]|g[abdefghlnpqrstuwy]|"
    r"h[kmntu]|i[eloqr]|j[emop]|k[ehinprwyz]|l[cikrsuvy]|m[adehknpqtvwxz]|n[cefilpruz]|om|p[aefklnswy]|qa|"
    r"r[eosuw]|s[abdehiknruvxyz]|t[cfghjklmnrvwz]|u[agkyz]|v[ceginu]|w[fs]|y[et]|z[amw]"
)
_DOUBTFUL = r"a[mst]|b[ds]|c[alr]|d[mo]|gi|i[dmnst]|l[ab]|m[orsy]|n[ao]|p[hmrt]|s[cglmost]|t[dot]|us|va"
_ENDINGS = (
    r"com|org|net|edu|gov|info|biz|health|clinic|doctor|dental|care|hospital|med|app|dev|site|online|shop|store|link|"
    r"page|pages|club|pro|xyz|top|blog|live|news|life|world|cloud|tech|art|vip|fun|space|website|academy|company|agency|"
    r"digital|expert|fit|fitness|group|guru|help|international|media|network|services|solutions|support|systems|"
    r"today|tools|wiki|zone|mobi|name|int|mil|tel|email|chat|social|video|studio|design|beauty|yoga|baby|family|"
    r"forum|community|foundation|ngo|education|school|university|college|science|press|review|reviews|"
    r"events|tours|travel|city|earth|global|asia|cafe|market|bio|ink|click|icu|sbs|cfd|cyou|bond"
)
_FORMS = r"tabs?|caps?|amp|syr|vit|anti|inj|susp|drop|gtt|oint|supp|fig|mc?g|kg|ml|dl|cc|iu|meq|mmol|ng|pg|no"
_SHORTEST = r"[A-Za-z0-9]\.(?-i:com?|ly|me|gd|mp|ir)"
_ANY_SITE = (
    rf"(?<![A-Za-z0-9@._/-])(?=[A-Za-z0-9-]{{1,63}}\.[A-Za-z0-9])(?!(?:{_FORMS})\.)(?![\d.-]+[A-Za-z]{{2,9}}/)"
    rf"(?:{_SHORTEST}/(?=\w)|(?:[A-Za-z0-9-]{{2,63}}\.){{1,6}}"
    rf"(?:(?-i:{_COUNTRIES}|{_ENDINGS})/(?=[\w~%@]{{2}})|(?-i:{_DOUBTFUL})/(?=\S{{4}})(?=\S{{0,60}}\d)))"
    rf"{_URL_CHARS}?{_TAIL}"
)

# Accounts. «بله» and «سروش» are words before they are messengers, so they need a sign that the messenger is meant.
_CALLED = r"آی\u200c?دی|ایدی|یوزر\u200c?نیم"
_SERVICES = r"تلگرام|اینستاگرام|اینستا|روبیکا|telegram|instagram|insta"
_MESSENGERS = r"ایتا|سروش|بله"
_OWNER = rf"(?:\u200c?(?:م|ام)|\s(?:من|ما|در|توی?|{_SERVICES}|{_MESSENGERS}|پیج)){{0,5}}\s?[:=]?\s?"
_MEANT = (
    rf"\b(?:در|توی?|پیام[\s\u200c]?رسان|شناسه{_JOINT})\s?(?:{_MESSENGERS}){_OWNER}|"
    rf"\b(?:{_MESSENGERS})(?:\u200c?(?:ام|م)\s?[:=]?\s?|\s(?:من|ما)\s?[:=]\s?|\s?[:=]?\s?(?=[A-Za-z0-9.]{{1,31}}_))"
)
_MARKERS = r"(?-i:[A-Z]{1,5}\d{1,3}[A-Z]?)|hba1c|ca[\d.]+|coq\d+|ig[agm]\d|covid\d+|omega\d|her2|h\dn\d"  # laboratory
_ACCOUNT = (
    rf"(?!(?:telegram|instagram|insta|whatsapp|{_MARKERS})\b)(?=[A-Za-z0-9_.]{{4}})"
    r"[A-Za-z][A-Za-z0-9.]{0,31}[0-9_][A-Za-z0-9_.]{0,31}(?<!\.)"
)

_PATTERNS: tuple[tuple[str, str, Check], ...] = (
    (
        "email",
        rf"{_MAILBOX}(?:\s?@\s?|\s?[\[({{]\s?(?:at|ات|ات‌ساین)\s?[\])}}]\s?){_DOMAIN}\s?\.\s?[A-Za-z]{{2,12}}",
        None,
    ),
    ("email", rf"{_MAILBOX}@(?:{_LABEL}\.){{1,6}}(?:[A-Za-z]{{2,12}}|{_FA}{{2,15}})", None),
    ("email", rf"{_MAILBOX}\s?@\s?(?:gmail|yahoo|hotmail|outlook)\b", None),
    ("link", rf"(?:https?://|www\.)(?:{_HOST}(?:{_REST})?|{_REST}|{_FA_LABEL}(?:{_REST})?)", None),
    ("link", rf"(?<![A-Za-z0-9.-])(?:t|telegram|wa)\.me/{_REST}", None),
    ("link", rf"(?<![A-Za-z0-9@._-])(?:[A-Za-z0-9-]{{2,63}}\.){{1,6}}(?:{_COMMON})(?![A-Za-z0-9-]){_PATH}?", None),
    ("link", rf"(?<!{_FA})(?<![A-Za-z0-9@._-]){_FA_LABEL}\.(?-i:ir|com)(?![A-Za-z0-9-]){_PATH}?", None),
    ("link", _ANY_SITE, None),
    ("handle", r"(?<![A-Za-z0-9_@.])@[A-Za-z_][A-Za-z0-9_.]{2,31}(?<!\.)", None),
    ("handle", rf"(?:(?:{_CALLED}|username|پیج|{_SERVICES}){_OWNER}|{_MEANT})(?P<it>{_ACCOUNT})", None),
    ("handle", r"(?<![A-Za-z0-9_@.])[A-Za-z][A-Za-z0-9_.]{3,31}@(?![A-Za-z0-9])", None),
    ("handle", rf"(?:{_CALLED}){_OWNER}(?P<it>[A-Za-z][A-Za-z0-9_.]{{3,31}}(?<!\.))", None),
    ("sheba", rf"(?<![A-Za-z])IR{_WIDE}\d{_loose(23, _WIDE)}(?!\d)", valid_sheba),
    ("sheba", _named(r"شبا", rf"(?:IR{_SEP})?\d{_loose(23)}"), None),
    (
        "card",
        rf"{_EDGE}(?!20)[2-9]\d{{3}}(?:{_WIDE}\d{{4}}){{3}}{_END}",
        valid_card,
    ),  # no bank begins with 20, years do
    ("card", rf"{_EDGE}{_spread('[2-9]', 15)}{_END}", valid_card),
    ("card", _named(rf"{_NUMBER}کارت|کارت", rf"\d{{4}}(?:{_WIDE}\d{{4}}){{3}}"), None),
    (
        "mobile",
        rf"(?<!\d)(?<!\d\.)(?:(?:{_COUNTRY}(?:\(?0\)?{_SEP})?|98|0)9\d\d\)?{_loose(7, _WIDE)}"
        rf"|(?:98{_SEP}|0[ \-_])9\d\d\)?{_loose(7)})(?!\d)",
        None,
    ),
    ("mobile", rf"{_EDGE}{_spread('0', 10)}{_END}", lambda digits: digits[1] == "9"),
    (
        "phone",
        rf"(?<!\d)(?<!\d\.)(?:{_COUNTRY}\(?0?{_AREA}\)?|\(0{_AREA}\)|0{_AREA})[\s/\-_]{{0,3}}[1-9]\d{_loose(6)}{_END}",
        None,
    ),
    ("phone", rf"{_EDGE}{_spread('0', 10)}{_END}", lambda digits: digits[1] in "12345678"),
    ("phone", _named(_PHONE_NAMES, _PHONE_SHAPES) + _NO_AMOUNT, None),
    ("postal_code", _named(rf"کد{_JOINT}پستی", rf"\d{{5}}{_SEP}\d{{5}}"), None),
    ("national_id", _named(rf"(?:کد{_JOINT}|{_NUMBER})ملی", _NATIONAL_SHAPES), None),
    ("national_id", rf"{_EDGE}(?:\d{{10}}|{_IN_THREE}){_END}{_NO_AMOUNT}", valid_national_id),
    ("mobile", rf"{_EDGE}9[0-49]\d[ -]?(?:\d{{7}}|\d{{3}}[ -]\d{{4}}){_END}{_NO_AMOUNT}", _not_round),
    ("mobile", rf"{_EDGE}09\d{{8}}(?:\d\d)?{_END}", None),  # one digit too few or too many
    ("record", _named(_RECORD_NAMES, _RECORD_SHAPES), None),
    ("phone", _named(r"شماره?[\s\u200c]?(?:ام|م)\b", r"[1-9]\d{7}") + _NO_AMOUNT, None),
    ("long_number", rf"(?<![A-Za-z]){_EDGE}\d{{13,30}}(?![A-Za-z]){_END}{_NO_AMOUNT}", _not_round),
)

RULES: tuple[tuple[str, re.Pattern[str], Check], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE), check) for kind, pattern, check in _PATTERNS
)
