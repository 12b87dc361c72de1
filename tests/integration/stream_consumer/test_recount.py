"""Random streams, cut anyhow: Redis holds and asks what a model in plain Python says, key by key."""

import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gourmetgram.stream_consumer.state import Behind, Outcome, Step
from tests.integration.stream_consumer.model import Followed, Limits, Model
from tests.integration.stream_consumer.redis_state import RedisState, State
from tests.integration.stream_consumer.streams import (
    LATENESS,
    MINUTE,
    PARTITIONS,
    Reader,
    Stream,
    random_stream,
)

SMALL = Limits(viral=6, suspicious=3, popular=9, milestones=(3, 5, 12), anchors_at_once=2, seen=20)
PATIENT = Limits(viral=6, suspicious=3, popular=9, milestones=(3, 5, 12))
SEEDS = st.integers(0, 2**32)
RUN = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.reuse, Phase.generate],  # a seed has no smaller one
)
NO_DELETIONS = ("upload", "view", "comment", "flag")


def followed(outcome: Outcome) -> Followed:
    fields = {name: getattr(outcome, name) for name in Followed.__dataclass_fields__}
    return Followed(**fields)


def acknowledge_some(reader: Reader, chance: random.Random, owed: Iterable[str]) -> None:
    reader.delivered = [member for member in sorted(owed) if chance.random() < 0.5]


@RUN
@given(seed=SEEDS, largest=st.sampled_from([1, 5, 40, 1000]))
def test_every_batch_does_what_the_model_does(redis_state: RedisState, seed: int, largest: int) -> None:
    chance = random.Random(seed)
    stream = random_stream(chance, 120)
    store = redis_state.store(**SMALL.rules())
    store.forget_everything()
    reader, model = Reader(stream, store), Model(SMALL)
    for step in reader.random_steps(chance, largest):
        expected = model.apply(step)
        assert followed(reader.apply(step)) == expected
        acknowledge_some(reader, chance, model.owed)
    assert redis_state.everything() == model.everything()
    last = Followed(more=True)
    while last.more:
        step = reader.step({}, stream.now + 30 * MINUTE)
        last = model.apply(step)
        assert followed(reader.apply(step)) == last
    assert redis_state.everything() == model.everything()
    assert not any(key.startswith("moderation:due") for key in redis_state.everything())


def run(redis_state: RedisState, stream: Stream, steps: str, seed: int = 0) -> tuple[list[Outcome], State]:
    """Apply the whole stream from an empty store; `steps` says how it is cut."""
    store = redis_state.store(**PATIENT.rules())
    store.forget_everything()
    reader, chance = Reader(stream, store), random.Random(seed)
    outcomes = []
    if steps != "one":
        for step in reader.random_steps(chance, int(steps)):
            outcomes.append(reader.apply(step))
    outcomes += reader.read_all(stream.now + 31 * MINUTE)
    return outcomes, redis_state.everything()


def lasting(state: State, stream: Stream) -> State:
    """The state without what depends on the cut: counts frozen at other offsets, and what may be trimmed by now.

    Events that are more than 65 minutes old stay until their image is touched again, and nobody counts them.
    """
    border = stream.now + 31 * MINUTE - 65 * MINUTE
    kept: State = {}
    for key, value in state.items():
        if key.startswith("request:"):
            kept[key] = {name: value[name] for name in ("image_id", "trigger", "key")}
        elif key.startswith("image:") and key.endswith(("views", "comments", "flags")) and isinstance(value, dict):
            if recent := {member: time for member, time in value.items() if time > border}:
                kept[key] = recent
        elif key == "stream:owed":
            kept[key] = set(value)
        else:
            kept[key] = value
    return kept


@RUN
@given(seed=SEEDS, largest=st.sampled_from(["1", "3", "20"]))
def test_the_cut_into_batches_changes_nothing(redis_state: RedisState, seed: int, largest: str) -> None:
    stream = random_stream(random.Random(seed), 80, lateness=LATENESS, kinds=NO_DELETIONS)
    at_once, first = run(redis_state, stream, "one")
    in_many, second = run(redis_state, stream, largest, seed)
    assert lasting(first, stream) == lasting(second, stream)
    assert asked(at_once) == asked(in_many)
    assert sorted(m for one in at_once for m in one.milestones) == sorted(m for one in in_many for m in one.milestones)


def asked(outcomes: Iterable[Outcome]) -> set[str]:
    """Ids: an image of these streams may be uploaded several times, and then its anchors may be one or several."""
    return {str(request.request_id) for one in outcomes for request in one.requests}


def without_requests(outcome: Outcome) -> bool:
    return not (outcome.requests or outcome.milestones or outcome.popular)


