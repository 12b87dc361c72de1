"""The order of a batch, and stream time: never ahead of an event that is still to be applied."""

from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.records import KINDS, TOPICS, Applicable
from gourmetgram.stream_consumer.batch import Ends, Place, Progress, in_order
from tests.support.events import applicable

UPLOADS, VIEWS = 0, 1
PLACES = [(topic, 0) for topic in range(5)]


@st.composite
def batches(draw: st.DrawFn) -> list[Applicable]:
    """Events of several places, mixed, each place in the order of its offsets and with any times."""
    wheres = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(0, 30)), max_size=40))
    offsets: dict[tuple[str, int], int] = defaultdict(int)
    batch = []
    for kind, partition, at in wheres:
        batch.append(applicable(kind, partition, offsets[kind, partition], at))
        offsets[kind, partition] += 1
    return batch


def offsets_by_place(events: list[Applicable]) -> dict[Place, list[int]]:
    found: dict[Place, list[int]] = defaultdict(list)
    for one in events:
        found[one.topic, one.partition].append(one.offset)
    return found


@given(batches())
def test_each_place_keeps_its_order_and_nothing_is_lost(batch: list[Applicable]) -> None:
    assert offsets_by_place(in_order(batch)) == offsets_by_place(batch)


@given(batches())
def test_an_event_comes_before_all_later_ones_of_places_that_are_in_order(batch: list[Applicable]) -> None:
    by_time = sorted(batch, key=lambda one: one.at)
    counters: dict[Place, int] = defaultdict(int)
    sorted_places = []
    for one in by_time:
        place = (one.topic, one.partition)
        sorted_places.append(one._replace(offset=counters[place]))
        counters[place] += 1
    shuffled = sorted(sorted_places, key=lambda one: (one.topic, one.partition))
    assert [one.at for one in in_order(shuffled)] == [one.at for one in by_time]


def test_an_upload_comes_before_the_views_of_its_image() -> None:
    views = [applicable("view", 0, offset, 10 + offset) for offset in range(3)]
    upload = applicable("upload", 0, 0, 9)
    assert in_order([*views, upload]) == [upload, *views]


def test_a_late_event_stands_where_its_predecessors_are() -> None:
    late = [applicable("view", 0, 0, 100), applicable("view", 0, 1, 1)]
    other = applicable("comment", 0, 0, 50)
    assert in_order([*late, other]) == [other, *late]


# ---- stream time


def progress(positions: dict[Place, int], newest: dict[Place, int] | None = None) -> Progress:
    return Progress(dict.fromkeys(PLACES, 0) | positions, newest or {})


def ends(asked_at: int, offsets: dict[Place, int] | None = None) -> Ends:
    return Ends(asked_at, dict.fromkeys(PLACES, 0) | (offsets or {}))


def test_a_partition_whose_topics_are_drained_is_at_the_moment_of_asking() -> None:
    assert progress({}).watermark(0, ends(1000)) == 1000


def test_before_the_broker_was_asked_nobody_can_vouch() -> None:
    assert progress({}).watermark(0, None) is None
    assert progress({}, {(VIEWS, 0): 5}).watermark(0, None) is None


def test_one_topic_that_cannot_vouch_is_enough_for_none() -> None:
    assert progress({}, {}).watermark(0, ends(1000, {(VIEWS, 0): 1})) is None


def test_the_slowest_topic_counts() -> None:
    behind = progress({(VIEWS, 0): 3, (UPLOADS, 0): 1}, {(VIEWS, 0): 70, (UPLOADS, 0): 90})
    assert behind.watermark(0, ends(1000, {(VIEWS, 0): 4, (UPLOADS, 0): 2})) == 70
    assert behind.watermark(0, ends(1000, {(VIEWS, 0): 3, (UPLOADS, 0): 2})) == 90


def test_a_drained_topic_with_an_event_newer_than_the_question_vouches_for_that() -> None:
    newest = dict.fromkeys(PLACES, 1001)
    assert Progress(dict.fromkeys(PLACES, 1), newest).watermark(0, ends(1000)) == 1001


def test_a_place_that_the_broker_did_not_name_is_not_drained() -> None:
    missing = {place: 0 for place in PLACES if place != (VIEWS, 0)}
    assert progress({}).watermark(0, Ends(1000, missing)) is None


def test_partitions_do_not_wait_for_each_other() -> None:
    both = Progress({(topic, partition): 0 for topic in range(5) for partition in (0, 1)})
    known = {(topic, partition): partition for topic in range(5) for partition in (0, 1)}
    assert (both.watermark(0, Ends(1000, known)), both.watermark(1, Ends(1000, known))) == (1000, None)
    assert both.partitions == [0, 1]


def test_a_partition_that_is_not_ours_has_no_time() -> None:
    assert progress({}).watermark(4, ends(1000)) is None


