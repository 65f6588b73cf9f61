"""Asking both models at once: seat them, record the comparison, start both.

    asker = Asker(engine, {"v": info_v, "r": info_r}, store, preset="echo")
    attempt = asker.ask(Question(text="…"), seed=7)          # returns at once; see `attempts` for what comes of it

The comparison, with its seating, is in the store before the engine is asked.
Not covered: conversations and second tries (`visits`), and how answers are shown (`ui`).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from gaokerena.attempts import Attempt, Record
from gaokerena.comparisons import SIDES, Comparison, Side, new_id, seat
from gaokerena.engines.base import Engine, Request, Sampling
from gaokerena.intake import RefusalError
from gaokerena.messages import Message
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from gaokerena.rounds import pairs

log = logging.getLogger(__name__)


class Speaker(Protocol):
    """What asking needs to know of a model (a preset's `ModelInfo` fits)."""

    @property
    def prompting(self) -> Prompting: ...

    @property
    def sampling(self) -> Sampling: ...


class Asker:
    """Asks the two models of a preset. Safe to use from several threads."""

    def __init__(self, engine: Engine, models: Mapping[str, Speaker], record: Record, *, preset: str = "") -> None:
        if len(models) < 2:
            raise ValueError(f"a comparison needs two models, not {list(models)}: give the preset a second one")
        first, second = list(models)[:2]
        self.pair = (first, second)
        self._engine = engine
        self._models = models
        self._record = record
        self._preset = preset

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of models that can be compared now, the usual one first."""
        return pairs(self._models)

    def read_pair(self, text: str) -> tuple[str, str] | None:
        """The pair that `text` names ("r,r2", in any order); None for the usual one. Raises RefusalError."""
        names = [name.strip() for name in text.split(",")]
        if names == [""]:
            return None
        for pair in self.pairs:
            if sorted(pair) == sorted(names):
                return pair
        raise RefusalError(
            "این دو مدل با هم سنجیده نمی‌شوند. صفحه را تازه کنید و دو مدل دیگر برگزینید.",
            f"The models {text[:80]!r} are not compared; there are {'; '.join(map(','.join, self.pairs))}.",
        )

    def ask(
        self,
        question: Question,
        *,
        seed: int | None = None,
        history: Mapping[str, Sequence[Message]] | None = None,
        seating: tuple[str, str] | None = None,
        pair: tuple[str, str] | None = None,
        follows: str | None = None,
        blind: bool = True,
        consent: bool = False,
        private: bool = False,
        session: str = "",
    ) -> Attempt:
        """Start both models of `pair` (without it, the usual two) on `question`; returns at once.

        `history` holds each model's earlier turns; `seating` (left, right) keeps the seats of a conversation, without
        it they are drawn; `private` says that a turn of the history was asked without consent, so that no cache may
        keep what now carries it along. Raises RefusalError when the comparison cannot be recorded.
        """
        seed = random.randrange(2**31) if seed is None else seed
        identity = new_id()
        left, right = seating or seat(pair or self.pair, seed, identity)
        comparison = Comparison(
            id=identity, question=question, left=left, right=right, seed=seed, follows=follows, blind=blind,
            consent=consent, session=session, preset=self._preset,
        )  # fmt: skip
        try:
            self._record.add_comparison(comparison)
        except Exception as error:
            log.exception("comparison %s was not recorded", identity)
            raise RefusalError(
                "پرسش شما ثبت نشد و برای همین پرسیده نشد. کمی بعد دوباره بپرسید.",
                "The question could not be recorded and was not asked. Try again shortly.",
            ) from error
        keep = consent and not private
        requests = {side: self._request(comparison, side, history or {}, keep) for side in SIDES}
        return Attempt(comparison, requests, self._engine, self._record)

    def _request(
        self, comparison: Comparison, side: Side, history: Mapping[str, Sequence[Message]], keep: bool
    ) -> Request:
        model = comparison.model_at(side)
        speaker = self._models[model]
        return Request(
            model=model,
            messages=messages(comparison.question, speaker.prompting, history.get(model, ())),
            prompting=speaker.prompting,
            sampling=speaker.sampling,
            seed=comparison.seed,
            question_id=comparison.question.id,
            visitor=comparison.session,
            keep=keep,
        )
