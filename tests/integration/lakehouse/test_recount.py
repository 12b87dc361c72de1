"""Promise 4, lived through many times: whatever comes in which order, cut into whatever pieces, equals a recount."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.events import encode
from gourmetgram.core.records import KINDS
from gourmetgram.core.topics import EVENT_TOPICS
from gourmetgram.lakehouse.landing import freeze_ends
from gourmetgram.lakehouse.offsets import Coverage, Offsets, Place, Superseded, parse_offsets
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, WINDOWS
from tests.faults.unusable import UNUSABLE
from tests.integration.lakehouse.memory import FolderLake, MemoryLog
from tests.support.events import event
from tests.support.history_recount import Deleted, History
from tests.support.lakehouse import MINUTE_MICROSECONDS

MIDNIGHT = 1_794_268_800 * 10**6  # 2026-11-10
TILE = 5 * MINUTE_MICROSECONDS
PARTITIONS = 2
FOREIGN = [one for one in UNUSABLE if one.topic in EVENT_TOPICS.values()]


class Happens(NamedTuple):
    """An event: when, in tiles before or after midnight, and microseconds beside the edge of the tile."""

    kind: str
    image: int
    tile: int
    beside: int
    identity: int
    is_test: bool
    imported: bool
    on_comment: bool


class Repeats(NamedTuple):
    """The event that stands so far back among all that were published is published again."""

    back: int


class Garbage(NamedTuple):
    """A record that nobody can read."""

    which: int
    image: int


class Runs(NamedTuple):
    """A run: how much goes into a commit, after how many batches the broker is away, which windows get written."""

    chunk: int
    largest: int
    away_after: int | None
    kinds: frozenset[str]


class Leftover(NamedTuple):
    """A task of an earlier run goes on, with the ends that were frozen then."""

    back: int
    kind: str


happens = st.builds(
    Happens,
    kind=st.sampled_from([*KINDS, "view", "view", "comment", "flag"]),
    image=st.integers(1, 4),
    tile=st.sampled_from([-289, -288, -287, -1, 0, 0, 1, 2, 287, 288]),
    beside=st.sampled_from([-1, 0, 0, 1, TILE // 2, TILE - 1]),
    identity=st.integers(0, 2**122 - 1),
    is_test=st.sampled_from([False, False, False, True]),
    imported=st.booleans(),
    on_comment=st.sampled_from([False, False, True]),
)
operations = st.lists(
    st.one_of(
        happens,
        happens,
        happens,
        st.builds(Repeats, st.integers(1, 30)),
        st.builds(Garbage, st.integers(0, len(FOREIGN) - 1), st.integers(1, 4)),
        st.builds(
            Runs,
            st.sampled_from([1, 3, 10, 1000]),
            st.integers(1, 6),
            st.sampled_from([None, None, None, 0, 1, 3]),
            st.frozensets(st.sampled_from(list(WINDOWS))),
        ),
        st.builds(Leftover, st.integers(1, 3), st.sampled_from(["events", *WINDOWS])),
    ),
    min_size=15,
    max_size=50,
)


class Life:
    """Does what an example says, and compares."""

    def __init__(self, lake: FolderLake, seed: int) -> None:
        self.lake = lake
        self.log = MemoryLog(seed)
        self._serial = 0
        self._published: list[tuple[Place, bytes, bytes]] = []
        self._frozen: list[Offsets] = []

    def go(self, one: Any) -> None:
        getattr(self, f"_{type(one).__name__.lower()}")(one)

    def _happens(self, one: Happens) -> None:
        self._serial += 1
        changes: dict[str, Any] = {"is_test": one.is_test, "imported": one.imported}
        if one.kind == "flag" and one.on_comment:
            changes["comment_id"] = 5
        at = MIDNIGHT + one.tile * TILE + one.beside
        made = event(one.kind, one.identity * 64 + self._serial % 64, at, one.image, **changes)
        published = (Place(made.topic, one.image % PARTITIONS), str(one.image).encode(), encode(made))
        self._published.append(published)
        self.log.append(*published)

    def _repeats(self, one: Repeats) -> None:
        if self._published:
            self.log.append(*self._published[-min(one.back, len(self._published))])

    def _garbage(self, one: Garbage) -> None:
        unusable = FOREIGN[one.which]
        value = unusable.value(one.image, datetime.now(UTC))
        key = None if unusable.without_key else str(one.image).encode()
        self.log.append(Place(unusable.topic, one.image % PARTITIONS), key, value)

    def _runs(self, one: Runs) -> None:
        ends = self.freeze()
        self.log.largest, self.log.away_after = one.largest, one.away_after
        try:
            self.lake.land(self.log, ends, "run", one.chunk)
        except BrokerUnavailable:
            return
        finally:
            self.log.away_after = None
        for kind in sorted(one.kinds):
            self.lake.write_windows(kind, ends, "run")
            assert self.lake.counts(kind) == History(self.log.before(ends)).windows(kind)

    def _leftover(self, one: Leftover) -> None:
        if len(self._frozen) < one.back:
            return
        ends = self._frozen[-one.back]
        name = EVENTS if one.kind == "events" else WINDOWS[one.kind]
        covered = self.covered(name)
        before = self.lake.snapshots()
        if any(covered.get(place, 0) > end for place, end in ends.items()):
            with pytest.raises(Superseded):
                self._task(one.kind, ends)
        elif one.kind == "events" or self.covered(EVENTS) == ends:
            self._task(one.kind, ends)
            before.pop(name), before.pop(DELETED_IMAGES)
        assert before.items() <= self.lake.snapshots().items()

    def _task(self, kind: str, ends: Offsets) -> None:
        if kind == "events":
            self.lake.land(self.log, ends, "left over", 10)
        else:
            self.lake.write_windows(kind, ends, "left over")

    def covered(self, name: str) -> Offsets:
        return Coverage.of(self.lake.catalog.load_table(name).properties).offsets

    def freeze(self) -> Offsets:
        ends = parse_offsets(freeze_ends(self.log))
        self._frozen.append(ends)
        return ends

    def check(self) -> None:
        """A run without any trouble; and then one more, with nothing to do."""
        ends = self.freeze()
        self.lake.run(self.log, ends, "the last run")
        expected = History(self.log.before(ends))
        found = sorted(self.lake.rows(EVENTS), key=lambda row: str(row["event_id"]))
        assert found == expected.rows()
        for kind in WINDOWS:
            assert self.lake.counts(kind) == expected.windows(kind), kind
        for name in (EVENTS, *WINDOWS.values()):
            assert self.covered(name) == ends
        tombstones = self.lake.rows(DELETED_IMAGES)
        assert sorted(row["image_id"] for row in tombstones) == sorted(expected.deleted)  # type: ignore[type-var]
        for row in tombstones:
            one = Deleted(str(row["event_id"]), int(str(row["partition"])), int(str(row["offset"])))
            assert one in expected.deleted[int(str(row["image_id"]))]
        before = self.lake.snapshots()
        done = self.lake.run(self.log, self.freeze(), "with nothing to do")
        assert (done.read, done.commits) == (0, 0)
        assert self.lake.snapshots() == before


@contextmanager
def empty_lake() -> Iterator[FolderLake]:
    with tempfile.TemporaryDirectory() as folder:
        lake = FolderLake(Path(folder))
        try:
            yield lake
        finally:
            lake.close()


@settings(
    max_examples=30,
    deadline=None,
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # a failing example is read, or shrunk by hand: a try takes a second
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(operations, st.integers(0, 1000))
def test_a_history_equals_a_recount(example: list[Any], seed: int) -> None:
    with empty_lake() as lake:
        life = Life(lake, seed)
        for one in example:
            life.go(one)
        life.check()
