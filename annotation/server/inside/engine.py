"""Argilla's search engine on its own SQLite tables: nothing is copied, so nothing can drift.

    from inside import engine
    engine.prepare(url)      # at each start, after the migrations, before the server opens the database
    engine.register()        # in every process that imports argilla_server: the server, a worker, the command line

Then the setting `ARGILLA_SEARCH_ENGINE=sqlite_live` selects it. What the stock engines write to an index on every
change is already in the tables; those calls do nothing here. Only free text has an index, which triggers keep
(text_index.py). A search reads in the request's own session, so it sees what that request has written.

Differences from stock, beside those told in filters.py, sorting.py and counts.py: text found without a sort comes best
first for everybody (stock multiplies the weight by a random number for an annotator); ties of similar vectors come in
the order of adding; what Elasticsearch answers with an error becomes 422. Not covered: another database than SQLite.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import numpy as np
from argilla_server import app
from argilla_server.database import AsyncSessionLocal
from argilla_server.enums import SimilarityOrder
from argilla_server.models import Dataset, MetadataProperty, Record, User, Vector, VectorSettings
from argilla_server.search_engine import (
    Filter,
    MetadataMetrics,
    Order,
    SearchEngine,
    SearchResponseItem,
    SearchResponses,
    TextQuery,
)
from sqlalchemy import ColumnElement, Select, String, Text, func, select, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession, async_object_session

from . import bodies, connections, counts, similarity
from .filters import condition
from .places import ENGINE
from .scopes import Names
from .sorting import ADDED, order_by, own_order
from .text_index import prepare
from .text_search import Hits, find

__all__ = ["LiveSearchEngine", "page", "prepare", "register"]

_FURTHEST = 2**62  # an offset beyond SQLite's integers is beyond every record too


def register() -> None:
    """Make the engine known to Argilla under its name, equip the process's connections, and guard its API."""
    connections.watch()
    bodies.guard(app)
    SearchEngine.register(ENGINE)(LiveSearchEngine)


def page(dataset_id: UUID, conditions: Sequence[ColumnElement[bool]], hits: Hits | None) -> Select[tuple[UUID]]:
    """Ids of the dataset's records under `conditions`, among `hits` if given; neither ordered nor cut."""
    wanted = select(Record.id).where(Record.dataset_id == dataset_id, *conditions)
    if hits is None:
        return wanted
    keys = func.json_each(json.dumps(list(hits))).table_valued("value")
    # The empty text keeps SQLite from fetching whole records by id; it walks an index of small rows instead.
    return wanted.where(type_coerce(Record.id, String).concat("").in_(select(keys.c.value)))


@asynccontextmanager
async def _session(of: Any) -> AsyncIterator[AsyncSession]:
    """The session that `of` was loaded in, so that a request sees its own changes; else one for this call."""
    session = async_object_session(of)
    if session is not None:
        yield session
        return
    async with AsyncSessionLocal() as session:
        yield session


