"""Every record is an event or has a reason why it is none; nothing that a topic can hold raises."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core import events, topics
from gourmetgram.core.records import (
    CLOCK_SKEW,
    KINDS,
    TOPICS,
    Applicable,
    Record,
    Refused,
    microseconds,
    read,
)
from tests.support.events import EPOCH, event, record

NOW = 1_800_000_000_000_000
VIEW = event("view", 5, NOW, image=12)
STORED = json.loads(events.encode(VIEW))


def reason(stored: Record) -> str:
    refused = read(stored, NOW)
    assert isinstance(refused, Refused)
    assert refused.record == stored
    return refused.reason


def view_with(**changes: Any) -> Record:
    return record(VIEW, value=json.dumps(STORED | changes).encode())


@pytest.mark.parametrize("kind", KINDS)
@given(at=st.integers(0, NOW + CLOCK_SKEW), image=st.integers(1, 2**53 - 1))
def test_an_event_is_read_with_its_place_and_its_exact_time(kind: str, at: int, image: int) -> None:
    sent = event(kind, 5, at, image)
    assert read(record(sent), NOW) == Applicable(KINDS.index(kind), 0, 7, at, sent)


def test_topics_and_types_belong_together() -> None:
    assert dict(zip(KINDS, TOPICS, strict=True)) == topics.EVENT_TOPICS


def test_a_record_without_a_value() -> None:
    assert reason(record(VIEW, value=None)) == "the record has no value"


@pytest.mark.parametrize(
    "value", [b"", b"{", b"null", b"[]", b"1", b"\xff\xfe", b'{"event_type": "\xff"}', b'{"event_type": "like"}']
)
def test_what_is_no_event(value: bytes) -> None:
    assert reason(record(VIEW, value=value)).startswith("not an event: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_id", 0),
        ("image_id", -3),
        ("image_id", 2**53),
        ("image_id", 2**70),
        ("image_id", "12"),
        ("user_id", -1),
        ("user_id", 2**64),
        ("event_id", "x"),
        ("occurred_at", "2026-01-01T00:00:00"),
        ("occurred_at", "yesterday"),
        ("is_test", "no"),
        ("imported", None),
        ("event_type", "like"),
    ],
)
def test_a_field_that_no_event_has_is_named(field: str, value: object) -> None:
    key = str(value).encode() if field == "image_id" else b"12"
    assert (field if field != "event_type" else "like") in reason(view_with(**{field: value})._replace(key=key))


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_that_is_nested_too_deeply(opening: bytes) -> None:
    """Skipping an unknown field is recursive: 200 kB of brackets must not end the process."""
    assert "not an event" in reason(record(VIEW, value=b'{"x":' + opening * 200_000))


@pytest.mark.parametrize("topic", [name for name in KINDS if name != "view"])
def test_an_event_in_the_topic_of_another_type(topic: str) -> None:
    wrong = record(VIEW, topic=KINDS.index(topic))
    assert reason(wrong) == f"a view event belongs to gourmetgram.views, this is {topics.EVENT_TOPICS[topic]}"


@pytest.mark.parametrize("key", [None, b"", b"13", b"012", b"12 ", b"\xff"])
def test_a_key_that_is_not_the_image(key: bytes | None) -> None:
    """The key decides the partition: with another one, the image's events would not meet."""
    assert reason(record(VIEW, key=key)) == f"expected the image id 12 as key, got {key!r}"


def test_a_time_before_1970() -> None:
    assert reason(view_with(occurred_at="1969-12-31T23:59:59.999999Z")) == "it says it happened before 1970"


@pytest.mark.parametrize(("ahead", "refused"), [(CLOCK_SKEW, False), (CLOCK_SKEW + 1, True), (10**15, True)])
def test_a_time_in_the_future_beyond_the_skew_of_clocks(ahead: int, refused: bool) -> None:
    result = read(record(event("view", 5, NOW + ahead)), NOW)
    assert isinstance(result, Refused) == refused
    if isinstance(result, Refused):
        assert f"{ahead / 1e6:.0f} s from now" in result.reason


def test_a_time_in_another_zone_is_the_same_instant() -> None:
    read_there = read(view_with(occurred_at="2026-01-01T02:00:00.000001+02:00"), NOW)
    read_here = read(view_with(occurred_at="2026-01-01T00:00:00.000001Z"), NOW)
    assert isinstance(read_there, Applicable)
    assert isinstance(read_here, Applicable)
    assert read_there.at == read_here.at == 1_767_225_600_000_001


@given(st.datetimes(timezones=st.timezones()))
def test_microseconds_are_exact_for_any_instant_of_any_zone(instant: Any) -> None:
    difference = instant - EPOCH
    assert microseconds(instant) == (difference.days * 86_400 + difference.seconds) * 10**6 + difference.microseconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
ALMOST = st.fixed_dictionaries({}, optional={name: JSON | st.just(STORED[name]) for name in STORED})
VALUES = (
    st.none() | st.binary() | st.builds(lambda almost: json.dumps(almost).encode(), st.just(STORED) | ALMOST | JSON)
)


@given(st.integers(0, 4), st.none() | st.binary() | st.just(b"12"), VALUES)
def test_nothing_that_a_topic_can_hold_raises(topic: int, key: bytes | None, value: bytes | None) -> None:
    stored = Record(topic, 3, 99, key, value)
    result = read(stored, NOW)
    if isinstance(result, Refused):
        assert result.record == stored
        assert result.reason
    else:
        assert (result.topic, key, value is None) == (1, b"12", False)


@given(st.dictionaries(st.sampled_from(sorted(STORED)), JSON, min_size=1))
def test_an_event_with_anything_in_its_fields_never_raises(changes: dict[str, Any]) -> None:
    read(view_with(**changes), NOW)