@RUN
@given(seed=SEEDS)
def test_a_batch_applied_twice_counts_once(redis_state: RedisState, seed: int) -> None:
    """An answer that was lost: the same call is made again, from the same place."""
    chance = random.Random(seed)
    stream = random_stream(chance, 80)
    store = redis_state.store(**PATIENT.rules())
    store.forget_everything()
    reader, model = Reader(stream, store), Model(PATIENT)
    for step in reader.random_steps(chance, 10):
        model.apply(step)
        reader.apply(step)
        before = redis_state.everything()
        again = store.apply(step)
        assert again.repeated == len(step.events)
        assert without_requests(again)
        assert redis_state.everything() == before
    assert redis_state.everything() == model.everything()


@RUN
@given(seed=SEEDS)
def test_one_that_is_behind_does_not_disturb_one_that_is_ahead(redis_state: RedisState, seed: int) -> None:
    """A member that froze and thaws applies what another has applied since."""
    chance = random.Random(seed)
    stream = random_stream(chance, 60)
    store = redis_state.store(**PATIENT.rules())
    store.forget_everything()
    slow = Reader(stream, store)
    fast, model = Reader(stream, store), Model(PATIENT)
    for step in fast.random_steps(chance, 10):
        model.apply(step)
        fast.apply(step)
    for step in slow.random_steps(chance, 10):
        expected = model.apply(step)
        assert expected.repeated == len(step.events)
        assert followed(slow.apply(step)) == expected
    assert redis_state.everything() == model.everything()


@RUN
@given(seed=SEEDS, share=st.floats(0, 0.9))
def test_redis_that_lost_its_last_second_is_brought_up_again(redis_state: RedisState, seed: int, share: float) -> None:
    """What it lost it lost whole, offsets and all: it stands where it stood some batches ago."""
    chance = random.Random(seed)
    stream = random_stream(chance, 80)
    store = redis_state.store(**PATIENT.rules())
    store.forget_everything()
    reader = Reader(stream, store)
    steps = []
    for step in reader.random_steps(chance, 10):
        steps.append(step)
        reader.apply(step)
    complete = redis_state.everything()

    store.forget_everything()
    survived = int(len(steps) * share)
    for step in steps[:survived]:
        store.apply(step)
    partial = redis_state.everything()
    beyond = Step(reader.progress, reader.progress, [], [], None)
    with pytest.raises(Behind, match="Redis has applied up to offset"):
        store.apply(beyond)
    assert redis_state.everything() == partial
    assert store.positions(range(PARTITIONS)) == steps[survived].before.positions
    for step in steps[survived:]:
        store.apply(step)
    assert redis_state.everything() == complete


@RUN
@given(seed=SEEDS)
def test_a_replay_into_an_empty_store_gives_the_first_state(redis_state: RedisState, seed: int) -> None:
    stream = random_stream(random.Random(seed), 100, lateness=LATENESS)
    _, live = run(redis_state, stream, "2", seed)
    _, replayed = run(redis_state, stream, "1000", seed + 1)
    kinds = ("views", "comments", "flags", "metadata", "deleted")
    assert {key: value for key, value in lasting(live, stream).items() if key.endswith(kinds)} == {
        key: value for key, value in lasting(replayed, stream).items() if key.endswith(kinds)
    }
    assert live["stream:offsets"] == replayed["stream:offsets"]


@RUN
@given(seed=SEEDS)
def test_what_is_owed_is_read_back_as_it_was_asked(redis_state: RedisState, seed: int) -> None:
    chance = random.Random(seed)
    stream = random_stream(chance, 60, kinds=NO_DELETIONS)
    store = redis_state.store(**PATIENT.rules())
    store.forget_everything()
    outcomes = Reader(stream, store).read_all(stream.now)
    latest = {str(request.request_id): request for one in outcomes for request in one.requests}
    owed = [member for partition in range(PARTITIONS) for member in store.owed([partition])]
    assert sorted(owed) == sorted(store.owed(range(PARTITIONS)))
    requests = [member.split("/")[2] for member in owed if "/request/" in member]
    assert sorted(requests) == sorted(latest)
    for id_, request in latest.items():
        found = store.request(id_)
        assert found is not None
        assert msgspec.structs.asdict(found) == msgspec.structs.asdict(request)


def test_records_that_were_refused_are_passed_by(redis_state: RedisState) -> None:
    """They are no events, so that only the positions reached tell of them; otherwise they were refused again."""
    store = redis_state.store()
    before = Reader(Stream(), store).progress
    after = before.advanced({(1, 0): 5, (3, 1): 2}, [])
    store.apply(Step(before, after, [], [], None))
    assert store.positions(range(PARTITIONS)) == after.positions
    store.apply(Step(before, before, [], [], None))
    assert store.positions(range(PARTITIONS)) == after.positions
