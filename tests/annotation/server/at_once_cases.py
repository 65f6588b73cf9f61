"""What test_at_once.py runs in the server's own environment: asynchronous connections under load and trouble.

    ENVIRONMENT/bin/python at_once_cases.py FOLDER        (with annotation/server on the path); prints JSON

`stock` as a second argument leaves aiosqlite as it is, to see that the cases tell the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from inside.statuses import ONE
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SLOW = text("with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000) select max(i) from n")
ADD = text("update t set n = n + 1")
COUNT = text("select n from t")


async def writers(engine: AsyncEngine) -> dict[str, Any]:
    """Thirty transactions at once, each holding its write for a while; SQLite would give up after 0.3 s."""

    async def write(number: int) -> str:
        try:
            async with engine.begin() as db:
                came.append(number)
                await db.execute(ADD)
                await asyncio.sleep(0.03)
                await db.execute(ADD)
        except Exception as error:
            return str(error)
        went.append(number)
        return ""

    came: list[int] = []
    went: list[int] = []
    errors = [error for error in await asyncio.gather(*(write(number) for number in range(30))) if error]
    return {"errors": len(errors), "count": await count(engine), "in_order": came == went}


async def broken(engine: AsyncEngine) -> dict[str, Any]:
    """A failed statement, a rollback, a cancelled writer and an invalidated connection each let the next one in."""
    told = []
    for trouble in (fail, roll_back, cancel, invalidate):
        await trouble(engine)
        async with asyncio.timeout(5), engine.begin() as db:
            await db.execute(ADD)
        told.append(await count(engine))
    return {"counts": told}


async def fail(engine: AsyncEngine) -> None:
    with contextlib.suppress(OperationalError):
        async with engine.begin() as db:
            await db.execute(ADD)
            await db.execute(text("insert into nowhere values (1)"))


async def roll_back(engine: AsyncEngine) -> None:
    async with engine.connect() as db:
        await db.execute(ADD)
        await db.rollback()


async def cancel(engine: AsyncEngine) -> None:
    async def hang() -> None:
        async with engine.begin() as db:
            await db.execute(ADD)
            await asyncio.sleep(30)

    task = asyncio.create_task(hang())
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def invalidate(engine: AsyncEngine) -> None:
    async with engine.connect() as db:
        await db.execute(ADD)
        await db.invalidate()


async def status(engine: AsyncEngine) -> dict[str, Any]:
    """The update of a status waits for its turn behind a writer, and the loop, which that one needs, goes on."""
    async with engine.begin() as db:
        for statement in (
            "create table datasets (id, distribution)",
            "create table records (id, dataset_id, status, updated_at)",
            "create table responses (record_id, status)",
            """insert into datasets values ('d', '{"min_submitted": 1}')""",
            "insert into records values ('r', 'd', 'pending', '')",
            "insert into responses values ('r', 'submitted')",
        ):
            await db.execute(text(statement))
    for _ in range(3):  # from now on it is known to be quick
        async with engine.begin() as db:
            await db.execute(text(ONE), {"now": "now", "id": "none"})
    writing = asyncio.Event()

    async def write() -> None:
        async with engine.begin() as db:
            await db.execute(ADD)
            writing.set()
            await asyncio.sleep(0.05)

    async def update() -> str:
        await writing.wait()
        try:
            async with engine.begin() as db:
                await db.execute(text(ONE), {"now": "now", "id": "r"})
        except OperationalError as error:
            return str(error)
        return ""

    _, error = await asyncio.gather(write(), update())
    async with engine.connect() as db:
        return {"error": error, "status": (await db.execute(text("select status from records"))).scalar()}


async def slow(engine: AsyncEngine) -> dict[str, Any]:
    """The loop goes on while a long statement runs, the second time too; a short one needs no thread."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticker = asyncio.create_task(tick())
    told = []
    async with engine.connect() as db:
        for _ in range(3):
            ticks = 0
            assert (await db.execute(SLOW)).scalar() == 400_000
            told.append(ticks)
        for _ in range(20):
            await db.execute(COUNT)
        ticks = 0
        for _ in range(50):
            await db.execute(COUNT)
        short = ticks
    ticker.cancel()
    return {"ticks": told, "short": short}


async def another_program(engine: AsyncEngine, path: Path) -> dict[str, Any]:
    """A writer elsewhere is waited for and then gone past."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    threading.Timer(0.1, lambda: (other.execute("commit"), other.close())).start()
    async with engine.begin() as db:
        await db.execute(ADD)
    return {"count": await count(engine)}


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as db:
        return int((await db.execute(COUNT)).scalar() or 0)


async def fresh(path: Path, case: Callable[[AsyncEngine], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    with sqlite3.connect(path) as db:
        db.execute("pragma journal_mode = wal")
        db.execute("create table t (n)")
        db.execute("insert into t values (0)")
    db.close()
    url = f"sqlite+aiosqlite:///{path}?check_same_thread=False"
    engine = create_async_engine(url, connect_args={"timeout": 0.3}, pool_size=40)
    try:
        return await case(engine)
    finally:
        await engine.dispose()


async def main(folder: Path, stock: bool) -> None:
    if not stock:
        from inside import at_once

        at_once.install()
    path = folder / "other.db"
    told = {
        case.__name__: await fresh(folder / f"{case.__name__}.db", case) for case in (writers, broken, status, slow)
    }
    told["another_program"] = await fresh(path, lambda engine: another_program(engine, path))
    print(json.dumps(told))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), "stock" in sys.argv))
