"""Tell the relay that there is something to publish.

NOTIFY takes a lock that all committing transactions would share, so it never runs inside a write: writes only set a
flag, and one connection of its own announces it, once for all that were committed meanwhile. A notice may be lost; the
relay looks by itself several times a second.
"""

import asyncio
from typing import Any

import asyncpg
import structlog

CHANNEL = "outbox"
SHORTEST_GAP_SECONDS = 0.01
"""The relay needs no notice while rows keep coming, and each notice costs as much as a write."""
LONGEST_RETRY_SECONDS = 2.0
STATEMENT_SECONDS = 5

log = structlog.get_logger("api")


class OutboxWakeup:
    """Notices on channel `outbox`: the first at once, the next no sooner than after a short gap."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._committed = asyncio.Event()

    def committed(self) -> None:
        """An event was committed."""
        self._committed.set()

    async def announce(self) -> None:
        """Send notices for ever; connect again when PostgreSQL was away."""
        retry = SHORTEST_GAP_SECONDS
        while True:
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                retry = min(2 * retry, LONGEST_RETRY_SECONDS)
                await asyncio.sleep(retry)
                continue
            retry = SHORTEST_GAP_SECONDS
            try:
                await self._announce_over(connection)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("notices_interrupted", reason=str(error))
                self._committed.set()  # the notice that found the connection broken is sent over the next one
            finally:
                connection.terminate()

    async def _connect(self) -> Any:
        # A notice that a crash of PostgreSQL swallows costs a poll of the relay: nobody waits for the disk here.
        return await asyncpg.connect(
            self._url,
            timeout=STATEMENT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"application_name": "api_notices", "synchronous_commit": "off"},
        )

    async def _announce_over(self, connection: Any) -> None:
        while True:
            await self._committed.wait()
            self._committed.clear()
            await connection.execute(f"NOTIFY {CHANNEL}")
            await asyncio.sleep(SHORTEST_GAP_SECONDS)
