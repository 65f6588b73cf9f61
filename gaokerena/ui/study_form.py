"""The still frame of the study's tab: the code, the two cards, the questions. Words in both languages, no values.

Names of the form's fields are read by `static/study.js`, which sends what `study_answers.made` takes: `grade`,
`SCALE-SIDE`, `faults-SIDE`, `step-SIDE`, `corrected`, `confidence`, `personal_data`. Right comes before left wherever
both stand, since a Persian reader reads that card first; stacked on a narrow screen, right is the upper one.

Not covered: what changes from item to item (`study`).
"""

from __future__ import annotations

from gaokerena.comparisons import Side
from gaokerena.expert_verdicts import FAULTS, SCALE_HIGH, SCALE_LOW, SCALES
from gaokerena.persian import persian_digits
from gaokerena.study_answers import CORRECTED_LIMIT, step_choices
from gaokerena.ui.strings import both, pair, switched

READING_ORDER: tuple[Side, Side] = ("right", "left")
CANNOT_JUDGE = "cannot_judge"
_CONFIDENCES = {"1": "study_low", "2": "study_middle", "3": "study_high"}


def frame() -> str:
    """The tab's HTML; `data-phase` of its section says what is seen of it: code, item or done."""
    return f"""
<section class="study" data-phase="code" aria-labelledby="study-title">
  <h2 id="study-title" tabindex="-1">{both("study_title")}</h2>
  <details class="study-guidelines"><summary>{both("study_guidelines")}</summary>
    <div class="blocks" dir="rtl" lang="fa"></div></details>
  {_door()}
  <div class="study-bar"><p class="study-progress" id="study-progress"></p>
    <progress max="1" value="0" aria-labelledby="study-progress"></progress>
    <button type="button" class="quiet study-leave">{both("study_leave")} · <bdi class="study-who"></bdi></button></div>
  <p class="study-message" role="status"></p>
  <div class="study-item">
    <p class="hint study-again">{both("study_again")}</p>
    <div class="study-question" tabindex="-1"></div>
    <div class="study-pair">{"".join(map(_card, READING_ORDER))}</div>
    {_form()}
  </div>
  <div class="study-error" role="alert"></div>
  <template class="study-no-reply"><p class="refusal">{both("study_no_reply")}</p></template>
  <p class="study-end">{both("study_all_done")}
    <button type="button" class="quiet study-back">{both("study_previous")}</button></p>
</section>"""


def step_chips(side: Side, steps: int) -> str:
    """The choices of the first wrong step of a chain of `steps` steps; none for an answer without one."""
    if not steps:
        return f'<span class="nothing">{both("thoughts_none")}</span>'
    numbers = list(step_choices(steps))
    shown = [number_words(number) for number in numbers[1:]]
    if steps >= len(step_choices(10**6)) - 1:
        shown[-1] = both("study_later_step", n=numbers[-2])
    chips = [_radio(f"step-{side}", str(number), words) for number, words in zip(numbers[1:], shown, strict=True)]
    return _radio(f"step-{side}", "0", both("study_no_step")) + "".join(chips)


def number_words(number: int) -> str:
    """HTML of a number, its digits by the page's language."""
    return pair(persian_digits(number), str(number))


def _door() -> str:
    return f"""<form class="study-door" novalidate>
    <p>{both("study_intro")}</p>
    <label for="study-code">{both("study_code")}</label>
    <div class="study-code-row"><input id="study-code" type="text" autocomplete="off" autocapitalize="off"
      spellcheck="false" maxlength="40" aria-describedby="study-code-hint">
    <button type="submit" class="primary">{both("study_begin")}</button></div>
    <p class="hint" id="study-code-hint">{both("study_code_hint")}</p>
  </form>"""


