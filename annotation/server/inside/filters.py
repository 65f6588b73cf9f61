"""Filters of the search API as SQL conditions on `records`.

The meaning of each is the stock engine's (commons.py of argilla-server 2.8.0), with these differences, all where that
engine finds nothing or fails: text, ranking and span questions can be filtered (by the text, the values ranked, the
labels marked); a scope without a question and without `status` is refused with 422, not 500.

`pending` is «no response by this user» (without a user: by nobody); a draft is a response. A response of any status
counts for a filter on a question's value. Not covered: a range over response statuses (refused, as in stock).
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias
from uuid import UUID

from argilla_server.enums import RecordSortField, ResponseStatusFilter
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record, Response, Suggestion
from argilla_server.search_engine import (
    AndFilter,
    Filter,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
)
from sqlalchemy import ColumnElement, String, and_, exists, false, func, literal_column, or_, select, true, type_coerce

from .documents import number
from .moments import moment
from .scopes import Names, Place

__all__ = ["condition", "of_user"]

Condition: TypeAlias = ColumnElement[bool]

_ONE: ColumnElement[int] = literal_column("1")
_DATES = (RecordSortField.inserted_at, RecordSortField.updated_at)


def condition(filter: Filter, names: Names) -> Condition:
    """The SQL condition of `filter` on one row of `records`. Raises UnprocessableEntityError when it means nothing."""
    if isinstance(filter, AndFilter):
        return and_(true(), *(condition(part, names) for part in filter.filters))
    if isinstance(filter.scope, RecordFilterScope):
        return _of_record(filter)
    if isinstance(filter.scope, ResponseFilterScope):
        return _of_response(filter, names)
    if isinstance(filter.scope, SuggestionFilterScope):
        return _of_suggestion(filter, names)
    return _in_place(filter, names.place(filter.scope))


def of_user(user: Any) -> Condition:
    """Responses by `user`; by anybody when None."""
    return true() if user is None else Response.user_id == user.id


def _of_record(filter: TermsFilter | RangeFilter) -> Condition:
    name = filter.scope.property
    column = getattr(Record, name)
    if name in _DATES:
        return _of_date(filter, column)
    if name == RecordSortField.id:
        return _of_id(filter)
    return _of_text(filter, type_coerce(column, String) if name == RecordSortField.status else column)


def _of_date(filter: TermsFilter | RangeFilter, column: Any) -> Condition:
    if isinstance(filter, TermsFilter):
        return or_(false(), *(column.between(*moment(value)) for value in filter.values))
    low = [] if filter.ge is None else [column >= moment(filter.ge)[0]]
    high = [] if filter.le is None else [column <= moment(filter.le)[1]]
    return and_(true(), *low, *high)


def _of_id(filter: TermsFilter | RangeFilter) -> Condition:
    if isinstance(filter, TermsFilter):
        found: Condition = Record.id.in_([key for key in map(_uuid, filter.values) if key is not None])
        return found
    text = type_coerce(Record.id, String)
    parts = [func.substr(text, start, length) for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
    dashed: Any = parts[0]
    for part in parts[1:]:
        dashed = dashed.concat("-").concat(part)
    return _of_text(filter, dashed)


def _uuid(text: str) -> UUID | None:
    try:
        key = UUID(text)
    except ValueError:
        return None
    return key if str(key) == text else None


def _of_text(filter: TermsFilter | RangeFilter, column: Any) -> Condition:
    if isinstance(filter, TermsFilter):
        found: Condition = column.in_(filter.values)
        return found
    low = [] if filter.ge is None else [column >= str(filter.ge)]
    high = [] if filter.le is None else [column <= str(filter.le)]
    return and_(column.is_not(None), *low, *high)


def _of_response(filter: TermsFilter | RangeFilter, names: Names) -> Condition:
    scope = filter.scope
    if scope.question:
        return _has_response(scope.user, _in_place(filter, names.place(scope)))
    if scope.property == "status" and isinstance(filter, TermsFilter):
        return _of_status(set(filter.values), scope.user)
    raise UnprocessableEntityError(
        f"response filter {filter!r} is not supported; name a question, or property 'status' with terms"
    )


def _of_status(wanted: set[str], user: Any) -> Condition:
    given = sorted(wanted - {ResponseStatusFilter.pending.value})
    answered = select(Response.record_id).where(of_user(user), type_coerce(Response.status, String).in_(given))
    # As a list, not per record: a user's responses by status lie in one index.
    found = [Record.id.in_(answered)] if given else []
    pending = [~_has_response(user, true())] if ResponseStatusFilter.pending in wanted else []
    return or_(false(), *found, *pending)


def _has_response(user: Any, condition: Condition) -> Condition:
    return exists(_ONE).where(Response.record_id == Record.id, of_user(user), condition)


def _of_suggestion(filter: TermsFilter | RangeFilter, names: Names) -> Condition:
    scope = filter.scope
    mine = and_(Suggestion.record_id == Record.id, Suggestion.question_id == names.question_id(scope.question))
    if scope.property in ("agent", "type"):
        column = type_coerce(getattr(Suggestion, scope.property), String)
        return exists(_ONE).where(mine, _of_text(filter, column))
    return exists(_ONE).where(mine, _in_place(filter, names.place(scope)))


def _in_place(filter: TermsFilter | RangeFilter, place: Place) -> Condition:
    if isinstance(filter, TermsFilter):
        return place.call("live_has_term", json.dumps(filter.values)) == 1
    bounds = json.dumps([_bound(value, place) for value in (filter.ge, filter.le)])
    return place.call("live_is_within", bounds) == 1


def _bound(value: float | str | None, place: Place) -> float | str | None:
    if value is None or (place.kind == "number" and not isinstance(value, str)):
        return value
    if place.kind == "text":
        return str(value)
    found = number(str(value))
    if found is None:
        raise UnprocessableEntityError(f"range bound {value!r} for {place.name or 'a score'!r} is not a number")
    return found
