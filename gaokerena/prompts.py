"""What a model is shown: a question as chat messages, straight or with a chain of thought.

The wording is this project's own. Published transcripts carry the prompts they were made with in their `prompt`
column; a run that must match them reads them from there.

User text never carries a chat template's tokens: `inert` takes them out before anything is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gaokerena.messages import Message
from gaokerena.persian import tidy
from gaokerena.questions import LETTERS, Prompting, Question

VERSION = "2026-11-21"
"""Changes with every change of wording; recorded runs carry it."""

STRAIGHT_CHOICE = "گزینهٔ درست را نام ببرید و کوتاه توضیح دهید."
COT_FREE = "گام به گام فکر کنید، زنجیرهٔ فکر خود را بنویسید و در پایان در یک جمله نتیجه بگیرید."
COT_CHOICE = "گام به گام فکر کنید، زنجیرهٔ فکر خود را کامل بنویسید و در پایان تنها یک گزینه را انتخاب کنید."

_TEMPLATE_TOKEN = re.compile(
    r"<\|[^<>|\n]{1,40}\|>|</?(?:BOS_TOKEN|EOS_TOKEN|PAD|UNK|CLS|SEP|MASK_TOKEN|EOP_TOKEN|s|bos|eos|pad|unk)>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)

_PEELS = 20
_NO_BRACKETS = str.maketrans("", "", "<>[]")


def inert(text: str) -> str:
    """`text` without chat-template tokens, also those that appear once an inner one is gone.

    Nested deeper than anybody types by accident, all brackets go: peeling on would take quadratic time.
    """
    for _ in range(_PEELS):
        cleaned = _TEMPLATE_TOKEN.sub("", text)
        if cleaned == text:
            return text
        text = cleaned
    return text.translate(_NO_BRACKETS) if _TEMPLATE_TOKEN.search(text) else text


def first_turn(text: str) -> str:
    """`text` until the first template token behind any words: what follows is no longer what the model was asked for.

    Tokens before the words stay, for `inert`; a model whose server knows no end runs on into the next turn.
    """
    for token in _TEMPLATE_TOKEN.finditer(text):
        if inert(text[: token.start()]).strip():
            return text[: token.start()]
    return text


def user_text(question: Question, prompting: Prompting) -> str:
    """The user turn that asks `question` with `prompting`."""
    lines = [inert(tidy(question.text))]
    if question.options:
        lines += [""] + [
            f"[{letter}] {inert(tidy(option))}" for letter, option in zip(LETTERS, question.options, strict=True)
        ]
    if prompting == "cot":
        lines += ["", COT_CHOICE if question.options else COT_FREE]
    elif question.options:
        lines += ["", STRAIGHT_CHOICE]
    return "\n".join(lines)


def messages(question: Question, prompting: Prompting, history: Sequence[Message] = ()) -> tuple[Message, ...]:
    """The conversation that ends with `question`; `history` holds the earlier turns, oldest first."""
    earlier = [Message(turn.role, inert(turn.content)) for turn in history]
    return (*earlier, Message("user", user_text(question, prompting)))


def asked(text: str) -> tuple[str, tuple[str, ...]]:
    """What `user_text` made `text` from: the question and its options. Another wording comes back whole, no options."""
    for wording in (COT_CHOICE, COT_FREE, STRAIGHT_CHOICE):
        if text.endswith("\n\n" + wording):
            text = text.removesuffix("\n\n" + wording)
            break
    rest, options = text, []
    for letter in reversed(LETTERS):
        rest, mark, option = rest.rpartition(f"\n[{letter}] ")
        if not mark:
            return text, ()
        options.append(option)
    return rest.removesuffix("\n"), tuple(reversed(options))
