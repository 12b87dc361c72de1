"""Promise 1: every committed write has its event, nothing else has one, whoever is killed and whenever."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.incidents import kill
from tests.faults.load import Ledger, Writer, keep_writing
from tests.faults.recount import Stored, distinct, read_topics, repeats, rows
from tests.support.database import superuser_url
from tests.support.processes import wait_until

WRITES = int(os.environ.get("FAULTS_WRITES", "20000"))
KILLS_EACH = int(os.environ.get("FAULTS_KILLS_EACH", "3"))
SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
VICTIMS = ("api_v2", "outbox_relay", "redpanda", "postgres")
BATCH = 500


class Outcome:
    """What is left when the killing and writing is over and the outbox is empty."""

    def __init__(self, stack: Stack, ledger: Ledger, writer: Writer) -> None:
        self.ledger = ledger
        self.writer = writer
        self._url = superuser_url(stack)
        wait_until(
            lambda: self.query("SELECT count(*) FROM outbox") == [(0,)], "the relay has published everything", 60
        )
        self.records: dict[str, list[Stored]] = {topic: [] for topic in topics.ALL}
        for record in read_topics(stack.address("redpanda"), topics.ALL):
            self.records[record.topic].append(record)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return rows(self._url, statement)

    def ids(self, topic: str, name: str) -> list[int]:
        """One field of each distinct event of a topic, sorted."""
        return sorted(event[name] for event in distinct(self.records[topic]))


@pytest.fixture(scope="module")
def outcome(new_stack: Stack) -> Outcome:
    new_stack.up("api_v2")
    ledger = Ledger(new_stack.home / "ledger.jsonl")
    with contextlib.closing(ledger):
        writer = asyncio.run(write_while_killing(new_stack, ledger))
    wait_until(lambda: _healthy(new_stack), "the API is healthy again", 60)
    return Outcome(new_stack, ledger, writer)


async def write_while_killing(stack: Stack, ledger: Ledger) -> Writer:
    """Kill each victim several times, at moments drawn over the whole course of the writes."""
    chance = random.Random(SEED)
    victims = list(VICTIMS) * KILLS_EACH
    chance.shuffle(victims)
    moments = sorted(chance.uniform(0.05, 0.95) * WRITES for _ in victims)

    async def kill_in_turn() -> None:
        for moment, victim in zip(moments, victims, strict=True):
            while len(ledger.entries) < moment:
                await asyncio.sleep(0.002)
            await asyncio.to_thread(kill, stack, victim)

    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        writing = group.create_task(keep_writing(stack.address("api"), ledger, SEED, WRITES))
        group.create_task(kill_in_turn())
    return writing.result()


def _healthy(stack: Stack) -> bool:
    try:
        return bool(httpx.get(f"http://{stack.address('api')}/health", timeout=2).json()["status"] == "ok")
    except httpx.HTTPError:
        return False


def test_the_load_was_what_it_claims_to_be(outcome: Outcome) -> None:
    """Otherwise the tests below would prove little."""
    entries = outcome.ledger.entries
    assert len(entries) >= WRITES
    assert len({entry.key for entry in entries}) == len(entries)
    assert {entry.kind for entry in entries} == {"user", "upload", "view", "comment", "flag", "deletion"}
    assert outcome.writer.repeats > 0, "nothing ever failed: were the services killed?"
    assert outcome.writer.refused > 0


@pytest.mark.parametrize(
    ("kind", "table"), [("user", "users"), ("upload", "images"), ("comment", "comments"), ("flag", "flags")]
)
def test_every_acknowledged_write_is_in_postgresql_exactly_once(outcome: Outcome, kind: str, table: str) -> None:
    stored = sorted(row[0] for row in outcome.query(f"SELECT id FROM {table}"))
    assert stored == outcome.ledger.ids(kind)


def test_exactly_the_acknowledged_deletions_happened(outcome: Outcome) -> None:
    deleted = {row[0] for row in outcome.query("SELECT id FROM images WHERE deleted_at IS NOT NULL")}
    acknowledged = [entry.image_id for entry in outcome.ledger.entries if entry.kind == "deletion"]
    assert len(acknowledged) == len(deleted)
    assert set(acknowledged) == deleted
    assert outcome.ids(topics.DELETIONS, "image_id") == sorted(deleted)


@pytest.mark.parametrize(
    ("kind", "topic", "name"),
    [
        ("upload", topics.UPLOADS, "image_id"),
        ("comment", topics.COMMENTS, "comment_id"),
        ("flag", topics.FLAGS, "flag_id"),
    ],
)
def test_kafka_has_exactly_the_committed_writes(outcome: Outcome, kind: str, topic: str, name: str) -> None:
    assert outcome.ids(topic, name) == outcome.ledger.ids(kind)


def test_kafka_has_exactly_the_acknowledged_views(outcome: Outcome) -> None:
    seen = Counter((event["image_id"], event["user_id"]) for event in distinct(outcome.records[topics.VIEWS]))
    assert seen == outcome.ledger.views()


def test_images_count_exactly_the_acknowledged_views(outcome: Outcome) -> None:
    expected: Counter[int] = Counter()
    for (image, _), number in outcome.ledger.views().items():
        expected[image] += number
    assert Counter(dict(outcome.query("SELECT id, views FROM images WHERE views > 0"))) == expected


def test_nothing_ended_among_the_dead_letters(outcome: Outcome) -> None:
    assert outcome.records[topics.DEAD_LETTERS] == []


def test_only_last_batches_were_repeated_and_at_once(outcome: Outcome) -> None:
    """One kill interrupts one batch; what it had sent is sent again right after."""
    found = [repeat for topic in topics.EVENT_TOPICS.values() for repeat in repeats(outcome.records[topic])]
    assert len(found) <= BATCH * len(VICTIMS) * KILLS_EACH
    assert max((repeat.distance for repeat in found), default=0) <= 2 * BATCH
