"""A member of a group that the broker has shut out, as it does after some restarts, comes back by itself."""

import json
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer, Producer

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.support.database import Rows, superuser, superuser_rows
from tests.support.processes import wait_until

GROUPS = {
    "gourmetgram-stream-consumer": list(topics.EVENT_TOPICS.values()),
    "gourmetgram-risk-scoring": [topics.MODERATION_REQUESTS],
}
DECIDED = "SELECT count(*) FROM moderation WHERE target_id = %s"


def upload(stack: Stack) -> int:
    """A new image whose event is in its topic."""
    with superuser(stack) as connection:
        image = OutboxRows(connection).image()
    event = {
        "schema_version": 1,
        "event_id": str(uuid.uuid4()),
        "event_type": "upload",
        "occurred_at": datetime.now(UTC).isoformat(),
        "image_id": image,
        "user_id": 1,
        "is_test": False,
        "imported": False,
        "caption_length": 0,
        "category": "Bread",
    }
    producer = Producer({"bootstrap.servers": stack.address("redpanda"), "partitioner": "murmur2_random"})
    producer.produce(topics.UPLOADS, json.dumps(event).encode(), str(image))
    assert producer.flush(10) == 0
    return image


def take_the_place(stack: Stack, group: str) -> None:
    """Join under the name of the member that is there: the broker shuts that one out."""
    settings = {
        "bootstrap.servers": stack.address("redpanda"),
        "group.id": group,
        "group.instance.id": f"{group}-1",
        "partition.assignment.strategy": "range",
        "enable.auto.commit": False,
        "log_level": 0,
    }
    with closing(Consumer(settings)) as intruder:
        intruder.subscribe(GROUPS[group])
        deadline = time.monotonic() + 30
        while not intruder.assignment():
            intruder.poll(0.1)
            assert time.monotonic() < deadline, "the place was not given away"


def decided(rows: Rows, image: int) -> bool:
    return rows(DECIDED, image) == [(1,)]


@pytest.mark.parametrize(
    ("group", "service"), list(zip(GROUPS, ("stream_consumer", "risk_scoring_service"), strict=True))
)
def test_it_comes_back(new_stack: Stack, group: str, service: str) -> None:
    new_stack.up("stream_consumer", "risk_scoring_service")
    with superuser_rows(new_stack) as rows:
        first = upload(new_stack)
        wait_until(lambda: decided(rows, first), "the first image is decided")
        take_the_place(new_stack, group)
        wait_until(lambda: "fenced" in new_stack.logs(service, 200), "the broker has shut it out")
        second = upload(new_stack)
        wait_until(lambda: decided(rows, second), "the second image is decided")
