"""Build a webhook event only when some webhook wants it.

The stock server loads a record's whole dataset (seven queries) to build an event for every record logged and every
answer given, and only then sees that no webhook exists. Here the set of wanted events is kept in memory, asked anew
after a webhook is made, changed or removed, and an event nobody wants is not built. Not covered: dataset events (rare),
webhooks written into the database by another program (a restart sees them).
"""

from __future__ import annotations

from typing import Any

from .wrap import Function, wrap


class Wanted:
    """The events that enabled webhooks ask for, remembered until `forget`."""

    def __init__(self, enabled: Function) -> None:
        self._enabled = enabled
        self._events: frozenset[str] | None = None
        self._age = 0

    def forget(self) -> None:
        """Ask the database again next time."""
        self._events = None
        self._age += 1

    async def __call__(self, db: Any, event: str) -> bool:
        """Whether an enabled webhook asks for `event`; `db` is the request's session."""
        events = self._events
        if events is None:
            age = self._age
            events = frozenset(str(name) for webhook in await self._enabled(db) for name in webhook.events)
            if age == self._age:  # nothing was changed while the database was read
                self._events = events
        return str(event) in events


class Silent:
    """Stands for an event that nobody wants."""

    async def notify(self, db: Any) -> list[Any]:  # noqa: ARG002 - the signature is Argilla's own
        """Tell nobody."""
        return []


def skip_unwanted() -> Wanted:
    """Wrap argilla-server so that it builds only events that are wanted; the set of these."""
    from argilla_server.contexts import webhooks
    from argilla_server.webhooks.v1 import records, responses

    wanted = Wanted(webhooks.list_enabled_webhooks)

    def only_wanted(build: Function) -> Function:
        async def built(db: Any, event: str, subject: Any) -> Any:
            return await build(db, event, subject) if await wanted(db, event) else Silent()

        return built

    def then_forget(change: Function) -> Function:
        async def changed(*args: Any, **kwargs: Any) -> Any:
            try:
                return await change(*args, **kwargs)
            finally:
                wanted.forget()

        return changed

    wrap(records, "build_record_event", ("db", "record_event", "record"), only_wanted)
    wrap(responses, "build_response_event", ("db", "response_event", "response"), only_wanted)
    wrap(webhooks, "create_webhook", ("db", "webhook_attrs"), then_forget)
    wrap(webhooks, "update_webhook", ("db", "webhook", "webhook_attrs"), then_forget)
    wrap(webhooks, "delete_webhook", ("db", "webhook"), then_forget)
    return wanted
