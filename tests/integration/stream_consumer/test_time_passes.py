"""Anchors, trimming and expiry, with a clock that the test moves."""

import random

import pytest

from gourmetgram.stream_consumer.state import Outcome
from tests.integration.stream_consumer.redis_state import RedisState
from tests.integration.stream_consumer.streams import MINUTE, SECOND, START, Reader, Stream

IMAGE = 7
DAY_SECONDS = 24 * 3600


def anchors(*outcomes: Outcome) -> list[tuple[int, str, int]]:
    """Image, key and as_of in minutes after START."""
    requests = [request for one in outcomes for request in one.requests if request.trigger == "anchor"]
    return [(request.image_id, request.key, (request.as_of - START) // MINUTE) for request in requests]


def test_an_upload_is_asked_about_at_once_and_after_5_and_30_minutes(redis_state: RedisState) -> None:
    stream = Stream()
    stream.add("upload", IMAGE)
    reader = Reader(stream, redis_state.store())
    (first,) = reader.read_all(START)
    assert [(one.trigger, one.key, one.as_of) for one in first.requests] == [("upload", "0", START)]
    assert redis_state.everything()["moderation:due:1"] == {"7/5": START + 5 * MINUTE, "7/30": START + 30 * MINUTE}
    fired = {}
    for minute in range(1, 61):
        for microseconds in (-1, 0):
            at = START + minute * MINUTE + microseconds
            if found := anchors(*reader.read_all(at)):
                fired[at] = found
    assert fired == {START + 5 * MINUTE: [(IMAGE, "5", 5)], START + 30 * MINUTE: [(IMAGE, "30", 30)]}
    assert "moderation:due:1" not in redis_state.everything()


def test_an_anchor_that_fires_late_counts_as_of_its_own_instant_before_anything_is_trimmed(
    redis_state: RedisState,
) -> None:
    """The consumer was away for three hours. The same batch brings the image's later events and trims its windows."""
    stream = Stream()
    stream.add("upload", IMAGE)
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    for kind, number in {"view": 4, "comment": 3, "flag": 2}.items():
        for _ in range(number):
            stream.now += SECOND
            stream.add(kind, IMAGE)
    stream.now = START + 6 * MINUTE
    stream.add("flag", IMAGE)
    stream.now = START + 180 * MINUTE
    for kind in ("view", "comment", "flag"):
        stream.add(kind, IMAGE)
    (outcome,) = reader.read_all(stream.now)
    found = {one.key: one for one in outcome.requests if one.trigger == "anchor"}
    assert anchors(outcome) == [(IMAGE, "5", 5), (IMAGE, "30", 30)]
    five, thirty = found["5"].counts, found["30"].counts
    assert (five.views_5min, five.comments_5min, five.flags_5min, five.total_flags) == (4, 3, 2, 2)
    assert (five.views_1hr, five.comments_1hr, five.flags_1hr) == (4, 3, 2)
    assert (thirty.views_5min, thirty.views_1hr, thirty.flags_1hr, thirty.total_flags) == (0, 4, 3, 3)
    for kind in ("view", "comment", "flag"):
        assert list(redis_state.window(IMAGE, kind).values()) == [stream.now]


def test_an_anchor_waits_for_the_slowest_topic(redis_state: RedisState) -> None:
    """Otherwise it would not count what has happened already and is still to be read."""
    stream = Stream()
    stream.add("upload", IMAGE)
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    stream.now = START + 4 * MINUTE
    stream.add("view", IMAGE)
    stream.now = START + 10 * MINUTE
    waiting = reader.apply(reader.step({}, stream.now))
    assert anchors(waiting) == []
    outcomes = reader.read_all(stream.now)
    assert anchors(*outcomes) == [(IMAGE, "5", 5)]
    assert outcomes[0].requests[-1].counts.views_5min == 1


def test_many_anchors_are_asked_about_a_few_at_a_time_and_none_is_lost(redis_state: RedisState) -> None:
    stream = Stream()
    for image in range(1, 41, 2):
        stream.add("upload", image)  # all at one instant, so that their anchors are due together
    stream.now += MINUTE
    for image in range(41, 60, 2):
        stream.add("upload", image)
    reader = Reader(stream, redis_state.store(anchors_at_once=3))
    reader.read_all(stream.now)
    outcomes = reader.read_all(START + 32 * MINUTE)
    assert max(len(one.requests) for one in outcomes) == 3
    assert [one.more for one in outcomes] == [True] * 20 + [False]
    first, second = list(range(1, 41, 2)), list(range(41, 60, 2))
    expected = [(image, "5", 5) for image in first] + [(image, "5", 6) for image in second]
    expected += [(image, "30", 30) for image in first] + [(image, "30", 31) for image in second]
    assert sorted(anchors(*outcomes)) == sorted(expected)
    assert [one[2] for one in anchors(*outcomes)] == sorted(one[2] for one in expected)
    assert redis_state.everything()["stream:watermark"]["1"] == str(START + 32 * MINUTE)


def test_time_stands_still_while_anchors_are_left_that_are_due(redis_state: RedisState) -> None:
    """Windows must not be trimmed beyond an anchor that is still to be asked about."""
    stream = Stream()
    for image in (1, 3, 5):
        stream.add("upload", image)
    stream.now += 30 * MINUTE
    for image in (1, 3, 5):
        stream.add("view", image)
    reader = Reader(stream, redis_state.store(anchors_at_once=1))
    outcomes = reader.read_all(START + 300 * MINUTE)
    times = [time for one in outcomes for _, time in one.watermarks if _ == 1]
    assert times == sorted(times)
    assert times[:6] == [START + 5 * MINUTE] * 3 + [START + 30 * MINUTE] * 3
    assert times[-1] == START + 300 * MINUTE
    thirty = [request for one in outcomes for request in one.requests if request.key == "30"]
    assert [request.counts.views_5min for request in thirty] == [1, 1, 1]


def test_windows_are_trimmed_at_65_minutes_behind_stream_time(redis_state: RedisState) -> None:
    stream = Stream()
    oldest = stream.add("view", IMAGE)
    stream.now += 1
    kept = stream.add("view", IMAGE)
    reader = Reader(stream, redis_state.store())
    reader.read_all(stream.now)
    assert set(redis_state.window(IMAGE, "view")) == {oldest, kept}
    stream.now = START + 65 * MINUTE
    newest = stream.add("view", IMAGE)
    reader.read_all(stream.now)
    assert set(redis_state.window(IMAGE, "view")) == {kept, newest}


def test_an_event_too_old_for_any_window_is_in_the_totals(redis_state: RedisState) -> None:
    stream = Stream()
    stream.now = START + 200 * MINUTE
    reader = Reader(stream, redis_state.store())
    reader.read_all(stream.now)
    stream.add("view", IMAGE, late=65 * MINUTE)
    in_time = stream.add("view", IMAGE, late=65 * MINUTE - 1)
    (outcome,) = reader.read_all(stream.now)
    assert outcome.late == 1
    assert set(redis_state.window(IMAGE, "view")) == {in_time}
    assert redis_state.everything()[f"image:{IMAGE}:total_views"] == "2"


def test_stream_time_never_runs_backwards(redis_state: RedisState) -> None:
    stream = Stream()
    reader = Reader(stream, redis_state.store())
    reader.read_all(START + 10 * MINUTE)
    reader.read_all(START + 9 * MINUTE)
    assert set(redis_state.everything()["stream:watermark"].values()) == {str(START + 10 * MINUTE)}
    reader.apply(reader.step({}, None))
    assert set(redis_state.everything()["stream:watermark"].values()) == {str(START + 10 * MINUTE)}


def test_what_nobody_touches_expires_and_what_must_last_does_not(redis_state: RedisState) -> None:
    stream = Stream()
    stream.add("upload", IMAGE)
    for kind in ("view", "comment", "flag"):
        stream.add(kind, IMAGE)
    stream.add("deletion", 9)
    reader = Reader(stream, redis_state.store())
    (outcome,) = reader.read_all(START)
    lives = {key: redis_state.student.ttl(key) for key in redis_state.everything()}
    image = f"image:{IMAGE}"
    expiring = {key: life for key, life in lives.items() if life != -1}
    assert expiring.pop("image:9:deleted") > 30 * DAY_SECONDS
    assert set(expiring) == {f"{image}:views", f"{image}:comments", f"{image}:flags", f"{image}:requests"}
    assert all(DAY_SECONDS - 60 < life <= DAY_SECONDS for life in expiring.values())
    request = str(outcome.requests[0].request_id)
    assert lives[f"request:{request}"] == -1  # owed: it stays until it has arrived

    reader.delivered = [f"1/request/{request}"]
    reader.apply(reader.step({}, None))
    assert 0 < redis_state.student.ttl(f"request:{request}") <= DAY_SECONDS

    stream.add("upload", IMAGE)  # the same question is asked again: it is owed again, however long that takes
    reader.read_all(START)
    assert redis_state.student.ttl(f"request:{request}") == -1


def test_an_owed_entry_stays_until_it_has_arrived(redis_state: RedisState) -> None:
    stream = Stream()
    stream.add("upload", IMAGE)
    stream.add("upload", 8)
    store = redis_state.store()
    reader = Reader(stream, store)
    (outcome,) = reader.read_all(START)
    mine, other = (f"{one.partition}/request/{one.request_id}" for one in reversed(outcome.requests))
    assert outcome.owed == 2
    for minute in range(3):
        reader.read_all(START + minute * MINUTE)
        assert set(store.owed([0, 1])) == {mine, other}
    assert (store.owed([0]), store.owed([1])) in [([mine], [other]), ([other], [mine])]
    reader.delivered = [mine]
    assert reader.apply(reader.step({}, None)).owed == 1
    assert store.owed([0, 1]) == [other]


def test_a_flag_that_comes_too_late_asks_as_of_the_earliest_instant_whose_windows_are_whole(
    redis_state: RedisState,
) -> None:
    """Of the last 65 minutes all events are there: the windows of an hour are whole from 5 minutes ago on."""
    stream = Stream()
    stream.now = START + 200 * MINUTE
    reader = Reader(stream, redis_state.store())
    reader.read_all(stream.now)
    stream.add("view", IMAGE, late=64 * MINUTE)
    reader.read_all(stream.now)
    stream.add("flag", IMAGE, late=70 * MINUTE)
    (outcome,) = reader.read_all(stream.now)
    (request,) = outcome.requests
    assert (request.trigger, request.key, request.as_of) == ("flagged", "1", stream.now - 5 * MINUTE)
    assert (request.counts.views_1hr, request.counts.flags_1hr, request.counts.total_flags) == (1, 0, 1)


def test_an_image_younger_than_what_is_retained_is_asked_about_as_of_its_own_instants(redis_state: RedisState) -> None:
    stream = Stream()
    reader = Reader(stream, redis_state.store())
    reader.read_all(START)
    stream.now = START + 60 * MINUTE
    reader.read_all(stream.now)
    stream.add("upload", IMAGE, late=40 * MINUTE)
    stream.add("flag", IMAGE, late=30 * MINUTE)
    (outcome,) = reader.read_all(stream.now)
    assert [(one.trigger, (one.as_of - START) // MINUTE) for one in outcome.requests] == [
        ("upload", 20),
        ("flagged", 30),
        ("anchor", 25),
        ("anchor", 50),
    ]


@pytest.mark.parametrize("start", [START, 2_300_000_000 * SECOND])
def test_instants_are_exact_to_the_microsecond(redis_state: RedisState, start: int) -> None:
    """Redis keeps scores as floating point, in which most of them have no exact form."""
    stream = Stream()
    chance = random.Random(1)
    uploads = {}
    for image in range(1, 201):
        stream.now = start + chance.randrange(MINUTE)
        uploads[image] = stream.now
        stream.add("upload", image)
    stream.now = start + MINUTE
    reader = Reader(stream, redis_state.store())
    outcomes = [*reader.read_all(stream.now), *reader.read_all(start + 40 * MINUTE)]
    asked = [request for one in outcomes for request in one.requests]
    assert len(asked) == 600
    assert all(one.as_of == uploads[one.image_id] + int(one.key) * MINUTE for one in asked)
    for request in asked:
        found = redis_state.store().request(str(request.request_id))
        assert found is not None
        assert found.as_of == request.as_of