class LiveSearchEngine(SearchEngine):  # type: ignore[misc]
    """One instance serves one request and keeps nothing."""

    @classmethod
    async def new_instance(cls) -> LiveSearchEngine:
        return cls()

    async def close(self) -> None:
        """Nothing was opened."""

    async def ping(self) -> bool:
        async with AsyncSessionLocal() as db:
            return bool(await db.scalar(text("SELECT count(*) FROM live_state")))

    async def info(self) -> dict[str, str]:
        """Shown to anybody by `/api/v1/status`, so: names and versions only."""
        return {"name": ENGINE, "sqlite": sqlite3.sqlite_version}

    async def create_index(self, dataset: Dataset) -> None:
        """Nothing to do: the tables are the index. The same holds for all calls below that write one."""

    async def delete_index(self, dataset: Dataset) -> None: ...

    async def configure_metadata_property(self, dataset: Dataset, metadata_property: MetadataProperty) -> None: ...

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None: ...

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def partial_record_update(self, record: Record, **update: Any) -> None: ...

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def update_record_response(self, response: Any) -> None: ...

    async def delete_record_response(self, response: Any) -> None: ...

    async def update_record_suggestion(self, suggestion: Any) -> None: ...

    async def delete_record_suggestion(self, suggestion: Any) -> None: ...

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """Records by status and in all; empty for a draft dataset."""
        if dataset.is_draft:
            return {}
        async with _session(dataset) as db:
            return await counts.dataset_progress(db, dataset.id)

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """The user's responses by status and in all; empty for a draft dataset."""
        if dataset.is_draft:
            return {}
        async with _session(dataset) as db:
            return await counts.user_progress(db, dataset.id, user.id)

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> MetadataMetrics:
        """Counts of terms, or the ends of numbers, over all records of the property's dataset."""
        async with _session(metadata_property) as db:
            return await counts.metrics(db, metadata_property)

    async def search(
        self,
        dataset: Dataset,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        sort: list[Order] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: UUID | str | None = None,
    ) -> SearchResponses:
        """Records by text, filter and sort; `user_id` (which the base class does not declare) chooses whose order.

        Raises UnprocessableEntityError (422) for a filter, sort or text that means nothing.
        """
        async with _session(dataset) as db:
            names = await _names(db, dataset.id, filter, sort)
            hits = None if query is None else await find(db, dataset.id, query)
            found = page(dataset.id, [] if filter is None else [condition(filter, names)], hits)
            if hits is not None and not sort:
                return await _best_first(
                    db, found, hits, ADDED if user_id is None else own_order(user_id), offset, limit
                )
            order = order_by(sort, names) if sort else ADDED if user_id is None else own_order(user_id)
            cut = found.order_by(*order).offset(min(offset, _FURTHEST)).limit(limit)
            keys = (await db.scalars(cut)).all()
            total = await db.scalar(found.with_only_columns(func.count()))
        return _responses(keys, hits, total or 0)

    async def similarity_search(
        self,
        dataset: Dataset,
        vector_settings: VectorSettings,
        value: list[float] | None = None,
        record: Record | None = None,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        max_results: int = 100,
        order: SimilarityOrder = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> SearchResponses:
        """The records whose vectors are nearest to (or furthest from) `value` or the vector of `record`, best first.

        `record` itself is left out, and so are records without the vector. As in stock the total is the number given,
        at most `max_results`. Raises UnprocessableEntityError for a vector of another length or not finite.
        """
        if bool(value) == bool(record):
            raise ValueError("give either a vector value or a record, to search for similar records")
        given = record.vector_value_by_vector_settings(vector_settings) if record else value or []
        vector = similarity.wanted(given, vector_settings.dimensions, vector_settings.name)
        async with _session(dataset) as db:
            names = await _names(db, dataset.id, filter, None)
            hits = None if query is None else await find(db, dataset.id, query)
            found = page(dataset.id, [] if filter is None else [condition(filter, names)], hits)
            rows = (await db.execute(_with_vectors(found, vector_settings, record))).all()
        sign = -1.0 if order == SimilarityOrder.least_similar else 1.0
        scores = await asyncio.to_thread(similarity.scores, [row[1] for row in rows], sign * vector)
        best = [place for place in np.argsort(-scores, kind="stable") if not np.isnan(scores[place])][:max_results]
        items = [SearchResponseItem(record_id=rows[place][0], score=float(scores[place])) for place in best]
        items = [item for item in items if threshold is None or (item.score or 0.0) >= threshold]
        return SearchResponses(items=items, total=len(best))


async def _names(db: AsyncSession, dataset_id: UUID, *asked: object) -> Names:
    return await Names.of(db, dataset_id) if any(asked) else Names({}, {})


async def _best_first(
    db: AsyncSession, found: Select[tuple[UUID]], hits: Hits, ties: Iterable[Any], offset: int, limit: int
) -> SearchResponses:
    ordered = await db.scalars(found.with_only_columns(type_coerce(Record.id, String)).order_by(*ties))
    keys = sorted(ordered.all(), key=lambda key: -hits[key])
    return _responses([UUID(key) for key in keys[offset : offset + limit]], hits, len(keys))


def _with_vectors(found: Select[tuple[UUID]], settings: VectorSettings, record: Record | None) -> Select[Any]:
    mine = (Vector.record_id == Record.id) & (Vector.vector_settings_id == settings.id)
    rows = found.join(Vector, mine).add_columns(type_coerce(Vector.value, Text)).order_by(*ADDED)
    return rows if record is None else rows.where(Record.id != record.id)


def _responses(keys: Sequence[UUID], hits: Hits | None, total: int) -> SearchResponses:
    items = [SearchResponseItem(record_id=key, score=None if hits is None else hits[key.hex]) for key in keys]
    return SearchResponses(items=items, total=total)
