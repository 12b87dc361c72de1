"""One text for any number of readers, which is replaced again and again."""

import asyncio
from collections.abc import AsyncIterator


class Broadcast:
    """Keeps the newest text only: a reader that is slow misses what came between, and nothing piles up for it."""

    def __init__(self) -> None:
        self._number = 0
        self._latest = ""
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, text: str) -> None:
        """Replace the text."""
        self._number += 1
        self._latest = text
        self._wake()

    def close(self) -> None:
        """End every reader, and those to come."""
        self._closed = True
        self._wake()

    def forget(self) -> None:
        """Nobody to come is shown the present text, because it is old."""
        self._latest = ""

    async def follow(self) -> AsyncIterator[str]:
        """The present text, if there is one, and each later one that there is time for."""
        seen = self._number if not self._latest else self._number - 1
        while not self._closed:
            news = self._news
            if seen == self._number:
                await news.wait()
                continue
            seen = self._number
            yield self._latest

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
