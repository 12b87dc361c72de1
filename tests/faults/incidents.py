"""Who is killed when: drawn from a seed, over the whole course of the work."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labkit.stack import Stack, StackError
from tests.faults.redis_state import lose_the_last_seconds
from tests.support.processes import wait_until

AWAY_SECONDS = 60


@dataclass
class Incidents:
    """Incidents and the shares of the work at which they happen; each names one or several victims.

    `time travel` is a Redis that loses its last second, or more than that.
    """

    stack: Stack
    plan: list[tuple[float, tuple[str, ...]]]
    killed: list[str] = field(default_factory=list)
    lost: int = 0

    @classmethod
    def drawn(
        cls, stack: Stack, seed: int, each: int, victims: Sequence[str], together: Sequence[Sequence[str]]
    ) -> "Incidents":
        """Each victim so many times alone, and those together."""
        chance = random.Random(seed)
        incidents = [(victim,) for victim in victims for _ in range(each)] + [tuple(group) for group in together]
        chance.shuffle(incidents)
        moments = sorted(chance.uniform(0.05, 0.95) for _ in incidents)
        return cls(stack, list(zip(moments, incidents, strict=True)))

    def happen(self, share: Callable[[], float]) -> None:
        """Kill in turn, each when its share of the work is done."""
        for moment, victims in self.plan:
            while share() < moment:
                time.sleep(0.002)
            for victim in victims:
                self._strike(victim)

    def _strike(self, victim: str) -> None:
        if victim == "time travel":
            self.lost += lose_the_last_seconds(self.stack, 1000)
            return
        kill(self.stack, victim)
        self.killed.append(victim)


def kill(stack: Stack, victim: str) -> None:
    """Kill a service; when it was killed a moment ago and is not back yet, as soon as it is."""
    wait_until(lambda: _is_killed(stack, victim), f"{victim} is back, to be killed", AWAY_SECONDS)


def _is_killed(stack: Stack, victim: str) -> bool:
    try:
        stack.kill(victim)
    except StackError:
        return False
    return True
