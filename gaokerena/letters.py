"""Which scripts the letters of a text belong to: what shows that a generator slipped out of Persian.

`foreign_script` finds Chinese, Cyrillic and the like; `mixed_script_word` finds a word that changes its script in the
middle (`موتورik`, `تibia`, `epidemiolojiک`). People who type Persian leave a blank out instead (`mgدر`, `ویتامینD`,
`NSAIDها`, `بیماریprogressive`); such a seam is no defect, and these rules tell the two apart:

- after Persian: the Latin part begins with a capital, or is an abbreviation or a unit, or the Persian part is a
  whole word (a closed list, or it ends in a plural) - but one letter alone other than `و` is never a word (`فEV`);
- before Persian: the Latin part is an abbreviation or a unit, or the Persian part is an ending or a common word.

Not covered: a slip whose halves are both words or short (`رشدcatch`), mixtures inside one script (German in English).
"""

from __future__ import annotations

import re

PERSIAN = "\u0621-\u063f\u0641-\u064a\u0671-\u06d3\u06d5\ufb50-\ufdff\ufe70-\ufefc"
"""Letters of the Arabic script, for a character class; without tatweel."""

_ANY_LETTERS = re.compile(r"[^\W\d_]+")
_PERSIAN_LETTERS = re.compile(f"[{PERSIAN}\u0750-\u077f]+")
_STRANGE = re.compile(
    "(?![A-Za-zªµº\u00c0-\u02ff\u0370-\u03ff\u0600-\u06ff\u0750-\u077f\u1d2c-\u1d6a\u1e00-\u1fff"
    "\u2070-\u209c\u2100-\u214f\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefc])[^\\W\\d_]"
)
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_SEAM = re.compile(f"[{PERSIAN}](?=[{_LATIN}])|[{_LATIN}](?=[{PERSIAN}])")
_RUN = re.compile(f"[{PERSIAN}{_LATIN}]+")
_PART = re.compile(f"[{PERSIAN}]+|[{_LATIN}]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = _words("mg ml mcg kg cm mm cc iu gr dl mmhg mol mmol meq kcal units unit")
_SHORT = _words(
    "ivf iui pco pcos pcod hiv ocp iud ocd ige igg igm iga amh ana ab ob ar ad as ef eeg ecg acl afp asq aso adhd nicu "
    "icu opg abi ace alt ast aids emg mri esr tpo ph ii iii iv vi vii viii ix"
)
_ABBREVIATIONS = _UNITS | _SHORT
_NO_VOWEL = re.compile("[b-df-hj-np-tv-z]{2,5}")
_ENDINGS = _words(
    "ها های هایی هایم هایت هایش هاست هام هات هاش هارو ی ای یی ایی ات ام م ش ا اش دار دارم داره محور است اند هم "
    "و در از به با را رو که تا یا بر بود باشد باشه شد شده شود می میشه هست هستم نیست نیستم "
    "کرد کردم دادم داد دارد"
)
_WORDS = _words(
    "و یا با به از در تا بر برای که این آن هر هم یک دو سه رو را می بی ولی اگر اما مثل مثلا چون پس نه یه بایک طبق بدون "
    "روز ماه سال هفته نوع گروه سطح میزان مقدار عدد درصد دوز قرص آمپول امپول کپسول شربت ویتامین داروی آزمایش ازمایش "
    "تست سونو عکس بیماری سندرم سندروم هورمون ویروس سلول سرطان عفونت درمان تشخیص علائم اشکال دلیل نرمال مثبت منفی "
    "است بود شد شده هست هستم دارم دارد داره دادم کرد کنم دستگاه روش عمل اندازه سایز گرید کیست تخمدان رحم قلب "
    "دکتر"
)


def persian_share(text: str) -> float:
    """Share of Arabic-script letters among all letters, 0 to 1; 1.0 for a text without letters."""
    letters = sum(map(len, _ANY_LETTERS.findall(text)))
    return sum(map(len, _PERSIAN_LETTERS.findall(text))) / letters if letters else 1.0


def foreign_script(text: str) -> str | None:
    """The first letter that is neither Arabic script, Latin nor Greek (units and symbols use Greek); None if none."""
    return next((match[0] for match in _STRANGE.finditer(text) if match[0].isalpha()), None)


def mixed_script_word(text: str) -> str | None:
    """The first word that changes between Arabic script and Latin in its middle (`موتورik`); None if none.

    A blank left out between two words is no defect; the module's docstring says how the two are told apart.
    """
    if not _SEAM.search(text):
        return None
    for match in _RUN.finditer(text):
        parts = _PART.findall(match[0])
        if not all(map(_only_a_blank_missing, parts, parts[1:])):
            return match[0]
    return None


def _only_a_blank_missing(first: str, second: str) -> bool:
    """Whether two neighbouring parts of a word, in different scripts, are words of their own."""
    if _is_latin(second):
        if len(first) == 1 and first != "و":
            return False
        if second[0].isupper() or second.lower() in _ABBREVIATIONS or _NO_VOWEL.fullmatch(second):
            return True
        return first in _WORDS or first.endswith(("ها", "های", "هایی"))
    if second in _ENDINGS or second in _WORDS:
        return True
    return len(second) > 1 and (
        first.isupper() or first.lower() in _ABBREVIATIONS or (len(first) <= 3 and first.isascii())
    )


def _is_latin(part: str) -> bool:
    return part[0] < "\u0600"
