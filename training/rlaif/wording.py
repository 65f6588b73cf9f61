"""What teacher, student and judge are told: versioned files of Persian text in `prompts/`, each known by its hash.

    wording = load("a.v3")
    wording.say("retry", reason="…")            # a text with its places filled
    wording.provenance                          # {"version": "a.v3", "sha256": "…"}, for every row made with it

A file is never changed once rows were made with it; another wording is another file, and git keeps the old one. What
others wrote stands between fences whose mark follows from the text itself: it can neither close its own fence nor carry
a template's tokens.

Not covered: the question's own wording, which is `gaokerena.prompts` and has a version of its own.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gaokerena.persian import tidy
from gaokerena.prompts import inert
from gaokerena.questions import LETTERS, Question
from training.errors import TrainingError

FOLDER = Path(__file__).parent / "prompts"
CURRENT: Mapping[str, str] = {"a": "a.v3", "b": "b.v3", "judge": "judge.v3"}
"""The version each method uses."""
_EMPTY = "(چیزی ننوشته است.)"


@dataclass(frozen=True)
class Wording:
    """One version: its texts by name, the reasons a reply is sent back with, the SHA-256 of the file."""

    version: str
    sha256: str
    texts: Mapping[str, str]
    reasons: Mapping[str, str]

    def say(self, text: str, **places: str) -> str:
        """The text of that name with its places filled; what is put in is never itself searched for places."""
        return self.texts[text].strip("\n").format(**places)

    def reason(self, fault: str, **places: str) -> str:
        """What a teacher is told about a fault."""
        return self.reasons[fault].format(**places)

    @property
    def provenance(self) -> dict[str, str]:
        return {"version": self.version, "sha256": self.sha256}


@cache
def load(version: str, folder: Path = FOLDER) -> Wording:
    """The wording of that version. Raises TrainingError when there is none."""
    path = folder / f"{version}.toml"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        there = ", ".join(sorted(found.stem for found in folder.glob("*.toml")))
        raise TrainingError(f"no prompts {version!r} in {folder}; there are {there}") from None
    said = tomllib.loads(data.decode())
    if said["version"] != version:
        raise TrainingError(f"{path} says version {said['version']!r}; name the file after its version")
    texts = {name: text for name, text in said.items() if isinstance(text, str)}
    return Wording(version, hashlib.sha256(data).hexdigest(), texts, said.get("reasons", {}))


def fenced(title: str, text: str) -> str:
    """`text` between two lines that say where it begins and ends; nothing inside can imitate them."""
    clean = inert(tidy(text)).strip() or _EMPTY
    mark = hashlib.sha256(clean.encode()).hexdigest()[:6]
    return f"--- آغاز {title} {mark} ---\n{clean}\n--- پایان {title} {mark} ---"


def shown(question: Question) -> str:
    """A question and its options as a teacher sees them."""
    lines = [f"پرسش: {inert(tidy(question.text))}"]
    lines += [f"[{letter}] {inert(tidy(option))}" for letter, option in zip(LETTERS, question.options, strict=False)]
    return "\n".join(lines)
