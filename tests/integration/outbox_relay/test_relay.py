import json
from pathlib import Path

import psycopg2

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.recount import read_topics
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.outbox_relay.relays import RelayProcess, relay_url
from tests.support.database import superuser_url
from tests.support.processes import wait_until


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


def test_a_topic_that_takes_less_than_the_producer_refuses_the_large_row_only(
    bare_stack: Stack, outbox: OutboxRows, relay: RelayProcess
) -> None:
    image = outbox.image()
    outbox.tell("BEGIN")
    good = [outbox.add(image, topics.COMMENTS, padding_of_the_event="x" * 500_000) for _ in range(3)]
    outbox.tell("COMMIT")
    outbox.wait_until_empty()
    assert published(bare_stack, image, topics.COMMENTS) == good


def test_a_notice_wakes_the_relay_long_before_it_would_look(
    bare_stack: Stack, outbox: OutboxRows, tmp_path: Path
) -> None:
    image = outbox.image()
    with RelayProcess(bare_stack, tmp_path / "relay.log", RELAY_POLL_SECONDS="10") as relay:
        wait_until(relay.leads, "the relay leads")
        outbox.wait_until_empty()
        outbox.add(image)
        outbox.notify()
        outbox.wait_until_empty(seconds=5)


def test_without_notices_rows_are_found_all_the_same(outbox: OutboxRows, relay: RelayProcess) -> None:
    wait_until(relay.leads, "the relay leads")
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
