"""A relay that is killed or frozen at the worst moment repeats its last batch at most, and never competes."""

import signal
from pathlib import Path

import psycopg2

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.recount import Stored, read_topics
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.outbox_relay.relays import RelayProcess
from tests.support.database import superuser_url
from tests.support.processes import wait_until

ROWS = 1300
BATCH = 500
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outbox_relay'"
LAST_ATTEMPT = """
SELECT max(query_start)::text FROM pg_stat_activity
WHERE application_name = 'outbox_relay' AND query LIKE 'SELECT pg_try_advisory_lock%%'
"""


def views_of(stack: Stack, image: int) -> list[str]:
    """Event ids of an image's views in the order of the topic, repeats included."""
    records: list[Stored] = read_topics(stack.address("redpanda"), [topics.VIEWS])
    return [record.event["event_id"] for record in records if record.event.get("image_id") == image]


class Held:
    """Keeps an image's row locked, so that a relay stops between publishing a batch and committing it."""

    def __init__(self, stack: Stack, image: int) -> None:
        self._connection = psycopg2.connect(superuser_url(stack))
        self._connection.cursor().execute("SELECT 1 FROM images WHERE id = %s FOR UPDATE", (image,))

    def let_go(self) -> None:
        self._connection.rollback()
        self._connection.close()


class LeadAttempts:
    """How often a waiting relay was seen to ask for the lead."""

    def __init__(self, outbox: OutboxRows) -> None:
        self._outbox = outbox
        self._times: set[str] = set()

    def seen(self) -> int:
        self._times.add(self._outbox.ask(LAST_ATTEMPT))
        return len(self._times)


def test_killed_between_publish_and_commit(bare_stack: Stack, outbox: OutboxRows, tmp_path: Path) -> None:
    image = outbox.image()
    held = Held(bare_stack, image)
    events = [outbox.add(image) for _ in range(ROWS)]
    relay = RelayProcess(bare_stack, tmp_path / "relay.log")
    with relay:
        wait_until(lambda: len(views_of(bare_stack, image)) == BATCH, "the first batch is in Kafka")
        relay.kill()
        wait_until(lambda: outbox.ask(SESSIONS) == 0, "PostgreSQL has noticed")
    held.let_go()
    assert outbox.ask("SELECT count(*) FROM outbox WHERE key = %s", image) == ROWS
    with relay:
        outbox.wait_until_empty()
    assert views_of(bare_stack, image) == events[:BATCH] + events
    assert outbox.views(image) == ROWS


def test_frozen_leader_keeps_the_lead_and_its_rows_until_it_thaws(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    image = outbox.image()
    held = Held(bare_stack, image)
    events = [outbox.add(image) for _ in range(ROWS)]
    first, second = (RelayProcess(bare_stack, tmp_path / f"{name}.log") for name in ("first", "second"))
    with first:
        wait_until(lambda: len(views_of(bare_stack, image)) == BATCH, "the first batch is in Kafka")
        first.send(signal.SIGSTOP)
        held.let_go()
        with second:
            events += [outbox.add(image) for _ in range(100)]
            outbox.notify()
            attempts = LeadAttempts(outbox)
            wait_until(lambda: attempts.seen() > 5, "the second relay has tried to lead several times")
            assert second.metric("relay_leader") == 0
            assert len(views_of(bare_stack, image)) == BATCH
            first.send(signal.SIGCONT)
            outbox.wait_until_empty()
            assert second.metric("relay_published_total") == 0
    assert views_of(bare_stack, image) == events
    assert outbox.views(image) == len(events)


def test_leader_frozen_for_too_long_is_replaced_and_sends_nothing_when_it_thaws(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    image = outbox.image()
    held = Held(bare_stack, image)
    events = [outbox.add(image) for _ in range(ROWS)]
    short = {"RELAY_DELIVERY_SECONDS": "1", "RELAY_SILENCE_SECONDS": "3"}
    first, second = (RelayProcess(bare_stack, tmp_path / f"{name}.log", **short) for name in ("first", "second"))
    with first:
        wait_until(lambda: len(views_of(bare_stack, image)) == BATCH, "the first batch is in Kafka")
        first.send(signal.SIGSTOP)
        held.let_go()
        with second:
            wait_until(second.leads, "the second relay leads")
            outbox.wait_until_empty()
            first.send(signal.SIGCONT)
            wait_until(lambda: first.metric("relay_failures_total") >= 1, "the first relay has lost its session")
            later = outbox.add(image)
            outbox.wait_until_empty()
            assert second.leads()
            assert first.metric("relay_leader") == 0
    assert views_of(bare_stack, image) == [*events, later]
    assert outbox.views(image) == ROWS + 1
