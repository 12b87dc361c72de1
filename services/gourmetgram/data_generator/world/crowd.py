"""Who does it: people drawn by how much their persona tends to the deed, among those who had joined by then."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gourmetgram.data_generator.world.people import Person
from gourmetgram.data_generator.world.seeding import Floats, Ints

DEEDS = ("views", "comments", "flags", "uploads")
NEVER_ZERO = 1e-9
ENERGY_SIGMA = 1.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """People in the order in which they joined (unix seconds), and the running sum of their weight per deed."""

    joined: Floats
    cumulative: dict[str, Floats]
    spammers: NDArray[np.bool_]

    def existing(self, times: Floats) -> Ints:
        """How many people had joined at each time; at least one."""
        return np.maximum(np.searchsorted(self.joined, times, side="right"), 1)

    def draw(self, rng: np.random.Generator, deed: str, times: Floats) -> Ints:
        """The number of one person for each time."""
        cumulative = self.cumulative[deed]
        reach = cumulative[self.existing(times) - 1]
        return np.searchsorted(cumulative, rng.random(len(times)) * reach, side="right")

    def draw_distinct(self, rng: np.random.Generator, deed: str, times: Floats, but: int) -> tuple[Floats, Ints]:
        """A different person for each time, never person `but`; times for which nobody is left are dropped."""
        chosen: dict[int, float] = {}
        for time in np.sort(times):
            for _ in range(20):
                person = int(self.draw(rng, deed, np.array([time]))[0])
                if person != but and person not in chosen:
                    chosen[person] = float(time)
                    break
        return np.array(list(chosen.values())), np.array(list(chosen), dtype=np.int64)


def gather(rng: np.random.Generator, people: Sequence[Person], joined: Floats) -> Crowd:
    """The crowd of these people; some are far more active than others of their persona."""
    energy = rng.lognormal(0.0, ENERGY_SIGMA, len(people))
    weights = {deed: np.array([getattr(person.persona, deed) for person in people]) for deed in DEEDS}
    cumulative = {deed: np.cumsum(weight * energy + NEVER_ZERO) for deed, weight in weights.items()}
    return Crowd(joined, cumulative, np.array([person.persona.name == "spammer" for person in people]))
