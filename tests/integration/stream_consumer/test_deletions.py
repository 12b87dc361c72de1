"""A deleted image leaves a tombstone and nothing else, whatever comes after, before or with its deletion."""

import itertools
import random

import pytest

from tests.integration.stream_consumer.redis_state import RedisState
from tests.integration.stream_consumer.streams import MINUTE, PLACES, START, Reader, Stream

IMAGE, OTHER = 7, 9


def busy(stream: Stream, image: int) -> None:
    """An upload, and enough of everything to lead to every kind of request."""
    stream.add("upload", image)
    for kind, number in {"view": 101, "comment": 11, "flag": 3}.items():
        for _ in range(number):
            stream.add(kind, image)


def keys_of(redis_state: RedisState, image: int) -> dict[str, object]:
    """All keys in which the image is found, by name or within."""
    state = redis_state.everything()
    requests = {key for key, value in state.items() if key.startswith("request:") and value["image_id"] == str(image)}
    owed = {member for member in state.get("stream:owed", {}) if f"request:{member.split('/')[-1]}" in requests}
    due = [member for member in state.get("moderation:due:1", {}) if member.startswith(f"{image}/")]
    return {key: value for key, value in state.items() if key.startswith(f"image:{image}:") or key in requests} | {
        name: found for name, found in {"owed": owed, "due": due}.items() if found
    }


def test_a_deletion_removes_everything_but_the_tombstone(redis_state: RedisState) -> None:
    stream = Stream()
    for image in (IMAGE, OTHER):
        busy(stream, image)
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    others = keys_of(redis_state, OTHER)
    assert len(keys_of(redis_state, IMAGE)) == len(others) > 12
    assert {"owed", "due"} < set(others)
    stream.now += MINUTE
    stream.add("deletion", IMAGE)
    (outcome,) = reader.read_all(stream.now)
    assert outcome.requests == []
    assert keys_of(redis_state, IMAGE) == {f"image:{IMAGE}:deleted": f"{stream.now // 10**6}.000000"}
    assert keys_of(redis_state, OTHER) == others
    owed = redis_state.store().owed([1])
    assert not [one for one in owed if "/request/" in one and redis_state.store().request(one.split("/")[2]) is None]


def test_nothing_comes_back(redis_state: RedisState) -> None:
    """Events that were on their way, a repeated upload, anchors, and the time after."""
    stream = Stream()
    busy(stream, IMAGE)
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    stream.add("deletion", IMAGE)
    reader.read_all(START)
    busy(stream, IMAGE)
    outcomes = reader.read_all(START) + reader.read_all(START + 40 * MINUTE)
    assert [one.requests + one.milestones + one.popular for one in outcomes] == [[]] * len(outcomes)
    assert outcomes[0].skipped == 116
    assert list(keys_of(redis_state, IMAGE)) == [f"image:{IMAGE}:deleted"]


@pytest.mark.parametrize("first", [None, *range(5)])
def test_the_order_of_the_topics_does_not_matter(redis_state: RedisState, first: int | None) -> None:
    """A replay may read the deletion before the upload, or all in one batch, or one topic long before the others."""
    stream = Stream()
    busy(stream, IMAGE)
    stream.now += MINUTE
    stream.add("deletion", IMAGE)
    reader = Reader(stream, redis_state.store())
    if first is not None:
        reader.apply(reader.step({(first, 1): 1000}, None))
    reader.read_all(stream.now)
    reader.read_all(START + 40 * MINUTE)
    assert list(keys_of(redis_state, IMAGE)) == [f"image:{IMAGE}:deleted"]


def test_an_image_deleted_in_the_batch_of_its_events_is_not_counted_further(redis_state: RedisState) -> None:
    stream = Stream()
    for image in (IMAGE, OTHER):
        busy(stream, image)
    stream.now += 1
    stream.add("deletion", IMAGE)
    stream.now += 1
    for image in (IMAGE, OTHER):
        stream.add("view", image)
    (outcome,) = Reader(stream, redis_state.store()).read_all(stream.now)
    assert outcome.skipped == 1
    assert redis_state.everything()[f"image:{OTHER}:total_views"] == "102"
    assert list(keys_of(redis_state, IMAGE)) == [f"image:{IMAGE}:deleted"]


def test_a_deletion_by_a_test_account_or_of_an_imported_image_deletes(redis_state: RedisState) -> None:
    stream = Stream()
    for image, changes in {IMAGE: {"is_test": True}, OTHER: {"imported": True}}.items():
        busy(stream, image)
        stream.add("deletion", image, **changes)
    Reader(stream, redis_state.store()).read_all(stream.now)
    assert list(keys_of(redis_state, IMAGE)) == [f"image:{IMAGE}:deleted"]
    assert list(keys_of(redis_state, OTHER)) == [f"image:{OTHER}:deleted"]


def test_a_tombstone_survives_a_second_deletion_and_a_replay(redis_state: RedisState) -> None:
    stream = Stream()
    stream.add("deletion", IMAGE)
    stream.repeat((4, 1), 1)
    stream.now += MINUTE
    stream.add("deletion", IMAGE)
    busy(stream, IMAGE)
    for _, largest in itertools.product(range(2), (1, 50)):
        redis_state.store().forget_everything()
        reader = Reader(stream, redis_state.store())
        for step in reader.random_steps(random.Random(largest), largest):
            reader.apply(step)
        reader.apply(reader.step(dict.fromkeys(PLACES, 1000), stream.now))
        assert list(keys_of(redis_state, IMAGE)) == [f"image:{IMAGE}:deleted"]


def test_a_deletion_in_another_partition_than_its_image_stops_the_anchors_all_the_same(redis_state: RedisState) -> None:
    """Only a foreign producer would do that; an image that is gone must not be scored whoever said so."""
    stream = Stream()
    stream.add("upload", IMAGE)
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    stream.add("deletion", IMAGE, partition=0)
    reader.read_all(START)
    (later,) = reader.read_all(START + 40 * MINUTE)
    assert later.requests == []
    assert "due" not in keys_of(redis_state, IMAGE)
