import uuid

import pytest
from kafka.partitioner.default import murmur2

from gourmetgram.core import topics
from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.outbox_relay.batch import Record
from gourmetgram.outbox_relay.publisher import Publisher
from labkit.stack import Stack
from tests.faults.recount import read_topics
from tests.support.processes import free_port


def test_missing_topics_are_named_with_what_to_run(stack: Stack) -> None:
    publisher = Publisher(stack.address("redpanda"), delivery_seconds=5)
    publisher.require_topics(topics.ALL)
    with pytest.raises(BrokerUnavailable, match=r"no topic gourmetgram\.absent; run topics-init"):
        publisher.require_topics([*topics.ALL, "gourmetgram.absent"])
    publisher.discard()


def test_a_broker_that_is_away_is_not_waited_for_without_end() -> None:
    publisher = Publisher(f"127.0.0.1:{free_port()}", delivery_seconds=1)
    with pytest.raises(BrokerUnavailable, match="does not answer"):
        publisher.require_topics(topics.ALL)
    with pytest.raises(BrokerUnavailable, match="1 of 1 events not delivered"):
        publisher.publish([Record(topics.VIEWS, "1", "{}")])
    publisher.discard()


def test_a_key_is_in_the_partition_where_every_kafka_client_looks_for_it(stack: Stack) -> None:
    batch = {str(uuid.uuid4()): image for image in range(1, 101)}
    publisher = Publisher(stack.address("redpanda"), delivery_seconds=5)
    records = [Record(topics.VIEWS, str(image), f'{{"event_id": "{event}"}}') for event, image in batch.items()]
    assert publisher.publish(records) == {}
    publisher.discard()
    found = {one.event["event_id"]: one.partition for one in read_topics(stack.address("redpanda"), [topics.VIEWS])}
    expected = {e: (murmur2(str(image).encode()) & 0x7FFFFFFF) % topics.PARTITIONS for e, image in batch.items()}
    assert {event: found[event] for event in batch} == expected
