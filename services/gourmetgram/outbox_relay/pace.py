"""How long the relay rests between two batches. No clock."""

from typing import NamedTuple


class Pace(NamedTuple):
    """Largest batch (rows) and longest rest between batches (seconds)."""

    batch_limit: int
    longest_rest: float

    def rest_after(self, rows: int, seconds: float) -> float:
        """Seconds to let new rows gather after a batch of `rows` that took `seconds`.

        A full batch means that more is waiting: no rest. Otherwise the relay rests as long as it worked, so at most
        half of a processor and of the commit rate goes to it, batches grow with the load, and a lone event that
        finds the relay idle is still sent at once.
        """
        return 0.0 if rows >= self.batch_limit else min(seconds, self.longest_rest)
