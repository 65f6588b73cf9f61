"""Dates in a filter, as the stock engine reads them: ISO 8601, cut off anywhere, or milliseconds since 1970.

A bound that leaves out its end stands for the whole of what it names: `2026-11-21` begins at midnight and ends with
the last microsecond of the day. Without a zone it is UTC, as the server stores its times.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from argilla_server.errors.future import UnprocessableEntityError

from .documents import number

__all__ = ["moment"]

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)
_TICK = timedelta(microseconds=1)


def moment(value: float | str) -> tuple[datetime, datetime]:
    """The first and the last microsecond of what `value` names, in UTC without a zone, as the server stores it.

    Raises UnprocessableEntityError when it is neither a date nor a number.
    """
    try:
        found = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
        if found:
            return _named(*found.groups())
        since = number(value) if isinstance(value, str) else value
        if since is None:
            raise ValueError(value)
        start = _EPOCH + timedelta(milliseconds=since)
        return start, start
    except (ValueError, OverflowError):
        raise UnprocessableEntityError(
            f"{value!r} is no date; write it as 2026-11-21, 2026-11-21T10:30:00Z or in milliseconds since 1970"
        ) from None


def _named(*parts: str | None) -> tuple[datetime, datetime]:
    year, month, day, hour, minute, second, fraction, zone = parts
    date = (int(year or 0), int(month or 1), int(day or 1))
    micro = int((fraction or "0").ljust(6, "0")[:6])
    start = datetime(*date, int(hour or 0), int(minute or 0), int(second or 0), micro)
    lengths = (
        (fraction, _TICK),
        (second, timedelta(seconds=1)),
        (minute, timedelta(minutes=1)),
        (hour, timedelta(hours=1)),
        (day, timedelta(days=1)),
        (month, timedelta(days=calendar.monthrange(start.year, start.month)[1])),
        (year, timedelta(days=365 + calendar.isleap(start.year))),
    )
    length = next(length for given, length in lengths if given)
    return _utc(start, zone), _utc(start + (length - _TICK), zone)


def _utc(local: datetime, zone: str | None) -> datetime:
    if zone in (None, "Z"):
        return local
    return datetime.fromisoformat(f"{local.isoformat()}{zone}").astimezone(UTC).replace(tzinfo=None)
