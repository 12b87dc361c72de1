"""Group commit: requests that arrive while PostgreSQL is busy are carried out together, in one transaction.

A commit waits for the disk, and a round trip for two processes to wake up; both cost more than the write itself. While
one batch is on its way the next one gathers, so a lone request waits for nobody and a crowd shares the cost.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from gourmetgram.api.database import Database
from gourmetgram.api.errors import DependencyDown

LARGEST_BATCH = 64

_Item = tuple[Sequence[object], "asyncio.Future[Any]"]


class Batches:
    """Runs one statement, which must return exactly one row, for many callers."""

    def __init__(self, database: Database, statement: str) -> None:
        self._database = database
        self._statement = statement
        self._waiting: list[_Item] = []
        self._runner: asyncio.Task[None] | None = None

    async def row(self, *values: object) -> Any:
        """The row that the statement returns for these values, once it is committed.

        Raises:
            DependencyDown: PostgreSQL went away; nobody knows whether the transaction was committed.
            asyncpg.PostgresError: the statement was refused for these values.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((values, answer))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
            try:
                rows = await self._database.row_of_each(self._statement, [values for values, _ in batch])
            except DependencyDown as error:
                _fail(batch, error)
            except Exception:  # whatever it is, those who wait must hear it
                await self._one_by_one(batch)
            else:
                for (_, answer), row in zip(batch, rows, strict=True):
                    if not answer.done():  # its client went away
                        answer.set_result(row)
        self._runner = None

    async def _one_by_one(self, batch: Sequence[_Item]) -> None:
        """One was refused, and with it the whole transaction: find out which."""
        for item in batch:
            values, answer = item
            try:
                row = await self._database.row(self._statement, *values)
            except Exception as error:
                _fail([item], error)
            else:
                if not answer.done():
                    answer.set_result(row)


def _fail(batch: Sequence[_Item], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
