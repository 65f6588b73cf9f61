"""The durable record of comparisons, answers and verdicts: one SQLite file.

    with Store(Path("gaokerena.sqlite3")) as store:
        store.add_comparison(comparison)            # before any answer is shown: the seating is on record
        store.add_answer(comparison.id, "left", answer)
        store.add_verdict(verdict)                  # on the disk when it returns
        store.export_jsonl(Path("verdicts.jsonl"))

Safe from several threads and processes. Nothing is overwritten: an answer given again is one more attempt, and a second
verdict of one session on one comparison is one more row that replaces the first (the newest is the current one).

Privacy: every text is scrubbed of personal identifiers and of bidi marks. Without consent no text of question or answer
is kept, only ids, models, seating, token counts and verdicts. No network address is ever stored: `session` is a salted
hash its caller made. `purge` takes out the texts of old comparisons and leaves verdicts and counts as they were.

Not covered: what a verdict is worth (`statistics`), backups.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from gaokerena.answers import Answer
from gaokerena.comparisons import SIDES, Comparison, Judge, Side, Verdict, now
from gaokerena.files import atomic
from gaokerena.store_file import WAIT_SECONDS, StoreError, connect, empty_wal, explained, open_file, refuse_own
from gaokerena.store_rows import (
    WORDS,
    Attempt,
    Kept,
    ModelTally,
    Tally,
    Vote,
    as_utc,
    exported,
    kept,
    refuse_address,
    scrubbed,
)
from gaokerena.store_rows import tally as tally_of
from gaokerena.store_rows import vote as vote_of

__all__ = ["Attempt", "Kept", "ModelTally", "Store", "StoreError", "Tally", "Vote"]


class Store:
    """See the module. Raises StoreError where the file cannot be used, ValueError for a row that cannot be stored."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._writer = open_file(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; waits for a write in progress."""
        with self._lock:
            self._writer.close()

    def add_comparison(self, comparison: Comparison) -> None:
        """Keep the question (with consent), the seating, and the answers the comparison already carries."""
        refuse_address(comparison.session)
        question = scrubbed(comparison.question.model_dump(mode="json")) if comparison.consent else None
        row = (
            comparison.id, as_utc(comparison.at), comparison.question.id, comparison.question.suite,
            comparison.question.subject, comparison.left, comparison.right, comparison.seed, comparison.follows,
            comparison.blind, comparison.consent, comparison.session, comparison.preset, question,
        )  # fmt: skip
        with self._write() as db:
            if db.execute("SELECT 1 FROM comparisons WHERE id = ?", (comparison.id,)).fetchone():
                raise ValueError(f"comparison {comparison.id!r} is already in {self.path}; give each one its own id")
            db.execute(f"INSERT INTO comparisons VALUES ({', '.join('?' * len(row))})", row)
            for side, answer in comparison.answers.items():
                self._add_answer(db, comparison.id, side, answer)

    def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> None:
        """Keep one answer, whole or stopped halfway. An earlier one of that side stays, as an earlier attempt."""
        with self._write() as db:
            self._add_answer(db, comparison_id, side, answer)

    def add_verdict(self, verdict: Verdict, answers: Mapping[Side, Answer] | None = None) -> None:
        """Keep one verdict; it has reached the disk on return. A verdict on a comparison that was not blind is not.

        `answers` is what the judge saw: an answer not yet kept whole is kept, with the verdict or not at all.
        """
        refuse_address(verdict.session)
        with self._write() as db:
            for side, answer in (answers or {}).items():
                if not self._has_whole(db, verdict.comparison_id, side):
                    self._add_answer(db, verdict.comparison_id, side, answer)
            seen = self._comparison(db, verdict.comparison_id)
            final = verdict.model_copy(
                update={"at": as_utc(verdict.at), "blind": verdict.blind and bool(seen["blind"])}
            )
            if db.execute("SELECT 1 FROM verdicts WHERE id = ?", (final.id,)).fetchone():
                raise ValueError(f"verdict {final.id!r} is already in {self.path}; a new judgement needs a new id")
            row = (final.id, final.comparison_id, final.session, final.judge, final.choice, final.blind, now())
            db.execute(
                "INSERT INTO verdicts (id, comparison_id, session, judge, choice, blind, stored_at, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, final.model_dump_json()),
            )

    def purge(self, before: str) -> int:
        """Take the texts out of comparisons asked before that ISO time, for good; return how many had any.

        Verdicts, seating, models, choices, token counts and so every tally stay. On return the bytes are overwritten
        on the disk. Raises StoreError where a reader still holds them there: purge again once it has ended.
        """
        moment = as_utc(before)
        old = "SELECT id FROM comparisons WHERE at < ?"
        with self._write() as db:
            had = (
                f"{old} AND (question IS NOT NULL OR id IN (SELECT comparison_id FROM answers WHERE words IS NOT NULL))"
            )
            count = len(db.execute(had, (moment,)).fetchall())
            db.execute("UPDATE comparisons SET question = NULL WHERE at < ?", (moment,))
            db.execute(f"UPDATE answers SET words = NULL WHERE comparison_id IN ({old})", (moment,))
        empty_wal(self.path, WAIT_SECONDS)
        return count

    def comparison(self, comparison_id: str) -> Kept | None:
        """One comparison with all its answers, or None."""
        with self._read() as db:
            row = db.execute("SELECT * FROM comparisons WHERE id = ?", (comparison_id,)).fetchone()
            return kept(db, row) if row else None

    def comparisons(self) -> Iterator[Kept]:
        """Every comparison, oldest first, as they stood when the first was read."""
        with self._read() as db:
            for row in db.execute("SELECT * FROM comparisons ORDER BY at, id"):
                yield kept(db, row)

    def verdicts(self) -> Iterator[Verdict]:
        """The whole record, replaced verdicts included, in the order they were stored."""
        with self._read() as db:
            for row in db.execute("SELECT body FROM verdicts ORDER BY number"):
                yield Verdict.model_validate_json(row["body"])

    def current_verdicts(self) -> Iterator[Verdict]:
        """The newest verdict of each session on each comparison, in the order they were stored."""
        with self._read() as db:
            for row in db.execute("SELECT body FROM current_verdicts ORDER BY number"):
                yield Verdict.model_validate_json(row["body"])

    def votes(self, judge: Judge | None = None) -> list[Vote]:
        """Each session's newest blind verdict on a comparison of two models, in the order they were stored.

        Of one kind of judge or of all. Where a session never judged blind, its newest verdict stands, marked so. What
        a session said once it knew the seating does not undo what it said before. A comparison of a model with
        itself is left out: it says nothing about models.
        """
        same = "FROM verdicts WHERE comparison_id = v.comparison_id AND session = v.session"
        query = (
            "SELECT v.session, v.choice, v.blind, c.left_model AS left, c.right_model AS right,"
            f" EXISTS (SELECT 1 {same} AND number > v.number AND choice <> v.choice) AS changed"
            " FROM verdicts AS v JOIN comparisons AS c ON c.id = v.comparison_id"
            f" WHERE v.number = (SELECT number {same} ORDER BY blind DESC, number DESC LIMIT 1)"
            " AND c.left_model <> c.right_model AND v.judge = coalesce(?, v.judge) ORDER BY v.number"
        )
        with self._read() as db:
            return [vote_of(row) for row in db.execute(query, (judge,))]

    def tally(self, judge: Judge | None = None) -> Tally:
        """Wins, losses and ties by model, of `votes`."""
        return tally_of(self.votes(judge))

    def export_jsonl(self, path: Path) -> int:
        """Write every verdict, one a line, whole or not at all; return their count.

        A line is the verdict's fields (`schema_version` first), `number` (order of storing), `current`, and
        `comparison`: ids, seating, models, question and the two answers judged, with texts where they are kept.
        Raises StoreError where `path` is the store itself.
        """
        refuse_own(self.path, path)
        count = 0
        with self._read() as db, atomic(path) as half, half.open("w", encoding="utf-8") as file:
            current = {row["number"] for row in db.execute("SELECT number FROM current_verdicts")}
            for row in db.execute("SELECT * FROM verdicts ORDER BY number"):
                file.write(json.dumps(exported(db, row, row["number"] in current), ensure_ascii=False) + "\n")
                count += 1
        return count

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on the disk when the block ends."""
        with self._lock, explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own that sees one moment, so that a long reading stops no writer."""
        with explained(self.path):
            connection = connect(self.path)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def _comparison(self, db: sqlite3.Connection, comparison_id: str) -> sqlite3.Row:
        row: sqlite3.Row | None = db.execute("SELECT * FROM comparisons WHERE id = ?", (comparison_id,)).fetchone()
        if row is None:
            raise ValueError(f"no comparison {comparison_id!r} in {self.path}; call add_comparison first")
        return row

    def _has_whole(self, db: sqlite3.Connection, comparison_id: str, side: Side) -> bool:
        """Whether an answer of `side` that has ended is kept."""
        query = "SELECT facts FROM answers WHERE comparison_id = ? AND side = ?"
        rows = db.execute(query, (comparison_id, side)).fetchall()
        return any(json.loads(row["facts"])["finish_reason"] != "unfinished" for row in rows)

    def _add_answer(self, db: sqlite3.Connection, comparison_id: str, side: Side, answer: Answer) -> None:
        row = self._comparison(db, comparison_id)
        if side not in SIDES:
            raise ValueError(f"side {side!r} is neither left nor right")
        if answer.model != row[f"{side}_model"]:
            seated = row[f"{side}_model"]
            raise ValueError(f"an answer of {answer.model!r} on the {side} of {comparison_id!r}, where {seated!r} sits")
        words = scrubbed(answer.model_dump(mode="json", include=WORDS)) if row["consent"] else None
        db.execute(
            "INSERT INTO answers (comparison_id, side, stored_at, facts, words) VALUES (?, ?, ?, ?, ?)",
            (comparison_id, side, now(), answer.model_dump_json(exclude=WORDS), words),
        )
