import json
from pathlib import Path

import psycopg2
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.recount import read_topics
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.outbox_relay.relays import RelayProcess, relay_url
from tests.support.database import superuser_url
from tests.support.processes import free_port, wait_until

BATCH = 500
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outbox_relay' AND state = 'idle' AND query = 'ROLLBACK'
"""
"""Relays that found nothing to claim, and wait."""


def published(stack: Stack, image: int, *names: str) -> list[str]:
    """Event ids of an image, partition by partition in offset order."""
    records = read_topics(stack.address("redpanda"), names or (topics.VIEWS,))
    return [record.event["event_id"] for record in records if record.event.get("image_id") == image]


def test_events_of_an_image_are_published_once_and_in_order(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    image, other = outbox.image(), outbox.image()
    expected = []
    for _ in range(1200):
        expected.append(outbox.add(image))
        outbox.add(other, topics.COMMENTS)
    outbox.wait_until_empty()
    assert published(bare_stack, image) == expected
    assert len(published(bare_stack, other, topics.COMMENTS)) == 1200
    assert (outbox.views(image), outbox.views(other)) == (1200, 0)


def test_nothing_of_a_rolled_back_write_is_published(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    image = outbox.image()
    outbox.tell("BEGIN")
    outbox.add(image)
    outbox.tell("ROLLBACK")
    kept = outbox.add(image)
    outbox.wait_until_empty()
    assert published(bare_stack, image) == [kept]
    assert outbox.views(image) == 1


def test_a_write_that_commits_after_later_ones_is_not_lost(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    image = outbox.image()
    late = psycopg2.connect(superuser_url(bare_stack))
    late_id = OutboxRows(late).add(image)
    early_id = outbox.add(image)
    wait_until(lambda: published(bare_stack, image) == [early_id], "the later write is published")
    late.commit()
    late.close()
    outbox.wait_until_empty()
    assert published(bare_stack, image) == [early_id, late_id]


def test_a_row_that_no_broker_takes_becomes_a_dead_letter_and_blocks_nobody(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    image = outbox.image()
    unknown = outbox.add(image, "gourmetgram.typo")
    large = outbox.add(image, topics.COMMENTS, padding_of_the_event="x" * 2_000_000)
    good = [outbox.add(image, topics.COMMENTS) for _ in range(3)]
    outbox.wait_until_empty()
    assert published(bare_stack, image, topics.COMMENTS) == good
    letters = [record.event for record in read_topics(bare_stack.address("redpanda"), [topics.DEAD_LETTERS])]
    mine = {letter["topic"]: letter for letter in letters if letter["key"] == image}
    assert json.loads(mine["gourmetgram.typo"]["payload"])["event_id"] == unknown
    assert "unknown topic" in mine["gourmetgram.typo"]["reason"]
    assert large in mine[topics.COMMENTS]["payload"]
    assert "too large" in mine[topics.COMMENTS]["reason"]
    assert relay.metric("relay_dead_letters_total") == 2


def limit_messages(stack: Stack, topic: str, size: int) -> None:
    """Let a topic take records of at most this many bytes."""
    admin = KafkaAdminClient(bootstrap_servers=stack.address("redpanda"))
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})])
    admin.close()


def test_a_topic_that_takes_less_than_the_producer_refuses_the_large_row_only(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    """The broker refuses what it is sent together; those who were in good order are sent once all the same."""
    limit_messages(bare_stack, topics.FLAGS, 20_000)
    image = outbox.image()
    rows = [outbox.add(image, topics.FLAGS, padding_of_the_event="x" * size) for size in (9, 9, 30_000, 9, 9)]
    with RelayProcess(bare_stack, tmp_path / "relay.log") as relay:
        outbox.wait_until_empty()
        assert published(bare_stack, image, topics.FLAGS) == rows[:2] + rows[3:]
        wait_until(lambda: relay.metric("relay_published_total") == 4, "the others are counted as published")
        assert relay.metric("relay_dead_letters_total") == 1
    (letter,) = (
        one.event
        for one in read_topics(bare_stack.address("redpanda"), [topics.DEAD_LETTERS])
        if one.event["key"] == image
    )
    assert (letter["topic"], json.loads(letter["payload"])["event_id"]) == (topics.FLAGS, rows[2])


def test_rows_are_published_in_the_order_of_ids_wherever_they_lie(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    """A table that was emptied is filled from the front again, so that later rows lie before earlier ones."""
    image, gone = outbox.image(), outbox.image()
    for _ in range(BATCH):
        outbox.add(gone)
    expected = [outbox.add(image) for _ in range(BATCH)]
    outbox.tell("DELETE FROM outbox WHERE key = %s", gone)
    outbox.tell("VACUUM outbox")
    expected += [outbox.add(image) for _ in range(BATCH)]
    assert outbox.ask("SELECT key = %s AND id > (SELECT min(id) FROM outbox) FROM outbox ORDER BY ctid LIMIT 1", image)
    with RelayProcess(bare_stack, tmp_path / "relay.log"):
        outbox.wait_until_empty()
    assert published(bare_stack, image) == expected


def test_the_lag_is_the_age_of_what_waits_and_nothing_to_one_that_does_not_lead(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    outbox.add(outbox.image())
    outbox.tell("UPDATE outbox SET created_at = now() - interval '1000 s'")
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    with RelayProcess(bare_stack, tmp_path / "stuck.log", **away) as stuck:
        wait_until(lambda: 1000 <= stuck.metric("relay_lag_seconds") < 1100, "the lag tells the age")
        assert outbox.ask("SELECT count(*) FROM outbox") == 1
        with RelayProcess(bare_stack, tmp_path / "relay.log") as relay:
            outbox.wait_until_empty()
            wait_until(lambda: relay.metric("relay_lag_seconds") == 0, "nothing waits any more")
            assert relay.leads()
            wait_until(lambda: stuck.metric("relay_lag_seconds") == 0, "another relay leads")


def test_a_notice_wakes_the_relay_long_before_it_would_look(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    image = outbox.image()
    with RelayProcess(bare_stack, tmp_path / "relay.log", RELAY_POLL_SECONDS="10"):
        wait_until(lambda: outbox.ask(WAITING) == 1, "the relay waits")
        outbox.add(image)
        outbox.notify()
        outbox.wait_until_empty(seconds=5)


def test_without_notices_rows_are_found_all_the_same(outbox: OutboxRows, relay: RelayProcess) -> None:
    wait_until(lambda: outbox.ask(WAITING) == 1, "the relay waits")
    outbox.add(outbox.image())
    outbox.wait_until_empty(seconds=5)


def test_only_one_relay_leads_and_the_other_takes_over(bare_stack: Stack, outbox: OutboxRows, tmp_path: Path) -> None:
    first = RelayProcess(bare_stack, tmp_path / "first.log")
    second = RelayProcess(bare_stack, tmp_path / "second.log")
    with first:
        wait_until(first.leads, "the first relay leads")
        with second:
            wait_until(lambda: second.metric("relay_leader") == 0, "the second relay answers")
            image = outbox.image()
            before = [outbox.add(image) for _ in range(20)]
            outbox.wait_until_empty()
            assert second.metric("relay_published_total") == 0
            first.kill()
            after = outbox.add(image)
            wait_until(second.leads, "the second relay leads")
            outbox.wait_until_empty()
            assert published(bare_stack, image) == [*before, after]


def test_a_session_ended_by_postgresql_is_opened_again(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    wait_until(relay.leads, "the relay leads")
    outbox.tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'outbox_relay'")
    image = outbox.image()
    event = outbox.add(image)
    outbox.wait_until_empty()
    assert published(bare_stack, image) == [event]
    assert relay.metric("relay_failures_total") >= 1


def test_the_relay_stops_when_asked(relay: RelayProcess) -> None:
    wait_until(relay.leads, "the relay leads")
    assert relay.stop() == 0


def test_the_relay_may_read_and_change_nothing_else(bare_stack: Stack) -> None:
    connection = psycopg2.connect(relay_url(bare_stack))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in ("SELECT * FROM users", "SELECT caption FROM images", "UPDATE images SET caption = ''"):
            try:
                cursor.execute(statement)
            except psycopg2.errors.InsufficientPrivilege:
                continue
            raise AssertionError(f"the relay's role may {statement}")
    connection.close()
