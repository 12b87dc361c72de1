"""Tell the relay that there is something to publish.

NOTIFY takes a lock that all committing transactions would share, so it never runs inside a write: writes only set a
flag, and one connection of its own announces it, once for all that were committed meanwhile. A notice may be lost; the
relay looks by itself several times a second.
"""

import asyncio
import random
from typing import Any

import asyncpg
import structlog

from gourmetgram.core.backoff import Backoff

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
        self._backoff = Backoff(SHORTEST_GAP_SECONDS, LONGEST_RETRY_SECONDS)

    def committed(self) -> None:
        """An event was committed."""
        self._committed.set()

    async def announce(self) -> None:
        """Send notices for ever; whatever interrupts them, connect again."""
        while True:
            try:
                await self._announce_over(await self._connect())
            except Exception as error:  # whatever it is: nobody else would send this worker's notices
                if not self._backoff.failures:  # said once, not with each attempt
                    log.warning("notices_interrupted", reason=repr(error))
                self._committed.set()  # the notice that found the connection broken is sent over the next one
                await asyncio.sleep(self._backoff.after_failure(random.random()))  # noqa: S311 - spreads retries

    async def _connect(self) -> Any:
        # A notice that a crash of PostgreSQL swallows costs a poll of the relay: nobody waits for the disk here.
        return await asyncpg.connect(
            self._url,
            timeout=STATEMENT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"application_name": "api_notices", "synchronous_commit": "off"},
        )

    async def _announce_over(self, connection: Any) -> None:
        try:
            while True:
                await self._committed.wait()
                self._committed.clear()
                await connection.execute(f"NOTIFY {CHANNEL}")
                self._backoff.reset()
                await asyncio.sleep(SHORTEST_GAP_SECONDS)
        finally:
            connection.terminate()
