"""Where the value of a filter or of a sort lies: a JSON column, a place in it, and text or number.

Names are those of the dataset's questions and metadata properties, which the server checks before it asks; their types
are read from its tables, for it does not always load them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argilla_server.enums import MetadataPropertyType, QuestionType
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import MetadataProperty, Question, Record, Response, Suggestion
from argilla_server.search_engine import FilterScope, MetadataFilterScope, ResponseFilterScope, SuggestionFilterScope
from sqlalchemy import ColumnElement, Text, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from .documents import Kind, Shape

__all__ = ["Names", "Place"]


@dataclass(frozen=True)
class Place:
    """One place in a JSON column: `call` gives an SQL function of ./documents.py applied to it."""

    column: Any
    shape: Shape
    name: str
    kind: Kind

    def call(self, function: str, *arguments: str) -> ColumnElement[Any]:
        """`function(document, shape, name, kind, *arguments)`."""
        given = (literal(value) for value in (self.shape, self.name, self.kind, *arguments))
        called: ColumnElement[Any] = getattr(func, function)(type_coerce(self.column, Text), *given)
        return called


@dataclass(frozen=True)
class Names:
    """A dataset's questions (id and kind of value by name) and metadata properties (kind of value by name)."""

    questions: dict[str, tuple[UUID, Kind]]
    properties: dict[str, Kind]

    @classmethod
    async def of(cls, db: AsyncSession, dataset_id: UUID) -> Names:
        """Read them for one dataset."""
        questions = await db.execute(
            select(Question.name, Question.id, Question.settings).where(Question.dataset_id == dataset_id)
        )
        properties = await db.execute(
            select(MetadataProperty.name, MetadataProperty.settings).where(MetadataProperty.dataset_id == dataset_id)
        )
        return cls(
            {name: (key, _kind(settings, QuestionType.rating)) for name, key, settings in questions},
            {
                name: _kind(settings, MetadataPropertyType.integer, MetadataPropertyType.float)
                for name, settings in properties
            },
        )

    def place(self, scope: FilterScope) -> Place:
        """Where the values of `scope` lie. Raises UnprocessableEntityError for a name the dataset has not."""
        if isinstance(scope, MetadataFilterScope):
            kind = self._known(self.properties, scope.metadata_property, "metadata property")
            return Place(Record.metadata_, "member", scope.metadata_property, kind)
        if isinstance(scope, ResponseFilterScope) and scope.question:
            _, kind = self._known(self.questions, scope.question, "question")
            return Place(Response.values, "answer", scope.question, kind)
        if isinstance(scope, SuggestionFilterScope):
            _, kind = self._known(self.questions, scope.question, "question")
            scored = scope.property == "score"
            return Place(Suggestion.score if scored else Suggestion.value, "whole", "", "number" if scored else kind)
        raise UnprocessableEntityError(f"scope {scope!r} names neither a question nor a property")

    def question_id(self, name: str) -> UUID:
        """The id of question `name`."""
        key: UUID
        key, _ = self._known(self.questions, name, "question")
        return key

    @staticmethod
    def _known(names: dict[str, Any], name: str, what: str) -> Any:
        if name not in names:
            raise UnprocessableEntityError(f"{what} {name!r} not found; this dataset has {sorted(names)}")
        return names[name]


def _kind(settings: dict[str, Any], *numeric: str) -> Kind:
    return "number" if settings.get("type") in numeric else "text"
