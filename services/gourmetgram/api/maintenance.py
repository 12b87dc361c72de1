"""What has to be done now and then, by whichever worker gets to it."""

import asyncio

import structlog

from gourmetgram.api.database import Database
from gourmetgram.api.errors import DependencyDown
from gourmetgram.api.removal import SILENCE_LATE, forget_photo
from gourmetgram.api.storage import PhotoStore

PERIOD_SECONDS = 15

# A key serves a client that retries; a day later nobody does.
PURGE_KEYS = "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'"

log = structlog.get_logger("api")


async def look_after(database: Database, store: PhotoStore) -> None:
    """Finish deletions that were interrupted, and remove idempotency keys that are a day old, for ever."""
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        try:
            removed = await forget_photo(database, store)
            await database.run(SILENCE_LATE)
            await database.run(PURGE_KEYS)
        except DependencyDown as error:
            log.warning("maintenance_postponed", reason=error.detail)
        except Exception:  # whatever it is: the next round tries again, and nobody else would
            log.exception("maintenance_failed")
        else:
            if removed:
                log.info("photos_removed_late", photos=removed)
