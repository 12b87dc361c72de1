"""When an image is scored again because of what people do: thresholds, at their borders and with the usual numbers."""

import itertools
from typing import Any

import pytest

from gourmetgram.core.moderation import request_id
from gourmetgram.stream_consumer.state import Outcome, rules
from tests.integration.stream_consumer.redis_state import RedisState
from tests.integration.stream_consumer.streams import MINUTE, SECOND, START, Reader, Stream

IMAGE = 7


def apply_all(redis_state: RedisState, stream: Stream, **changes: int) -> Outcome:
    """The outcome of the whole stream in one batch."""
    reader = Reader(stream, redis_state.store(**changes))
    return reader.read_all(stream.now)[0]


def add_every(stream: Stream, kind: str, number: int, gap: int, **changes: Any) -> list[str]:
    """So many events with a gap (microseconds) between two; returns their ids."""
    ids = []
    for position in range(number):
        stream.now += gap if position else 0
        ids.append(stream.add(kind, IMAGE, **changes))
    return ids


def keys(outcome: Outcome, trigger: str) -> list[str]:
    return [request.key for request in outcome.requests if request.trigger == trigger]


def test_the_hundredth_view_in_five_minutes_asks_once(redis_state: RedisState) -> None:
    stream = Stream()
    ids = add_every(stream, "view", 120, SECOND)
    outcome = apply_all(redis_state, stream)
    (request,) = outcome.requests
    assert (request.trigger, request.key, request.as_of) == ("viral", ids[99], START + 99 * SECOND)
    assert request.request_id == request_id(IMAGE, "viral", ids[99])
    assert (request.counts.views_5min, request.counts.views_1hr) == (100, 100)
    assert request.offsets["gourmetgram.views"] == 100
    assert [member.split("/")[2:4] for member in outcome.milestones] == [["7", "10"], ["7", "100"]]
    assert outcome.popular == [("7", 50)]


@pytest.mark.parametrize(("last", "viral"), [(5 * MINUTE - 1, True), (5 * MINUTE, False)])
def test_views_exactly_five_minutes_apart_are_not_in_one_window(
    redis_state: RedisState, last: int, viral: bool
) -> None:
    stream = Stream()
    add_every(stream, "view", 99, 0)
    stream.now = START + last
    stream.add("view", IMAGE)
    assert bool(keys(apply_all(redis_state, stream), "viral")) == viral


@pytest.mark.parametrize(("last", "suspicious"), [(MINUTE - 1, True), (MINUTE, False)])
def test_ten_comments_within_a_minute(redis_state: RedisState, last: int, suspicious: bool) -> None:
    stream = Stream()
    add_every(stream, "comment", 9, 0)
    stream.now = START + last
    tenth = stream.add("comment", IMAGE)
    assert keys(apply_all(redis_state, stream), "suspicious") == ([tenth] if suspicious else [])


@pytest.mark.parametrize(("last", "popular"), [(60 * MINUTE - 1, True), (60 * MINUTE, False)])
def test_fifty_views_within_an_hour_are_told_and_not_asked_about(
    redis_state: RedisState, last: int, popular: bool
) -> None:
    stream = Stream()
    add_every(stream, "view", 49, 0)
    stream.now = START + last
    stream.add("view", IMAGE)
    outcome = apply_all(redis_state, stream)
    assert (outcome.popular, outcome.requests) == ([("7", 50)] if popular else [], [])


def test_an_alert_is_armed_again_when_the_count_has_fallen_below(redis_state: RedisState) -> None:
    """Ten comments in a second, then one a second: the 61st second has nine of the last minute less, and so on."""
    stream = Stream()
    first = add_every(stream, "comment", 10, 0)
    stream.now += 30 * SECOND
    more = add_every(stream, "comment", 5, SECOND)  # 11 to 15: armed again by nothing
    stream.now = START + MINUTE + 1  # the first ten have left, five are in
    again = add_every(stream, "comment", 5, 0)
    assert keys(apply_all(redis_state, stream), "suspicious") == [first[9], again[4]]
    assert len(more) == 5


def test_a_late_event_may_be_the_one_that_crosses_and_the_question_is_as_of_the_newest(
    redis_state: RedisState,
) -> None:
    stream = Stream()
    add_every(stream, "comment", 9, 0)
    late = stream.add("comment", IMAGE, late=30 * SECOND)
    (request,) = apply_all(redis_state, stream).requests
    assert (request.key, request.as_of, request.counts.comments_5min) == (late, START, 10)


def test_a_late_event_outside_the_newest_window_asks_for_nothing(redis_state: RedisState) -> None:
    """The window is full, and an event that is not in it changes nothing about it."""
    stream = Stream()
    add_every(stream, "comment", 10, 0)
    stream.add("comment", IMAGE, late=MINUTE)
    outcome = apply_all(redis_state, stream)
    assert len(keys(outcome, "suspicious")) == 1


def test_flags_ask_at_the_first_and_at_each_doubling(redis_state: RedisState) -> None:
    stream = Stream()
    add_every(stream, "flag", 17, SECOND)
    outcome = apply_all(redis_state, stream)
    assert keys(outcome, "flagged") == ["1", "2", "4", "8", "16"]
    assert [request.counts.total_flags for request in outcome.requests] == [1, 2, 4, 8, 16]
    assert [request.as_of - START for request in outcome.requests] == [0, SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND]


