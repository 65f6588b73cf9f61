"""Items for the page's tests: invented cases, an ordinary one and a hostile one."""

from __future__ import annotations

from annotation.items import Item, Shown
from gaokerena.questions import Question
from gaokerena.reasoning import split

QUESTION = Question(
    text="مرد ۵۴ ساله با درد قفسهٔ سینه از ۲ ساعت پیش، فشار خون ۹۰/۶۰ mmHg و ST elevation در II و aVF. "
    "نخستین اقدام کدام است؟",
    options=("Furosemide 40 mg وریدی", "مایع وریدی", "Nitroglycerin زیرزبانی", "Metoprolol وریدی"),
    gold="B",
    suite="mmlu_fa",
    subject="clinical_knowledge",
)
REASONED = """برای پاسخ به این پرسش گام‌به‌گام پیش می‌رویم.

۱. **یافته‌ها:** بیمار ۵۴ ساله است و `ECG` او ST elevation دارد؛ فشار خون ۹۰/۶۰ mmHg است.
۲. **تشخیص:** این الگو با Inferior STEMI سازگار است.
   - شریان مسئول معمولاً RCA است.
۳. **درمان:** در درگیری بطن راست Nitroglycerin 0.4 mg فشار را می‌اندازد؛ نخست مایع وریدی.

بنابراین گزینهٔ درست «ب) مایع وریدی» است."""
STRAIGHT = """گزینهٔ درست **ج** است: Nitroglycerin زیرزبانی درد را کم می‌کند.

## چرا
- درد قفسهٔ سینه با نیترات آرام می‌شود.
- مورفین هم می‌توان داد: `Morphine 2-4 mg IV`."""
MODELS = ("zardalu-reasoner", "zardalu-straight")
HOSTILE = (
    "</script><script>parent.hacked=1</script><img src=x onerror='parent.hacked=2'> $& $$ $` $' List<int> "
    "a<b &amp; {{7*7}} ${1} #TEMPLATE# \u202eپنهان\u202c \u2066x\u2069 \x00 \x1b[0m <!-- پایان"
)
LONE = " تنها \ud800 ماند"
"""A lone surrogate: models' tokenizers make them, pydantic refuses them, so it goes round the item's checks."""
LONG = "خط بلند دربارهٔ Metformin 500 mg. " * 5_900
"""200 kB of UTF-16."""


def shown(model: str, text: str) -> Shown:
    """`text` split as the page's store splits it."""
    parts = split(text)
    return Shown(model=model, text=text, reasoning=parts.reasoning, steps=parts.steps, conclusion=parts.conclusion)


def plain(model: str, text: str) -> Shown:
    """`text` as one conclusion, whatever it holds."""
    return Shown.model_construct(
        model=model, revision="", text=text, reasoning="", steps=(), conclusion=text, choice=None
    )


def item(name: str = "i1", left: Shown | None = None, right: Shown | None = None) -> Item:
    """A reasoned answer on the right, a straight one on the left, unless told otherwise."""
    sides = {"left": left or shown(MODELS[1], STRAIGHT), "right": right or shown(MODELS[0], REASONED)}
    return Item.model_construct(
        schema_version=1, id=name, kind="comparison", origin="transcripts", at="", question=QUESTION, sides=sides,
        seed=7, reasons=("disagreement",), twin=None, gold=None, comparison_id=None, pair_id=None, red_flags=(),
    )  # fmt: skip
