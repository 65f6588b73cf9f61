"""Counts over a dataset, read from the server's tables: its progress, a user's progress, and metadata metrics.

As in stock, but a user's progress counts that user's responses alone: the stock engine also counts what others
answered on the same records, so that with several annotators «pending» can fall below zero.
"""

from __future__ import annotations

from collections import Counter
from typing import cast
from uuid import UUID

from argilla_server.enums import MetadataPropertyType
from argilla_server.models import MetadataProperty, Record, Response
from argilla_server.search_engine import (
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    MetadataMetrics,
    TermsMetrics,
)
from sqlalchemy import Select, String, Text, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from .documents import Kind, Scalar, scalars

__all__ = ["dataset_progress", "metrics", "user_progress", "user_statuses"]

_MOST_TERMS = 2**14  # stock's own limit

Progress = dict[str, int]


async def dataset_progress(db: AsyncSession, dataset_id: UUID) -> Progress:
    """Records by status, and their `total`."""
    status = type_coerce(Record.status, String)
    rows = await db.execute(select(status, func.count()).where(Record.dataset_id == dataset_id).group_by(status))
    return _with_total(dict(rows.tuples().all()))


async def user_progress(db: AsyncSession, dataset_id: UUID, user_id: UUID) -> Progress:
    """The user's own responses by status, and their `total`."""
    return _with_total(dict((await db.execute(user_statuses(dataset_id, user_id))).tuples().all()))


def user_statuses(dataset_id: UUID, user_id: UUID) -> Select[tuple[str, int]]:
    """The user's responses in the dataset, counted by status."""
    status = type_coerce(Response.status, String)
    in_dataset = select(type_coerce(Record.id, String)).where(Record.dataset_id == dataset_id)
    # The empty text keeps SQLite from looking up each response by record: the user's own lie together in one index.
    mine = (Response.user_id == user_id, type_coerce(Response.record_id, String).concat("").in_(in_dataset))
    return select(status, func.count()).where(*mine).group_by(status)


def _with_total(counts: Progress) -> Progress:
    return {"total": sum(counts.values()), **counts}


async def metrics(db: AsyncSession, metadata_property: MetadataProperty) -> MetadataMetrics:
    """Terms with the number of records that hold each (most first), or the least and the greatest number."""
    documents = await db.scalars(
        select(type_coerce(Record.metadata_, Text)).where(Record.dataset_id == metadata_property.dataset_id)
    )
    terms = metadata_property.type == MetadataPropertyType.terms
    kind: Kind = "text" if terms else "number"
    found = [set(scalars(document, "member", metadata_property.name, kind)) for document in documents]
    if terms:
        return _terms(Counter(cast(str, value) for values in found for value in values))
    if metadata_property.type == MetadataPropertyType.integer:
        return IntegerMetadataMetrics(**_ends(found))
    return FloatMetadataMetrics(**_ends(found))


def _terms(counts: Counter[str]) -> TermsMetrics:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_TERMS]
    values = [TermsMetrics.TermCount(term=term, count=count) for term, count in ordered]
    return TermsMetrics(total=counts.total(), values=values)


def _ends(found: list[set[Scalar]]) -> dict[str, Scalar | None]:
    values = [value for each in found for value in each]
    return {"min": min(values, default=None), "max": max(values, default=None)}
