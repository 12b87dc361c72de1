"""Random streams of events, and a reader who cuts them into batches and applies them."""

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gourmetgram.core.records import KINDS, TOPICS, Applicable
from gourmetgram.stream_consumer.batch import Ends, Place, Progress, in_order
from gourmetgram.stream_consumer.state import Outcome, Step, Store
from tests.support.events import event

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_795_251_600 * SECOND  # 2026-11-21 09:00
PARTITIONS = 2
PLACES = [(topic, partition) for partition in range(PARTITIONS) for topic in range(len(TOPICS))]


@dataclass
class Stream:
    """Topics by place; `published` are the times at which each event got there."""

    topics: dict[Place, list[Applicable]] = field(default_factory=lambda: defaultdict(list))
    published: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    now: int = START

    def add(self, kind: str, image: int, *, late: int = 0, partition: int | None = None, **changes: Any) -> str:
        """An event that happened `late` microseconds ago is published now; returns its id."""
        place = (KINDS.index(kind), image % PARTITIONS if partition is None else partition)
        offset = len(self.topics[place])
        serial = sum(map(len, self.topics.values())) + 1
        made = event(kind, serial, self.now - late, image, **changes)
        self._append(place, Applicable(*place, offset, self.now - late, made))
        return str(made.event_id)

    def repeat(self, place: Place, back: int) -> None:
        """The event so many places back is published once more, as a relay does that restarts."""
        earlier = self.topics[place][-back]
        self._append(place, earlier._replace(offset=len(self.topics[place])))

    def _append(self, place: Place, one: Applicable) -> None:
        self.topics[place].append(one)
        self.published[place].append(self.now)

    def ends(self, at: int) -> Ends:
        """What a broker that is asked at this time says."""
        return Ends(at, {place: bisect_right(self.published[place], at) for place in PLACES})


LATENESS = (0,) * 8 + (10 * SECOND, MINUTE, 4 * MINUTE, 5 * MINUTE, 30 * MINUTE)
VERY_LATE = (*LATENESS, 60 * MINUTE, 65 * MINUTE, 66 * MINUTE, 120 * MINUTE)
STEPS = (0, 0, 1, SECOND, 10 * SECOND, 10 * SECOND, 20 * SECOND, MINUTE, 5 * MINUTE)


def random_stream(
    chance: random.Random, length: int, *, lateness: Sequence[int] = VERY_LATE, kinds: Collection[str] = KINDS
) -> Stream:
    """Few images and round times, so that borders are met often."""
    stream = Stream()
    weights = {"upload": 2, "view": 10, "comment": 6, "flag": 4, "deletion": 0.4}
    for number in range(length):
        stream.now += chance.choice(STEPS) if chance.random() < 0.97 else 40 * MINUTE
        kind = chance.choices(list(kinds), [weights[one] for one in kinds])[0]
        changes: dict[str, Any] = {}
        if kind == "flag" and chance.random() < 0.3:
            changes["comment_id"] = 5
        if kind == "upload":
            changes["caption_length"] = chance.randrange(100)
        image = chance.choice([1, 1, 1, 2, 2, 3, 4])
        late = chance.choice(lateness) if kind != "upload" else chance.choice(lateness[:9])
        is_test, imported = chance.random() < 0.05, chance.random() < 0.08
        serial = UUID(int=chance.getrandbits(100) << 10 | number)
        stream.add(kind, image, late=late, event_id=serial, is_test=is_test, imported=imported, **changes)
        place = (KINDS.index(kind), image % PARTITIONS)
        if chance.random() < 0.06:
            stream.repeat(place, chance.randint(1, min(10, len(stream.topics[place]))))
    return stream


class Reader:
    """Applies a stream to a store as the consumer does; `delivered` are owed entries to acknowledge next time."""

    def __init__(self, stream: Stream, store: Store) -> None:
        self._stream = stream
        self._store = store
        self.progress = Progress(store.positions(range(PARTITIONS)))
        self.delivered: list[str] = []

    def step(self, sizes: dict[Place, int], asked_at: int | None) -> Step:
        """The next batch: so many events from each place."""
        events: list[Applicable] = []
        for place, size in sizes.items():
            first = self.progress.positions[place]
            events += self._stream.topics[place][first : first + size]
        after = self.progress.advanced({(one.topic, one.partition): one.offset + 1 for one in events}, events)
        ends = None if asked_at is None else self._stream.ends(asked_at)
        delivered, self.delivered = self.delivered, []
        return Step(self.progress, after, in_order(events), delivered, ends)

    def apply(self, step: Step) -> Outcome:
        """Apply it, and stand behind it."""
        outcome = self._store.apply(step)
        self.progress = step.after
        return outcome

    def finished(self) -> bool:
        return all(self.progress.positions[place] == len(self._stream.topics[place]) for place in PLACES)

    def random_steps(self, chance: random.Random, largest: int, asked_at: int | None = None) -> Iterator[Step]:
        """Batches until everything is applied; the caller applies each. Time is asked for at random, or always then."""
        asked = START
        while not self.finished():
            places = chance.sample(PLACES, chance.randint(1, len(PLACES)))
            sizes = {place: chance.randint(1, largest) for place in places}
            asked = max(asked, START + chance.randint(0, self._stream.now - START))
            yield self.step(sizes, asked_at or chance.choice([None, asked, asked]))

    def read_all(self, asked_at: int) -> list[Outcome]:
        """Everything in one batch, and then further turns until no anchor is left that is due."""
        outcomes = [self.apply(self.step(dict.fromkeys(PLACES, 10**6), asked_at))]
        while outcomes[-1].more:
            outcomes.append(self.apply(self.step({}, asked_at)))
        return outcomes
