"""Whether a model's text may become the chosen side of a pair, and if not, why (a key of the prompts' `reasons`).

    fault = chain_fault(cleaned(call.reply), ended=call.end, task=task, beside=rejected)      # None: it may

A chain of thought must be whole and Persian (`form`), in the usual letter case, stand for itself (`traces`), and end at
the key by the option reader. The checks are strict on purpose: a good
text that is refused costs a call, a bad one that is taken is trained on.

Not covered: whether what it says is true.
"""

from __future__ import annotations

import re

from gaokerena.options import read_option
from gaokerena.persian import normalize_for_key
from training.casing import Casing
from training.rlaif.form import form_fault
from training.rlaif.questions import Task
from training.rlaif.traces import reveals


def chain_fault(text: str, ended: str, task: Task, beside: str) -> str | None:
    """Why `text` must not be the chosen answer to `task` over the text `beside`; None when it may."""
    if fault := form_fault(text, ended):
        return fault
    if lower_cased(text, (task.question.text, *task.question.options, task.explanation, beside)):
        return "lower_cased"
    if reveals(text, task):
        return "reveals"
    return key_fault(text, task)


def key_fault(text: str, task: Task) -> str | None:
    """Why `text` does not end at the key; None when it does."""
    options = task.question.options
    reading = read_option(text, options, question=task.question.text)
    if reading.choice is None:
        return "no_option"
    if reading.choice != task.gold:
        return "misses_key"
    said = f" {normalize_for_key(reading.quote)} "
    named = [f" {normalize_for_key(option)} " in said for option in options]
    own = named["ABCD".index(task.gold)]
    return "contradicts" if any(named) and not own else None


_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*")
_LOWER_OPTION = re.compile(r"(?:گزینه|پاسخ|جواب)[ٔ‌ی\s«\[(\"'*]{0,6}[a-d](?![A-Za-z0-9])|[\[(][a-d][\])]")
_NO_VOWEL = re.compile(r"[b-df-hj-np-tv-xz]{2,5}\d?")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = _words(
    "mg ml kg cm mm dl hr hrs mcg ng pg mmhg mmol mol vs bpm cc gr km nm pm th nd rd st pp ppm by dr sp spp ssp"
)
_ACRONYMS = _words(
    "aids hiv dna rna mrna trna mri ct ecg ekg eeg emg icu nicu ivf iud acth tsh adh gh igg igm iga ige ana copd ards "
    "dic ttp itp hus aml cml cll nsaid nsaids ssri ssris tca maoi bcg opv ipv dpt mmr hpv ebv cmv hsv atp adp gaba ach "
    "bmi gfr esr crp ldl hdl vldl pcos gerd ercp"
)
_MANY = 6


def lower_cased(text: str, beside: tuple[str, ...]) -> bool:
    """Whether Latin in `text` lost its capitals: the cue that told the published pairs' sides apart.

    An option's letter, an acronym, or a word that the texts `beside` write with a capital stands in lower case; or many
    Latin words and no capital at all.
    """
    if _LOWER_OPTION.search(text):
        return True
    words = _WORD.findall(text)
    lower = {word for word in words if word.islower()}
    if any(word in _ACRONYMS or (_NO_VOWEL.fullmatch(word) and word not in _UNITS) for word in lower):
        return True
    usual = Casing.learn(beside, least=1)
    if any(usual.restore(word) != word for word in lower if len(word) > 1):
        return True
    return len(words) >= _MANY and len(lower) == len(words)
