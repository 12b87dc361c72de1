"""One image, from the event that it was posted to its decision."""

import json
import uuid
from datetime import UTC, datetime

from confluent_kafka import Producer

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.support.database import Rows, superuser

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


def decided(rows: Rows, image: int) -> bool:
    return rows(DECIDED, image) == [(1,)]
