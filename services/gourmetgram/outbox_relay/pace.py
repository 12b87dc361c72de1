"""How long the relay waits: after a failure, and between two batches. No clock, no randomness of its own."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass
class Backoff:
    """Waits that double from `first` to `longest` seconds, spread so that two relays do not retry in step."""

    first: float
    longest: float
    failures: int = 0

    def after_failure(self, chance: float) -> float:
        """Seconds to wait now; `chance` is a random number in [0, 1) and picks from the upper half of the step."""
        step = min(self.longest, self.first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return step * (0.5 + chance / 2)

    def reset(self) -> None:
        """Something worked: the next failure starts from `first` again."""
        self.failures = 0


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
