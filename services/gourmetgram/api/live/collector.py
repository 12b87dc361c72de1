"""Asks every source once a second while somebody looks, and shares what it finds among all who do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import aiohttp
import structlog

from gourmetgram.api.context import Context
from gourmetgram.api.errors import ApiError
from gourmetgram.api.live.broadcast import Broadcast
from gourmetgram.api.live.figures import Page
from gourmetgram.api.live.snapshot import API, CONSUMER, KAFKA, POSTGRES, RELAY, SCORER, STORAGE, Board, decision_of
from gourmetgram.api.routes.health import dependencies, waiting

VIEWERS = 50
"""Per worker. Each costs a connection and some 5 KB a second; a class has fewer students."""
PERIOD_SECONDS = 1.0
FIRST_SECONDS = 0.25
LINGER_SECONDS = 10.0
"""A page that is loaded again finds the collector at work still, and since when a service is down."""
PATIENCE_SECONDS = 2.0

DECISIONS = """
SELECT id, created_at, target_id, trigger_type, risk_score, recommendation, inference_mode, model_version,
       policy_version, rationale
FROM moderation WHERE target_type = 'image' AND served ORDER BY id DESC LIMIT 20
"""

log = structlog.get_logger("api")


async def _scrape(session: aiohttp.ClientSession, url: str) -> Page | None:
    try:
        async with session.get(url) as answer:
            answer.raise_for_status()
            return Page.parse(await answer.text())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


async def _every_second(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        started = time.monotonic()
        await step()
        await asyncio.sleep(max(0.1, started + PERIOD_SECONDS - time.monotonic()))


class Collector:
    """The sources of /live, of one worker. Each is asked in a loop of its own, so that none waits for another."""

    def __init__(self, parts: Context) -> None:
        self._parts = parts
        self._board = Board()
        self._broadcast = Broadcast()
        self._viewers = 0
        self._last_look = 0.0
        self._work: asyncio.Task[None] | None = None

    @contextmanager
    def viewer(self) -> Iterator[AsyncIterator[str]]:
        """Snapshots as JSON, one a second, for one viewer.

        Raises:
            ApiError: 503, this worker has viewers enough.
        """
        if self._viewers >= VIEWERS:
            detail = f"This page already has {VIEWERS} viewers here. Close one, or try again in 5 s."
            raise ApiError(503, "too_many_viewers", detail, {"Retry-After": "5"})
        self._viewers += 1
        self._begin()
        try:
            yield self._broadcast.follow()
        finally:
            self._viewers -= 1
            self._last_look = time.monotonic()

    def end_streams(self) -> None:
        """End all streams, at once and for good."""
        self._broadcast.close()

    async def close(self) -> None:
        """End the streams and the work for them."""
        self.end_streams()
        if self._work:
            self._work.cancel()
            await asyncio.wait([self._work])

    def _begin(self) -> None:
        if self._work is None or self._work.done():
            self._board = Board()
            self._broadcast.forget()
            self._work = asyncio.create_task(self._look_while_viewed())
            self._work.add_done_callback(self._ended)

    @staticmethod
    def _ended(work: "asyncio.Task[None]") -> None:
        if not work.cancelled() and work.exception():
            log.error("live_view_ended", exc_info=work.exception())

    async def _look_while_viewed(self) -> None:
        """Runs until nobody has looked for a while."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            sources = [asyncio.create_task(source) for source in self._sources(session)]
            try:
                await asyncio.sleep(FIRST_SECONDS)
                while self._viewers or time.monotonic() < self._last_look + LINGER_SECONDS:
                    for source in sources:
                        if source.done():
                            source.result()  # they never end: raise what ended this one
                    self._broadcast.publish(self._board.snapshot(time.time()).encode())
                    await asyncio.sleep(PERIOD_SECONDS)
            finally:
                for source in sources:
                    source.cancel()
                await asyncio.gather(*sources, return_exceptions=True)

    def _sources(self, session: aiohttp.ClientSession) -> Iterator["asyncio._CoroutineLike[None]"]:
        settings, now = self._parts.settings, time.time()
        self._board.saw(API, "up", now)
        yield _every_second(self._look_at_stores)
        yield _every_second(self._look_at_outbox)
        yield _every_second(self._look_at_decisions)
        urls = {RELAY: settings.live_relay_url, CONSUMER: settings.live_consumer_url, SCORER: settings.live_scorer_url}
        for name, url in urls.items():
            if url:
                yield _every_second(self._scraping(session, name, url))
            else:
                self._board.saw(name, "off", now)

    def _scraping(self, session: aiohttp.ClientSession, name: str, url: str) -> Callable[[], Awaitable[None]]:
        async def scrape() -> None:
            page = await _scrape(session, url)
            self._board.scraped(name, page, time.time())

        return scrape

    async def _look_at_stores(self) -> None:
        states = await dependencies(self._parts)
        for name, key in ((POSTGRES, "postgres"), (STORAGE, "object_storage"), (KAFKA, "kafka")):
            self._board.saw(name, states[key], time.time())

    async def _look_at_outbox(self) -> None:
        self._board.outbox = await waiting(self._parts) if self._parts.settings.streaming else None

    async def _look_at_decisions(self) -> None:
        try:
            rows = await asyncio.wait_for(self._parts.database.rows(DECISIONS), PATIENCE_SECONDS)
        except (ApiError, TimeoutError):
            return  # what was decided stays decided; the state of PostgreSQL tells that nothing new is seen
        self._board.decisions = [decision_of(row) for row in rows]