def test_imported_history_moves_positions_but_not_stream_time() -> None:
    history = applicable("view", 0, 0, 50, imported=True)
    after = progress({}).advanced({(VIEWS, 0): 1}, [history])
    assert after.positions[VIEWS, 0] == 1
    assert after.newest == {}
    assert after.watermark(0, ends(1000, {(VIEWS, 0): 2})) is None
    assert after.watermark(0, ends(1000, {(VIEWS, 0): 1})) == 1000


def test_refused_records_move_positions() -> None:
    after = progress({}).advanced({(VIEWS, 0): 9}, [])
    assert after.watermark(0, ends(1000, {(VIEWS, 0): 9})) == 1000


def test_a_late_event_does_not_turn_time_back() -> None:
    after = progress({}, {(VIEWS, 0): 90}).advanced({(VIEWS, 0): 2}, [applicable("view", 0, 1, 10)])
    assert after.newest[VIEWS, 0] == 90


def test_progress_is_a_value() -> None:
    before = progress({})
    before.advanced({(VIEWS, 0): 9}, [applicable("view", 0, 1, 10)])
    assert before == progress({})


def test_lag_is_what_is_left_of_each_topic() -> None:
    left = progress({(VIEWS, 0): 3}).lag(ends(1000, {(VIEWS, 0): 10, (UPLOADS, 0): 2}))
    assert left == dict.fromkeys(TOPICS, 0) | {"gourmetgram.views": 7, "gourmetgram.uploads": 2}
    assert set(progress({}).lag(None).values()) == {0}
    assert set(progress({(VIEWS, 0): 3}).lag(ends(1000, {(VIEWS, 0): 2})).values()) == {0}


@dataclass
class World:
    """A broker in whose topics everything arrives in order of time, and one who applies it. The model of the property.

    Something that happens between two answers of the broker is in no earlier answer.
    """

    now: int = 0
    topics: dict[Place, list[Applicable]] = field(default_factory=lambda: {place: [] for place in PLACES})
    progress: Progress = field(default_factory=lambda: Progress(dict.fromkeys(PLACES, 0)))
    ends: Ends | None = None

    def happens(self, kind: str, imported: bool) -> None:
        place = (KINDS.index(kind), 0)
        at = self.now - 10_000 if imported else self.now
        self.topics[place].append(applicable(kind, 0, len(self.topics[place]), at, imported=imported))

    def ask(self) -> None:
        self.ends = Ends(self.now, {place: len(events) for place, events in self.topics.items()})

    def apply(self, place: Place, number: int) -> None:
        first = self.progress.positions[place]
        events = self.topics[place][first : first + number]
        self.progress = self.progress.advanced({place: first + len(events)}, events)

    def unapplied(self) -> list[int]:
        """Times of live events that are still to come."""
        rest = [events[self.progress.positions[place] :] for place, events in self.topics.items()]
        return [one.at for events in rest for one in events if not one.event.imported]


TURNS = st.one_of(
    st.tuples(st.just("happens"), st.sampled_from(KINDS), st.booleans()),
    st.tuples(st.just("apply"), st.sampled_from(PLACES), st.integers(1, 4)),
    st.tuples(st.just("ask")),
    st.tuples(st.just("restart")),
)
Turn = tuple[int, tuple[object, ...]]


@given(st.lists(st.tuples(st.integers(0, 5), TURNS), max_size=80))
def test_stream_time_is_never_ahead_of_an_event_that_is_still_to_come(
    turns: list[tuple[int, tuple[object, ...]]],
) -> None:
    world = World()
    for passed, (what, *details) in turns:
        world.now += passed
        if what == "restart":  # positions are in Redis, what was the newest is not
            world.progress = Progress(world.progress.positions)
        else:
            getattr(world, str(what))(*details)
        watermark = world.progress.watermark(0, world.ends)
        assert watermark is None or watermark <= min(world.unapplied(), default=world.now)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(KINDS)), max_size=20))
def test_stream_time_is_the_present_once_everything_is_applied(turns: list[tuple[int, str]]) -> None:
    """Otherwise anchors would wait without end."""
    world = World()
    for passed, kind in turns:
        world.now += passed
        world.happens(kind, imported=False)
    world.ask()
    for place in PLACES:
        world.apply(place, len(turns))
    assert world.progress.watermark(0, world.ends) == world.now


@pytest.mark.parametrize("skipped", PLACES)
def test_one_topic_left_behind_holds_time_back(skipped: Place) -> None:
    world = World()
    for kind in KINDS:
        world.happens(kind, imported=False)
        world.happens(kind, imported=False)
    world.now = 500
    world.ask()
    for place in PLACES:
        world.apply(place, 1 if place == skipped else 2)
    assert world.progress.watermark(0, world.ends) == 0
