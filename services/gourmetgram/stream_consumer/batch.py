"""Positions, stream time and the order of a batch. Values in, values out: no clock, no broker, no store."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from gourmetgram.core.records import TOPICS, Applicable

Place = tuple[int, int]
"""A topic (its position in TOPICS) and a partition number."""


class Ends(NamedTuple):
    """Where the topics ended when the broker was asked: next offset by place; `asked_at` in unix microseconds."""

    asked_at: int
    offsets: Mapping[Place, int]


@dataclass
class Progress:
    """How far this process has applied the partitions it owns."""

    positions: dict[Place, int]
    """The next offset to apply."""
    newest: dict[Place, int] = field(default_factory=dict)
    """The newest `occurred_at` applied since this process took the place over; imported history does not count."""

    @property
    def partitions(self) -> list[int]:
        """The partition numbers owned, ascending."""
        return sorted({partition for _, partition in self.positions})

    def advanced(self, positions: Mapping[Place, int], applied: Iterable[Applicable]) -> "Progress":
        """The progress once these events have been applied and these positions reached."""
        newest = defaultdict(int, self.newest)
        for one in applied:
            if not one.event.imported:
                place = (one.topic, one.partition)
                newest[place] = max(newest[place], one.at)
        return Progress({**self.positions, **positions}, dict(newest))

    def watermark(self, partition: int, ends: Ends | None) -> int | None:
        """Stream time of a partition number: up to when everything that happened has been applied, as far as we know.

        Each topic vouches for the time of the newest event applied from it; one that was applied to its end vouches
        for the moment in which the broker said where the end is. The lowest of them counts, and None means that some
        topic cannot vouch for anything yet.
        """
        known = [self._vouched(place, ends) for place in self.positions if place[1] == partition]
        times = [time for time in known if time is not None]
        return min(times) if times and len(times) == len(known) else None

    def _vouched(self, place: Place, ends: Ends | None) -> int | None:
        newest = self.newest.get(place)
        if ends and place in ends.offsets and self.positions[place] >= ends.offsets[place]:
            return max(ends.asked_at, newest or 0)
        return newest

    def lag(self, ends: Ends | None) -> dict[str, int]:
        """Records not yet applied, by topic."""
        lags = dict.fromkeys(TOPICS, 0)
        for (topic, partition), position in self.positions.items():
            if ends:
                lags[TOPICS[topic]] += max(0, ends.offsets.get((topic, partition), 0) - position)
        return lags


def in_order(events: Sequence[Applicable]) -> list[Applicable]:
    """The events of a batch by time, so that an upload comes before the views of its image.

    Events of one place keep their order: there a late event stands where its predecessors have pushed the time to.
    """
    latest: dict[Place, int] = {}
    keyed = []
    for one in events:
        place = (one.topic, one.partition)
        latest[place] = max(latest.get(place, 0), one.at)
        keyed.append((latest[place], one))
    return [one for _, one in sorted(keyed, key=itemgetter(0))]
