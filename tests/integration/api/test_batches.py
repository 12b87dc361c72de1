"""Group commit: who arrives together shares a transaction, and nobody suffers from another's mistake."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gourmetgram.api.batches import LARGEST_BATCH, Batches
from gourmetgram.api.database import Database
from gourmetgram.api.errors import DependencyDown
from labkit.stack import Stack
from tests.integration.api.servers import environment

CROWD = 10 * LARGEST_BATCH
INVERSE = "SELECT 60 / $1::int AS answer, txid_current() AS transaction"


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = await Database.open(environment(stack, "v2")["DATABASE_URL"], 2)
    yield database
    await database.close()


async def test_a_crowd_shares_transactions_and_each_gets_its_own_answer(database: Database) -> None:
    batches = Batches(database, INVERSE)
    found = await asyncio.gather(*(batches.row(1 + number % 60) for number in range(CROWD)))
    assert [row["answer"] for row in found] == [60 // (1 + number % 60) for number in range(CROWD)]
    assert len({row["transaction"] for row in found}) == CROWD / LARGEST_BATCH
    assert (await batches.row(3))["answer"] == 20


async def test_one_that_is_refused_is_refused_alone(database: Database) -> None:
    batches = Batches(database, INVERSE)
    values = [1, 2, 0, 3, 0, 4]
    found = await asyncio.gather(*map(batches.row, values), return_exceptions=True)
    refused = [isinstance(one, asyncpg.DivisionByZeroError) for one in found]
    assert refused == [value == 0 for value in values]
    assert [one["answer"] for one in found if not isinstance(one, BaseException)] == [60, 30, 20, 15]


async def test_one_who_leaves_takes_nobody_along(database: Database) -> None:
    batches = Batches(database, INVERSE)
    tasks = [asyncio.create_task(batches.row(value)) for value in (1, 2, 3)]
    await asyncio.sleep(0)  # all wait now
    tasks[1].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[1], asyncio.CancelledError)
    assert [one["answer"] for one in found if not isinstance(one, BaseException)] == [60, 20]


async def test_without_postgresql_everybody_hears_it() -> None:
    nowhere = await Database.open("postgresql://api:x@127.0.0.1:1/gourmetgram", 2)
    batches = Batches(nowhere, INVERSE)
    found = await asyncio.gather(*map(batches.row, range(5)), return_exceptions=True)
    assert [type(one) for one in found] == [DependencyDown] * 5
    await nowhere.close()
