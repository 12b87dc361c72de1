"""Those who look after the outbox hear of it: the relay by a notice, people by figures."""

import select
from collections.abc import Iterator

import psycopg2
import psycopg2.extensions
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gourmetgram.outbox_relay.outbox import CHANNEL
from labkit.stack import Stack
from tests.integration.api.people import Person, new_name, new_person
from tests.integration.api.servers import ApiProcess
from tests.integration.outbox_relay.relays import relay_url
from tests.support.database import Rows

NOTICE_SECONDS = 5


@pytest.fixture
def listener(stack: Stack) -> Iterator["psycopg2.extensions.connection"]:
    """Where the relay listens."""
    connection = psycopg2.connect(relay_url(stack))
    connection.autocommit = True
    yield connection
    connection.close()


def is_noticed(listener: "psycopg2.extensions.connection") -> bool:
    """Whether a notice comes in time."""
    select.select([listener], [], [], NOTICE_SECONDS)
    listener.poll()
    return bool(listener.notifies)


def listen(listener: "psycopg2.extensions.connection") -> None:
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")


def figures(api: ApiProcess) -> dict[str, float]:
    families = text_string_to_metric_families(api.http.get("/metrics").text)
    return {family.name: family.samples[0].value for family in families if family.name.startswith("api_outbox")}


def test_the_relay_is_told_of_a_write(
    v1: ApiProcess, v2: ApiProcess, listener: "psycopg2.extensions.connection"
) -> None:
    ana = new_person(v1)
    image = ana.image()  # by version 1, which tells nobody
    listen(listener)
    assert Person(v2, ana.token).view(image).status_code == 201
    assert is_noticed(listener)


def test_a_notice_that_finds_its_connection_broken_is_sent_over_the_next(
    v1: ApiProcess, v2: ApiProcess, listener: "psycopg2.extensions.connection", rows: Rows
) -> None:
    ana = new_person(v1)
    image = ana.image()
    assert rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api_notices'")
    listen(listener)
    assert Person(v2, ana.token).view(image).status_code == 201
    assert is_noticed(listener)


def test_the_relay_is_told_of_an_import(
    stack: Stack, v1: ApiProcess, v2: ApiProcess, listener: "psycopg2.extensions.connection"
) -> None:
    new_person(v1).image()  # by version 1, so that what was noticed of an earlier test is over
    body = {"users": [{"username": new_name(), "country_of_residence": "NL", "created_at": "2026-01-02T03:04:05Z"}]}
    listen(listener)
    answer = Person(v2, stack.setting("IMPORT_TOKEN")).post("/import/events", new_name(), json=body)
    assert answer.status_code == 200, answer.text
    assert is_noticed(listener)


def test_the_figures_tell_how_much_waits_and_since_when(api: ApiProcess, rows: Rows) -> None:
    rows("TRUNCATE outbox")
    assert figures(api) == {"api_outbox_rows": 0, "api_outbox_oldest_seconds": 0}
    for age in ("90 s", "7000 s", "30 s"):
        rows("INSERT INTO outbox (topic, key, payload, created_at) VALUES ('t', 1, '{}', now() - %s::interval)", age)
    found = figures(api)
    rows("TRUNCATE outbox")
    assert found["api_outbox_rows"] == 3
    assert 7000 <= found["api_outbox_oldest_seconds"] < 7060
