"""PostgreSQL, through one pool per worker. A server that is away becomes `DependencyDown`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from gourmetgram.api.errors import DependencyDown

ACQUIRE_SECONDS = 3
STATEMENT_SECONDS = 10
IMPORT_SECONDS = 120

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting, cancelled
    asyncpg.InsufficientResourcesError,  # no connection, disk or memory left
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password is not the caller's mistake either
    asyncpg.InvalidCatalogNameError,  # nor a database that is not there
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection used after the server said goodbye and before it closed it
)
_IN_THE_WAY = (asyncpg.TransactionRollbackError,)  # a deadlock, which PostgreSQL ended at our cost


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that needs no reset between requests, because none of ours changes the session."""

    def get_reset_query(self) -> str:
        """Nothing: saves a round trip per request."""
        return ""


@asynccontextmanager
async def _away_as_refusal(away: tuple[type[Exception], ...] = _AWAY + _IN_THE_WAY) -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.DataError:  # an InterfaceError too, but our own mistake
        raise
    except away as error:
        raise DependencyDown("PostgreSQL") from error


class Database:
    """Queries of one worker. Every method raises DependencyDown when PostgreSQL is away."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, connections: int) -> Self:
        """A pool that connects when first asked, so that the API starts whether or not PostgreSQL is there."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            timeout=ACQUIRE_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            connection_class=_Connection,
            server_settings={"application_name": "api", "plan_cache_mode": "force_generic_plan"},
        )
        return cls(pool)

    async def row(self, sql: str, *values: object) -> Any | None:
        """The first row of the answer, or None."""
        async with _away_as_refusal(), self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            return await connection.fetchrow(sql, *values)

    async def row_of_each(self, sql: str, values: Sequence[Sequence[object]]) -> Sequence[Any]:
        """Run a statement that returns one row for each of these values, in one transaction and one round trip."""
        async with _away_as_refusal(_AWAY), self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            return list(await connection.fetchmany(sql, values))

    async def rows(self, sql: str, *values: object) -> Sequence[Any]:
        """All rows of the answer."""
        async with _away_as_refusal(), self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            return list(await connection.fetch(sql, *values))

    async def run(self, sql: str, *values: object) -> None:
        """A statement whose answer does not matter."""
        async with _away_as_refusal(), self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            await connection.execute(sql, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A connection inside a transaction, which commits at the end of the block and rolls back on any error."""
        async with (
            _away_as_refusal(),
            self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
            connection.transaction(),
        ):
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
