"""Entry point: read the settings, connect, and do what the mode says until done or told to stop."""

import asyncio
import signal
import sys
from contextlib import suppress

import structlog

from gourmetgram.core.logs import set_up_logging
from gourmetgram.data_generator.client import ApiClient, Refused
from gourmetgram.data_generator.history_import import NoImportToken, RefusedBatch, run_history
from gourmetgram.data_generator.home import StateInUse
from gourmetgram.data_generator.live_traffic import run_live
from gourmetgram.data_generator.performer import WrongDatabase
from gourmetgram.data_generator.photos import NoPhotos
from gourmetgram.data_generator.settings import GeneratorSettings, Mode
from gourmetgram.data_generator.viral import run_viral

logger = structlog.get_logger()

GRACE_SECONDS = 3.0
"""How long live traffic may wait for what is in flight when it is told to stop."""

EXPLAINED = (NoImportToken, NoPhotos, Refused, RefusedBatch, StateInUse, WrongDatabase)
"""Errors whose message tells what to do; a traceback would only hide it."""


async def run(settings: GeneratorSettings, stop: asyncio.Event) -> None:
    """Do what the mode says."""
    async with ApiClient(settings.api_url, settings.generator_concurrency) as client:
        if settings.generator_mode is Mode.HISTORY:
            await run_history(settings, client)
        elif settings.generator_mode is Mode.SIMULATE_VIRAL:
            await run_viral(settings, client)
        else:
            await run_live(settings, client, stop)


async def run_until_told(settings: GeneratorSettings) -> None:
    """Run, and stop cleanly on SIGTERM or SIGINT: what is in flight is repeated with the same keys after a restart."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.create_task(run(settings, stop))
    grace = GRACE_SECONDS if settings.generator_mode is Mode.POISSON else 0.0

    def end() -> None:
        stop.set()
        loop.call_later(grace, task.cancel)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    with suppress(asyncio.CancelledError):
        await task
    if stop.is_set():
        logger.info("stopped; a restart continues here")


def first_explained(error: BaseException) -> BaseException | None:
    """The first error within (groups of) errors that explains itself."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := first_explained(inner))), None)
    return error if isinstance(error, EXPLAINED) else None


def main() -> int:
    """Run the generator.

    Returns:
        0 when done or stopped, 1 when it could not go on.
    """
    settings = GeneratorSettings()
    set_up_logging(settings.log_format)
    try:
        asyncio.run(run_until_told(settings))
    except* EXPLAINED as group:
        logger.error("%s", first_explained(group))
        return_code = 1
    else:
        return_code = 0
    return return_code


if __name__ == "__main__":
    sys.exit(main())
