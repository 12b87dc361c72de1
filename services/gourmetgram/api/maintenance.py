"""What has to be done now and then, by whichever worker gets to it."""

import asyncio

import structlog

from gourmetgram.api.context import Context
from gourmetgram.api.errors import DependencyDown
from gourmetgram.api.removal import SILENCE_LATE, forget_photo

PERIOD_SECONDS = 15

# A key serves a client that retries; a day later nobody does.
PURGE_KEYS = "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'"

log = structlog.get_logger("api")


async def look_after(context: Context) -> None:
    """Finish deletions that were interrupted, and remove idempotency keys that are a day old, for ever."""
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        try:
            removed = await forget_photo(context.database, context.store)
            await context.database.run(SILENCE_LATE)
            await context.database.run(PURGE_KEYS)
        except DependencyDown as error:
            log.warning("maintenance_postponed", reason=error.detail)
        else:
            if removed:
                log.info("photos_removed_late", photos=removed)
