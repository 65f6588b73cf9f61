"""Whether the form of a model's text is fit for a pair: whole, one turn, Persian, no loop, no mark-up of a chat.

    text = cleaned(call.reply)
    fault = form_fault(text, call.end)          # None, or a key of the prompts' `reasons`

Not covered: what the text says (`texts`, `traces`).
"""

from __future__ import annotations

import re

from gaokerena.letters import PERSIAN
from gaokerena.persian import normalize_for_key, tidy
from gaokerena.prompts import first_turn, inert
from gaokerena.thinking_tags import Tag, TagScanner
from training.documents import defect

_ENDS = re.compile(
    r"[.!?؟…](?:[\s*_»\"'”’)\]]*)\Z"
    r"|(?:\A|\n)\W*(?:(?:پاسخ|جواب|گزینه|نتیجه)[^\n]{0,40}?)?\W[A-D](?![A-Za-z0-9])[^\n]{0,100}\Z"
)
"""A sentence that ends, or a last line that names an option («پاسخ: [B] هپارین»)."""
_MARKUP = re.compile(
    r"</?[A-Za-z][\w-]*(?:\s[^<>\n]*)?/?>|<[|｜]|[|｜]>|[◁▷]|```"
    r"|^\W*(?:assistant|user|system|model|human|دستیار|کاربر)\s*(?::|$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Tags, tokens of a template nobody knows here, fences of code, a line that says who speaks."""


def cleaned(reply: str) -> str:
    """A reply as it may stand in a pair: tidy, its first turn alone, without template tokens or a thought in tags."""
    return tidy(inert(first_turn(_without_thought(reply))))


def _without_thought(reply: str) -> str:
    scanner = TagScanner()
    said: list[str] = []
    thinking = False
    for piece in [*scanner.feed(reply), *scanner.finish()]:
        if isinstance(piece, Tag):
            said = [] if piece is Tag.CLOSE and not thinking else said  # the opening tag stood in the template
            thinking = piece is Tag.OPEN
        elif not thinking:
            said.append(piece)
    return "".join(said)


def form_fault(text: str, ended: str) -> str | None:
    """What is wrong with the form of any text of a model: mark-up, cut off, not Persian, a loop, broken words."""
    if not text:
        return "empty"
    if _MARKUP.search(text):
        return "markup"
    if ended != "stop" or not _ENDS.search(text):
        return "cut_off"
    if english(text) or neighbour(text):
        return "not_persian"
    return "repeats" if repeats(text) else defect(text)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_PERSIAN = re.compile(rf"[^{PERSIAN}\n]+")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_LONG, _SENTENCE_OF = 8, 4
_ENGLISH = _words(
    "the is are was were be been it this that these he she they we you has have had can could may should will would "
    "not because so therefore which who with for from but if then than"
)


def english(text: str) -> bool:
    """Whether a passage of another language stands in `text`: eight Latin words in a row, or four with English grammar.

    Names have no grammar: of four to seven words two must be English ones that only a sentence needs.
    """
    runs = [_LATIN_WORD.findall(run) for run in _NO_PERSIAN.findall(text)]
    grammar = [sum(word.lower() in _ENGLISH for word in run) for run in runs]
    return any(
        len(run) >= _LONG or (len(run) >= _SENTENCE_OF and own >= 2) for run, own in zip(runs, grammar, strict=True)
    )


_STRANGE = re.compile("[ٹڈڑںےۓێۆڵڕڤۇۋټډړږښڼۍې]")
"""Letters of Urdu, Kurdish and Pashto; those that Persian typists use for their own are gone after `tidy`."""
_WORD = re.compile(f"[{PERSIAN}]+")
_ARABIC = _words(
    "فی هذا هذه التی الذی الذین لأن أن إن أنه إنه إلی ذلک لذلک هی هو کان کانت یکون لیس أو وهو وهی یجب عند "
    "حیث عن لا لم لن قد"
)
_ARABIC_SHAPE = re.compile(r"\w+ة|\w*إ\w*|أ\w+")
_PERSIAN_ONLY = _words("که از به در را این آن می است برای با هم نیز یا اگر شود شده دارد باشد ها های یک")
_CLAUSE = 5


def neighbour(text: str) -> bool:
    """Whether `text` is in a language that shares Persian's letters: letters of its own, or a sentence in Arabic.

    An Arabic sentence has five words or more, none that only Persian has, and two that only Arabic has.
    """
    if _STRANGE.search(text):
        return True
    for sentence in _SENTENCE.split(text):
        words = _WORD.findall(sentence)
        if len(words) >= _CLAUSE and not _PERSIAN_ONLY.intersection(words):
            arabic = sum(word in _ARABIC or bool(_ARABIC_SHAPE.fullmatch(word)) for word in words)
            if arabic >= 2:
                return True
    return False


_SENTENCE = re.compile(r"[.؟?!\n]+")
_LOOPS = tuple(
    re.compile(rf"(?<!\S)(\S+(?: \S+){{{words - 1}}})(?: \1){{{times - 1},}}(?!\S)")
    for words, times in ((1, 4), (2, 3), *((words, 3) for words in range(3, 13)))
)
"""A word four times in a row; two to twelve words three times."""


def repeats(text: str) -> bool:
    """Whether a model runs in a circle: a sentence of five words stands there twice, or words go round inside one."""
    keys = [normalize_for_key(sentence) for sentence in _SENTENCE.split(text)]
    long = [key for key in keys if len(key.split()) >= _CLAUSE]
    if len(set(long)) < len(long):
        return True
    return any(loop.search(key) for key in keys for loop in _LOOPS)
