"""Print the SQL that the engine sends, as JSON by name; run by the server's own Python (see test_index.py).

PYTHONPATH=annotation/server ARGILLA_HOME_PATH=… python statements.py DATASET_ID USER_ID
"""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import UUID

import argilla_server  # noqa: F401 - whole, before its parts
from argilla_server.models import User
from argilla_server.search_engine import AndFilter, RecordFilterScope, ResponseFilterScope, TermsFilter
from inside.counts import user_statuses
from inside.engine import page
from inside.filters import condition
from inside.scopes import Names
from inside.sorting import ADDED, own_order
from sqlalchemy import func
from sqlalchemy.dialects import sqlite


def main(dataset: UUID, user: User) -> None:
    """The annotator's page of each kind, its total, and a page by record status."""
    names = Names({}, {})
    statements: dict[str, Any] = {}
    for wanted in ("pending", "draft", "submitted"):
        mine = AndFilter([TermsFilter(ResponseFilterScope(property="status", user=user), [wanted])])
        found = page(dataset, [condition(mine, names)], None)
        statements[wanted] = found.order_by(*own_order(user.id)).limit(10)
        statements[f"{wanted} total"] = found.with_only_columns(func.count())
    completed = TermsFilter(RecordFilterScope(property="status"), ["completed"])
    statements["completed"] = page(dataset, [condition(completed, names)], None).order_by(*ADDED).limit(10)
    hits = {UUID(int=n).hex: 0.0 for n in range(3)}
    statements["by text"] = page(dataset, [], hits).order_by(*ADDED).limit(10)
    statements["progress"] = user_statuses(dataset, user.id)
    given = {"dialect": sqlite.dialect(), "compile_kwargs": {"literal_binds": True}}
    print(json.dumps({name: str(statement.compile(**given)) for name, statement in statements.items()}))  # noqa: T201


main(UUID(sys.argv[1]), User(id=UUID(sys.argv[2])))