def _card(side: Side) -> str:
    return f"""<article class="card" data-side="{side}" data-phase="ended" aria-labelledby="study-name-{side}">
      <header class="card-head"><h3 id="study-name-{side}" class="card-name">{switched(side)}</h3></header>
      <div class="blocks answer-blocks" dir="rtl" lang="fa"></div>
      <div class="thoughts"><h4><button type="button" id="study-toggle-{side}" class="thoughts-toggle"
        aria-expanded="false" aria-controls="study-thoughts-{side}"><span class="chevron" aria-hidden="true"></span>
        {both("thoughts")}<span class="meta"></span></button></h4>
        <div id="study-thoughts-{side}" class="thoughts-body" role="region" aria-labelledby="study-toggle-{side}"
          tabindex="0" hidden><div class="blocks thoughts-blocks" dir="rtl" lang="fa"></div></div></div>
    </article>"""


def _form() -> str:
    sure = "".join(_radio("confidence", figure, both(key)) for figure, key in _CONFIDENCES.items())
    return f"""<form class="study-form" novalidate>
      <fieldset class="grades"><legend>{both("which")}</legend>{_grades()}</fieldset>
      <fieldset><legend>{both("study_confidence")}</legend><div class="chips">{sure}</div></fieldset>
      <div class="study-sides">{"".join(map(_side, READING_ORDER))}</div>
      <div class="study-corrected"><label for="study-corrected">{both("study_corrected")}</label>
        <textarea id="study-corrected" name="corrected" rows="4" dir="rtl" lang="fa"
          maxlength="{CORRECTED_LIMIT}"></textarea>
        <div class="chips">{"".join(map(_take, READING_ORDER))}</div></div>
      <label class="chip"><input type="checkbox" name="personal_data"><span>{both("study_personal_data")}</span></label>
      <div class="verdict-end"><button type="submit" class="primary" aria-keyshortcuts="Control+Enter">
        {both("study_submit")}</button>
        <button type="button" class="quiet study-back">{both("study_previous")}</button>
        <span class="hint">{both("study_draft")}</span></div>
    </form>"""


def _grades() -> str:
    five = [
        ("right_much", switched("much_better_right")),
        ("right", switched("better_right")),
        ("equal", both("tie")),
        ("left", switched("better_left")),
        ("left_much", switched("much_better_left")),
    ]
    rest = [("both_bad", both("both_bad")), (CANNOT_JUDGE, both("study_cannot_judge"))]
    rows = (f'<div class="{name}">{_radios("grade", row)}</div>' for name, row in (("five", five), ("rest", rest)))
    return "".join(rows)


def _side(side: Side) -> str:
    scales = "".join(
        f'<fieldset><legend>{both(f"study_{scale}")}</legend><div class="chips">'
        + _radios(f"{scale}-{side}", [(str(n), both(f"study_{scale}_{n}")) for n in range(SCALE_LOW, SCALE_HIGH + 1)])
        + "</div></fieldset>"
        for scale in SCALES
    )
    faults = "".join(_box(f"faults-{side}", fault, both(f"study_{fault}")) for fault in FAULTS)
    return f"""<div class="study-side" role="group" aria-labelledby="study-side-{side}">
        <h3 id="study-side-{side}">{switched(side)}</h3>{scales}
        <fieldset><legend>{both("study_step")}</legend>
          <div class="chips study-steps" data-side="{side}"></div></fieldset>
        <fieldset><legend>{both("study_faults")}</legend><div class="chips">{faults}</div></fieldset></div>"""


def _take(side: Side) -> str:
    return (
        f'<button type="button" class="chip-button study-take" data-side="{side}">'
        f"{both('study_take')} {switched(side)}</button>"
    )


def _radios(name: str, choices: list[tuple[str, str]]) -> str:
    return "".join(_radio(name, value, words) for value, words in choices)


def _radio(name: str, value: str, words: str) -> str:
    return f'<label class="chip"><input type="radio" name="{name}" value="{value}"><span>{words}</span></label>'


def _box(name: str, value: str, words: str) -> str:
    return f'<label class="chip"><input type="checkbox" name="{name}" value="{value}"><span>{words}</span></label>'
