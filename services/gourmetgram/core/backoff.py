"""How long to wait before trying again. No clock, no randomness of its own."""

from dataclasses import dataclass


@dataclass
class Backoff:
    """Waits that double from `first` to `longest` seconds, spread so that two processes do not retry in step."""

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
