"""Ids that the API gives: a number of the world can be awaited before its id is known."""

import asyncio
from typing import Any


class NeverHappened(Exception):
    """What this action refers to was refused, so there is nothing to do it to."""


class Registry:
    """The ids that the API gave to the numbers of a world; a number can be awaited before its id is known."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    def _future(self, number: int) -> asyncio.Future[Any]:
        if number not in self._waiting:
            self._waiting[number] = asyncio.get_running_loop().create_future()
        return self._waiting[number]

    def set(self, number: int, value: object) -> None:
        """The id of a number is known."""
        self._future(number).set_result(value)

    def fail(self, number: int) -> None:
        """A number will never have an id."""
        future = self._future(number)
        future.set_exception(NeverHappened())
        future.exception()  # seen, so that asyncio does not warn when nobody awaits it

    async def get(self, number: int) -> Any:
        """The id of a number, as soon as it is known.

        Raises:
            NeverHappened: there will be none.
        """
        return await asyncio.shield(self._future(number))
