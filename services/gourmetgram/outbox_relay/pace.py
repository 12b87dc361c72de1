"""How long the relay rests between two batches. No clock."""

from typing import Final, NamedTuple

REST_PER_ROW: Final = 0.0002
"""Seconds of rest for each row of the last batch: where few rows come, little is saved by letting them gather."""


class Pace(NamedTuple):
    """Largest batch (rows) and longest rest between batches (seconds)."""

    batch_limit: int
    longest_rest: float

    def rest_after(self, rows: int, seconds: float) -> float:
        """Seconds to let new rows gather after a batch of `rows` that took `seconds`.

        A full batch means that more is waiting: no rest. Otherwise the relay rests the longer the more rows there were,
        but no longer than it worked, so at high load about half of a processor and of the commit rate goes to it and
        batches grow with the load, while at low load an event waits for little more than the batch before it.
        """
        return 0.0 if rows >= self.batch_limit else min(seconds, self.longest_rest, rows * REST_PER_ROW)
