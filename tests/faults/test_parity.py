"""Promise 5: every decision was made from the values that the history has for it, whoever was killed meanwhile.

The decisions come from live uploads and bursts at full rate, through the API and through the outbox, with late,
repeated and imported events among them. What lateness there is, is recounted from the topics in plain Python.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse import publishing, runs
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.offsets import parse_offsets
from gourmetgram.lakehouse.parity import ParityBroken, ParityReport
from gourmetgram.lakehouse.parity_job import check, run
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS
from labkit.stack import Stack
from tests.faults.incidents import Incidents
from tests.faults.load import PHOTO
from tests.faults.realtime_model import COUNTED, MINUTE, WINDOWS, Event, Image
from tests.faults.realtime_run import Aftermath, Decision, live_through
from tests.support.database import superuser, superuser_rows
from tests.support.lakehouse import own_settings
from tests.support.processes import wait_until

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
LIVE_EVENTS = 30_000
WRITES = 2_000
HISTORY = {"GENERATOR_HISTORY_USERS": 30, "GENERATOR_HISTORY_IMAGES": 50, "GENERATOR_HISTORY_EVENTS": 2000}
CHUNK = 500
"""Decisions in memory at a time; so there are several chunks."""

COUNTS = (*WINDOWS, "total_flags")
EVERYTHING = dict.fromkeys(COUNTED, 1 << 60)
"""Offsets that nothing is behind."""

POSTER = {"username": "poster", "country_of_residence": "FR", "tos_version_accepted": 1, "year_of_birth": 1980}
ANOTHER_IMAGE = """
INSERT INTO images (user_id, s3_url, source, category, created_at)
VALUES (%s, 's3://nowhere', 'user_upload', 'Bread', clock_timestamp())
"""
DECIDED = "SELECT id FROM moderation WHERE target_id = %s"

IDS = "SELECT id, inference_request_id::text FROM moderation"
ADD_A_VIEW = """
UPDATE moderation SET features = jsonb_set(features, '{views_1hr}', to_jsonb((features ->> 'views_1hr')::float8 + 1))
WHERE id = %s
"""
RESTORE = "UPDATE moderation SET features = jsonb_set(features, '{views_1hr}', to_jsonb(%s::float8)) WHERE id = %s"


@pytest.fixture(scope="module")
def after(new_stack: Stack) -> Aftermath:
    """Imported history, then load while the stream consumer is killed twice, and bursts."""
    new_stack.up("api_v2", "transform-data")
    new_stack.run("data_generator", GENERATOR_MODE="history", **HISTORY)
    kills = Incidents(new_stack, [(0.3, ("stream_consumer",)), (0.6, ("stream_consumer",))])
    live_through(new_stack, SEED, LIVE_EVENTS, WRITES, kills)
    assert kills.killed == ["stream_consumer"] * 2
    for _ in range(3):
        new_stack.run("data_generator", GENERATOR_MODE="simulate_viral")
    post_while_another_post_is_not_committed(new_stack)
    return Aftermath.of(new_stack)


@pytest.fixture(scope="module")
def lakehouse(new_stack: Stack, after: Aftermath) -> LakehouseSettings:
    """A history of all that has happened."""
    settings = own_settings(new_stack, "parity")
    runs.run_once(settings)
    return settings


@pytest.fixture(scope="module")
def report(lakehouse: LakehouseSettings) -> ParityReport:
    return check(lakehouse, CHUNK)


@pytest.fixture(scope="module")
def numbers(new_stack: Stack, after: Aftermath) -> dict[str, int]:
    """The numbers of the decisions, by request."""
    with superuser_rows(new_stack) as rows:
        return {request: number for number, request in rows(IDS)}


def post_while_another_post_is_not_committed(stack: Stack) -> None:
    """The other one says that it is from before, but no decision has seen it: it is committed after they were made."""
    with httpx.Client(base_url=stack.url("api"), timeout=30) as client, superuser(stack) as connection:
        poster = client.post("/users/", json=POSTER).raise_for_status().json()
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(ANOTHER_IMAGE, (poster["id"],))
            headers = {"Authorization": f"Bearer {poster['token']}"}
            files = {"file": ("photo.jpg", PHOTO, "image/jpeg")}
            answer = client.post("/upload/", headers=headers, files=files, data={"category": "Rice"})
            image = answer.raise_for_status().json()["id"]
            with superuser_rows(stack) as rows:
                wait_until(lambda: bool(rows(DECIDED, image)), "the upload is decided")
            cursor.execute("COMMIT")


def compared(after: Aftermath) -> list[Decision]:
    return [one for one in after.decisions if not after.images[one.image_id].deleted]


def test_more_than_a_thousand_decisions_are_compared_and_no_value_differs(
    after: Aftermath, report: ParityReport
) -> None:
    alive = compared(after)
    assert report["examples"] == []
    assert report["differing"] == {}
    assert report["compared"] == len(alive) > 1000
    assert report["values"] == len(alive) * len(FEATURES)
    assert report["triggers"] == Counter(one.trigger for one in alive)
    assert min(report["triggers"][name] for name in ("upload", "anchor", "viral", "suspicious", "flagged")) >= 20
    assert report["skipped"] == {"image_deleted": len(after.decisions) - len(alive)}
    assert report["looked_at"] == len(after.decisions)


def test_what_came_late_equals_a_recount(after: Aftermath, report: ParityReport) -> None:
    decisions = Counter[str]()
    largest = dict.fromkeys(COUNTS, 0.0)
    for one in compared(after):
        by_time = after.model.images[one.image_id].counts(one.as_of, EVERYTHING)
        for name in COUNTS:
            off = abs(by_time[name] - one.features[name])
            decisions[name] += off > 0
            largest[name] = max(largest[name], off)
    told = {name: (late["decisions"], late["largest"]) for name, late in report["lateness"].items() if name in COUNTS}
    assert told == {name: (decisions[name], largest[name]) for name in COUNTS if decisions[name]}
    assert len(told) >= 4, "hardly anything was late"
    assert report["lateness"]["user_image_count"]["decisions"] >= 1


def test_a_vector_that_was_changed_by_one_view_is_found(
    new_stack: Stack, after: Aftermath, lakehouse: LakehouseSettings, numbers: dict[str, int]
) -> None:
    victim = next(one for one in compared(after) if one.trigger == "viral")
    number, views = numbers[victim.request_id], victim.features["views_1hr"]
    with superuser_rows(new_stack) as rows:
        rows(ADD_A_VIEW, number)
        try:
            with pytest.raises(ParityBroken, match=rf"views_1hr.*\n.*decision {number} about image {victim.image_id}"):
                run(lakehouse)
            changed = check(lakehouse)
        finally:
            rows(RESTORE, views, number)
    assert changed["differing"] == {"views_1hr": 1}
    (example,) = changed["examples"]
    assert (example["decision"], example["stored"], example["recomputed"]) == (number, views + 1, views)
    assert run(lakehouse)["differing"] == {}


def test_an_event_that_the_history_has_lost_is_found(
    after: Aftermath, lakehouse: LakehouseSettings, numbers: dict[str, int]
) -> None:
    image, lost = next(_counted_views(after))
    expected = _differing(after, image, lost)
    assert expected
    _lose(lakehouse, lost)
    broken = check(lakehouse, CHUNK)
    assert {name: broken["differing"].get(name) for name in COUNTS if name in broken["differing"]} == {
        name: len(requests) for name, requests in expected.items()
    }
    shown = {(one["feature"], one["decision"]) for one in broken["examples"] if one["feature"] in COUNTS}
    assert shown
    assert shown <= {(name, numbers[request]) for name, requests in expected.items() for request in requests}


def _counted_views(after: Aftermath) -> Iterator[tuple[Image, Event]]:
    """Views that some decision counted in its last five minutes."""
    for one in compared(after):
        image = after.model.images[one.image_id]
        for view in image.live("view"):
            if view.offset < one.applied["view"] and one.as_of - 5 * MINUTE < view.at <= one.as_of:
                yield image, view


def _differing(after: Aftermath, image: Image, lost: Event) -> dict[str, set[str]]:
    """Which requests about the image would have other counts without this event, by the name of the count."""
    found: dict[str, set[str]] = {}
    views = image.events["view"]
    for one in (one for one in after.decisions if one.image_id == image.id):
        with _without(views, lost):
            counts = image.counts(one.as_of, one.applied)
        for name in COUNTS:
            if counts[name] != one.features[name]:
                found.setdefault(name, set()).add(one.request_id)
    return found


@contextmanager
def _without(events: list[Event], one: Event) -> Iterator[None]:
    place = events.index(one)
    events.pop(place)
    yield
    events.insert(place, one)


def _lose(settings: LakehouseSettings, one: Event) -> None:
    """Take an event out of the history, and publish that."""
    catalog = open_catalog(settings)
    try:
        published = publishing.latest(catalog.engine)
        assert published
        catalog.load_table(EVENTS).delete(f"event_id == '{one.id}'")
        publishing.publish(catalog, parse_offsets(published.offsets), "planted", published.frozen_at)
    finally:
        catalog.close()
