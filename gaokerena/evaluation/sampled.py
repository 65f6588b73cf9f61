"""Five sampled answers to each question, as a live run left them, and what they agree on.

    for answers in sampled_in(Path("runs/eval"), of="r"):
        answers.questions["anatomy", 3]              # five transcripts, run 1 first

Not covered: other counts than five, free-form questions, published recordings (`evaluate transcripts`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gaokerena.evaluation.run import stem
from gaokerena.evaluation.run_file import RunFile
from gaokerena.evaluation.run_rows import RunError
from gaokerena.questions import Letter
from gaokerena.transcripts import Transcript, TranscriptsError, read

OF, MAJORITY = 5, 3


@dataclass(frozen=True)
class Sampled:
    """Five answers to each question, run 1 first, by one model under one prompting."""

    path: Path
    questions: dict[tuple[str, int], tuple[Transcript, ...]]

    @staticmethod
    def read(path: Path) -> Sampled | None:
        """The file's answers; None where it holds no five samples to questions with options. Raises RunError."""
        found: dict[tuple[str, int], dict[int, Transcript]] = defaultdict(dict)
        try:
            for row in read(path):
                if row.options:
                    found[row.subject, row.question_index][row.run] = row
        except TranscriptsError as error:
            raise RunError(str(error)) from error
        most = max((max(runs) for runs in found.values()), default=0)
        if most != OF:
            return None
        short = [place for place, runs in found.items() if len(runs) != OF]
        if short:
            raise RunError(
                f"{path}: {len(short)} questions have fewer than {OF} answers (subject {short[0][0]!r}, question "
                f"{short[0][1]}); let evaluate run finish first"
            )
        return Sampled(path, {place: tuple(found[place][run] for run in range(1, OF + 1)) for place in sorted(found)})

    @property
    def first(self) -> Transcript:
        return next(iter(self.questions.values()))[0]

    @property
    def stem(self) -> str:
        return stem(self.first.suite, self.first.model, self.first.prompting)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the questions and answers."""
        said = [[place, [row.response for row in rows]] for place, rows in self.questions.items()]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def self_consistent(choices: Sequence[Letter | None]) -> Letter | None:
    """The option that at least three of five answers choose."""
    letter, count = Counter(choice for choice in choices if choice).most_common(1)[0] if any(choices) else (None, 0)
    return letter if count >= MAJORITY else None


def sampled_in(folder: Path, of: str | None) -> list[Sampled]:
    """The five-sample files of a run's folder, of model `of` alone when it is named. Raises RunError without any."""
    files = sorted((folder / "transcripts").glob("*.jsonl"))
    found = [sampled for path in files if (sampled := Sampled.read(path)) and of in (None, sampled.first.model)]
    for sampled in found:
        run = RunFile(folder / "runs" / f"{sampled.path.stem}.json")
        if run.content and not (run.content.get("outcome") or {}).get("complete"):
            raise RunError(f"{sampled.path} is not finished, says {run.path}; let evaluate run finish first")
    if not found:
        whose = f" of the model {of}" if of else ""
        raise RunError(
            f"{folder / 'transcripts'}: no transcripts{whose} with {OF} answers to each question; make them with: "
            f"python -m gaokerena evaluate run --prompting cot --samples {OF} --out {folder}"
        )
    return found
