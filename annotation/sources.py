"""All sources of one push, read when they are needed.

Sources(store=Path("runs/votes.sqlite3"), seed=1).gather().candidates
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from annotation.candidates import Found


@dataclass(frozen=True)
class Sources:
    """Files to read; `models` are the two of the transcripts that are compared."""

    store: Path | None = None
    transcripts: Path | None = None
    models: tuple[str, str] = ("gaokerena-v1.0", "gaokerena-r1.0")
    candidates: Path | None = None
    seed: int = 1

    def gather(self) -> Found:
        """Everything the files hold. Raises StoreError, TranscriptsError, SourceError, FileNotFoundError."""
        found = Found()
        if self.store:
            from annotation.sources_store import from_store

            found.extend(from_store(self.store))
        if self.transcripts:
            from annotation.sources_transcripts import from_transcripts

            found.extend(from_transcripts(self.transcripts, *self.models, seed=self.seed))
        if self.candidates:
            from annotation.sources_candidates import from_candidates

            found.extend(from_candidates(self.candidates))
        return found
