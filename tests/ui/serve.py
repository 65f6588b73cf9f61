"""The real page on an engine whose answers a test picks by a word in the question.

    python tests/ui/serve.py PORT STORE_FILE [LANGUAGE]

Words: «#تند» both at once; «#چپ‌تند» left at once, right in 5 s; «#کند» both in 30 s; «#نفوذ» hostile answers; «#خطا»
the left side fails; «#خاموش» the left side says nothing; «#دراز» a long answer; «#صف» a queue first. Otherwise V in
0.6 s and R, thinking, in 1.2 s.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[2]))

from gaokerena.engines.base import Event, Queued, Request, Sampling, Stop
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.store import Store
from gaokerena.ui.page import build_page, launch_options

THOUGHT = "۱. نخست شرح حال را می‌خوانم.\n۲. سپس علت‌های شایع را می‌سنجم.\n۳. نشانه‌های خطر را جدا می‌کنم.\n"
CONCLUSION = "بنابراین استراحت، مایعات و Acetaminophen 500 mg کافی است.\n\nاگر تب ماند، به پزشک مراجعه کنید."
STRAIGHT = "مایعات فراوان بنوشید و **استراحت** کنید.\n\n- دمای بدن را اندازه بگیرید.\n- اگر بدتر شد به پزشک بروید."
HOSTILE = (
    "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'> <|END_OF_TURN_TOKEN|> "
    "[پیوند](javascript:window.pwned=1) ![](http://192.0.2.1/x.png) http://192.0.2.1/ "
    "\u202eوارونه\u202c {{value}} ${1+1}"
)


@dataclass(frozen=True)
class Model:
    """A model of the test's preset."""

    name: str
    label: str
    prompting: str
    sampling: Sampling = field(default_factory=Sampling)


def script(request: Request, row: int) -> Script:
    """What row 0 (left) or 1 (right) says to this question."""
    asked = request.messages[-1].content
    cot = request.prompting == "cot"
    said, thought = (CONCLUSION, THOUGHT) if cot else (STRAIGHT, "")
    if "[A]" in asked:
        said += "\n\nپس گزینهٔ [B] درست است."
    if "#چپ‌تند" in asked:
        return Script(said, thought, seconds=5.0 * row)
    if "#تند" in asked:
        return Script(said, thought)
    if "#کند" in asked:
        return Script(" ".join([said] * 10), thought, seconds=30)
    if "#نفوذ" in asked:
        return Script(HOSTILE, HOSTILE if cot else "")
    if "#خطا" in asked and row == 0:
        return Script(said, thought, error="حافظهٔ دستگاه پر شد. پرسش را کوتاه‌تر کنید.")
    if "#خاموش" in asked and row == 0:
        return Script("")
    if "#دراز" in asked:
        return Script("\n\n".join(f"بند {number}: {said}" for number in range(60)), thought, seconds=6)
    return Script(said, thought, seconds=1.2 if cot else 0.6)


class ScriptedEngine(EchoEngine):
    """`EchoEngine` that knows which row it plays, and queues first when asked to."""

    def __init__(self) -> None:
        rows = {f"{model}@{row}": (lambda request, row=row: script(request, row)) for model in "vr" for row in (0, 1)}
        super().__init__(rows)

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        if "#صف" in requests[0].messages[-1].content:
            yield from ((row, Queued(2)) for row in range(len(requests)))
            time.sleep(1.5)
        yield from super().stream([replace(r, model=f"{r.model}@{row}") for row, r in enumerate(requests)], stop)


def main(port: int, store: Path, language: str) -> None:
    models = {"v": Model("v", "gaokerena-v1.0", "straight"), "r": Model("r", "gaokerena-r1.0", "cot")}
    notes = {"note_fa": "نمایشی است.", "note_en": "A demo."}
    preset = SimpleNamespace(name="echo", engine=ScriptedEngine(), models=models, **notes)
    beside = {"outbox": None, "study": None, "study_out": None}
    settings = SimpleNamespace(language=language, data=None, seed=0, max_question_chars=4000, **beside)
    page = build_page(settings, preset, Store(store))
    page.launch(server_name="127.0.0.1", server_port=port, quiet=True, **launch_options(language))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "fa")
