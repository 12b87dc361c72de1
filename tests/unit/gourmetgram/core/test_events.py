"""Events survive the way to JSON and back, match their published schemas, and old ones stay readable."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core import schemas, topics
from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.events import EVENT_CLASSES, Comment, Event, Flag, Upload, View, decode, encode

OLD_EVENTS = sorted((Path(__file__).parent / "old_events").glob("*.json"))
IDS = st.integers(1, 2**53 - 1)


def event_of(event_class: type[Event]) -> st.SearchStrategy[Event]:
    own: dict[str, st.SearchStrategy[Any]] = {
        "caption_length": st.integers(0, 2000),
        "category": st.sampled_from(CATEGORIES),
        "comment_id": IDS if event_class is Comment else st.none() | IDS,
        "flag_id": IDS,
        "reason": st.text(max_size=200),
    }
    return st.builds(
        event_class,
        event_id=st.uuids(),
        occurred_at=st.datetimes(timezones=st.just(UTC)),
        image_id=IDS,
        user_id=IDS,
        is_test=st.booleans(),
        imported=st.booleans(),
        **{name: own[name] for name in event_class.__struct_fields__ if name in own},
    )


EVENTS = st.one_of(*map(event_of, EVENT_CLASSES))


@given(EVENTS)
def test_an_event_comes_back_as_it_was_sent(event: Event) -> None:
    assert decode(encode(event)) == event


@given(EVENTS)
def test_an_event_matches_its_published_schema(event: Event) -> None:
    schema = json.loads(schemas.path(type(event)).read_text())
    jsonschema_rs.validate(schema, json.loads(encode(event)))


@given(EVENTS, st.text(min_size=1).filter(lambda name: name not in Flag.__struct_fields__ + Upload.__struct_fields__))
def test_fields_of_a_newer_writer_are_ignored(event: Event, name: str) -> None:
    newer = json.loads(encode(event))
    newer.setdefault(name, "something new")
    assert decode(json.dumps(newer)) == event


@pytest.mark.parametrize("event_class", EVENT_CLASSES)
def test_the_published_schemas_are_up_to_date(event_class: type[Event]) -> None:
    committed = schemas.path(event_class).read_text()
    assert committed == schemas.render(event_class), "run: python -m gourmetgram.core.schemas"


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    assert {path.name for path in schemas.FOLDER.iterdir()} == {schemas.path(one).name for one in EVENT_CLASSES}


@pytest.mark.parametrize("path", OLD_EVENTS, ids=lambda path: path.stem)
def test_an_old_event_is_still_readable(path: Path) -> None:
    stored = json.loads(path.read_text())
    event = decode(json.dumps(stored))
    again = json.loads(encode(event))
    assert {name: again[name] for name in stored} == stored


def test_every_type_has_an_old_event() -> None:
    assert {json.loads(path.read_text())["event_type"] for path in OLD_EVENTS} == {one.type for one in EVENT_CLASSES}


def test_every_type_has_a_topic() -> None:
    assert set(topics.EVENT_TOPICS) == {one.type for one in EVENT_CLASSES}
    assert len(set(topics.ALL)) == len(topics.ALL) == len(EVENT_CLASSES) + 2


def view(occurred_at: datetime) -> View:
    return View(event_id=UUID(int=1), occurred_at=occurred_at, image_id=1, user_id=1, is_test=False)


def test_a_time_in_another_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected occurred_at in UTC"):
        encode(view(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
        ({"image_id": "1"}, "image_id"),
        ({"image_id": 0}, "image_id"),
        ({"image_id": 2**53}, "image_id"),
        ({"user_id": 10**30}, "user_id"),
        ({"event_id": "x"}, "event_id"),
        ({"event_type": "like"}, "like"),
    ],
)
def test_what_is_no_event_is_refused_by_name(change: dict[str, object], named: str) -> None:
    stored = json.loads(encode(view(datetime(2026, 1, 1, tzinfo=UTC))))
    with pytest.raises(msgspec.ValidationError, match=named):
        decode(json.dumps(stored | change))


def test_an_abyss_of_brackets_is_refused_like_anything_else() -> None:
    stored = encode(view(datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(msgspec.DecodeError, match="nested too deeply"):
        decode(stored[:-1] + b',"more":' + b"[" * 100_000)