def test_flags_on_comments_count_nowhere(redis_state: RedisState) -> None:
    stream = Stream()
    add_every(stream, "flag", 5, 0, comment_id=3)
    assert apply_all(redis_state, stream).requests == []
    assert not [key for key in redis_state.everything() if key.startswith("image:")]


def test_what_test_accounts_do_counts_nowhere(redis_state: RedisState) -> None:
    stream = Stream()
    for kind, number in {"upload": 1, "view": 120, "comment": 20, "flag": 4}.items():
        add_every(stream, kind, number, 0, is_test=True)
    outcome = apply_all(redis_state, stream)
    assert (outcome.requests, outcome.milestones, outcome.popular, outcome.skipped) == ([], [], [], 145)
    assert not [key for key in redis_state.everything() if key.startswith(("image:", "moderation:"))]


def test_history_that_is_imported_is_in_the_totals_only(redis_state: RedisState) -> None:
    stream = Stream()
    for kind, number in {"upload": 1, "view": 120, "comment": 20, "flag": 4}.items():
        add_every(stream, kind, number, 0, imported=True)
    outcome = apply_all(redis_state, stream)
    assert (outcome.requests, outcome.milestones, outcome.popular) == ([], [], [])
    state = redis_state.everything()
    image = {key: value for key, value in state.items() if key.startswith(("image:", "moderation:"))}
    assert image.pop(f"image:{IMAGE}:metadata")["category"] == "Soup"
    assert image == {
        f"image:{IMAGE}:total_views": "120",
        f"image:{IMAGE}:total_comments": "20",
        f"image:{IMAGE}:total_flags": "4",
    }


def test_a_flag_after_imported_ones_is_counted_after_them(redis_state: RedisState) -> None:
    stream = Stream()
    add_every(stream, "flag", 3, 0, imported=True)
    stream.add("flag", IMAGE)
    (request,) = apply_all(redis_state, stream).requests
    assert (request.key, request.counts.total_flags, request.counts.flags_1hr) == ("4", 4, 1)


def test_a_milestone_is_reached_once_and_at_the_time_of_its_view(redis_state: RedisState) -> None:
    stream = Stream()
    add_every(stream, "view", 1001, MINUTE)
    reader = Reader(stream, redis_state.store())
    outcome = reader.read_all(stream.now)[0]
    times = {10: START + 9 * MINUTE, 100: START + 99 * MINUTE, 1000: START + 999 * MINUTE}
    assert outcome.milestones == [f"1/milestone/7/{number}/{time}" for number, time in times.items()]


def test_thresholds_are_settings(redis_state: RedisState) -> None:
    stream = Stream()
    views, comments = add_every(stream, "view", 5, 0), add_every(stream, "comment", 5, 0)
    settings = redis_state.settings(alert_viral_views=3, alert_suspicious_comments=2, alert_popular_views=4)
    chosen = rules(settings)
    outcome = Reader(stream, redis_state.store(**chosen)).read_all(stream.now)[0]
    assert (keys(outcome, "viral"), keys(outcome, "suspicious")) == ([views[2]], [comments[1]])
    assert outcome.popular == [("7", 4)]


def test_thresholds_come_from_the_environment(redis_state: RedisState, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = rules(redis_state.settings())
    assert (usual["viral_views"], usual["suspicious_comments"], usual["popular_views"]) == (100, 10, 50)
    assert (usual["viral_length"], usual["suspicious_length"], usual["popular_length"]) == (
        5 * MINUTE,
        MINUTE,
        60 * MINUTE,
    )
    for number, name in enumerate(("ALERT_VIRAL_VIEWS", "ALERT_SUSPICIOUS_COMMENTS", "ALERT_POPULAR_VIEWS"), 1):
        monkeypatch.setenv(name, str(number))
    changed = rules(redis_state.settings())
    assert (changed["viral_views"], changed["suspicious_comments"], changed["popular_views"]) == (1, 2, 3)


@pytest.mark.parametrize(("distance", "counted"), [(4, 5), (5, 6)])
def test_an_event_is_known_among_the_latest_of_its_place(redis_state: RedisState, distance: int, counted: int) -> None:
    """Of 5 events the latest 4 are remembered: the repeat of one of them is skipped, that of an earlier one is not."""
    stream = Stream()
    add_every(stream, "view", 5, 0)
    reader = Reader(stream, redis_state.store(seen=4))
    reader.read_all(stream.now)
    stream.repeat((1, 1), distance)
    (outcome,) = reader.read_all(stream.now)
    assert outcome.duplicates == 6 - counted
    assert redis_state.everything()[f"image:{IMAGE}:total_views"] == str(counted)
    assert rules(redis_state.settings())["seen"] == 2000


def test_images_do_not_touch_each_other(redis_state: RedisState) -> None:
    stream = Stream()
    for image in itertools.chain.from_iterable(itertools.repeat((1, 11, 111), 40)):
        stream.add("view", image)
    assert apply_all(redis_state, stream).requests == []
    assert {key: value for key, value in redis_state.everything().items() if "total" in key} == {
        f"image:{image}:total_views": "40" for image in (1, 11, 111)
    }
