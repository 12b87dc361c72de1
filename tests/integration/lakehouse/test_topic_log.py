"""Reading the topics of the real broker."""

from confluent_kafka import Producer

from gourmetgram.core.broker import PRODUCER
from gourmetgram.core.topics import FLAGS
from gourmetgram.lakehouse.offsets import Place
from gourmetgram.lakehouse.topic_log import TopicLog
from labkit.stack import Stack


def test_a_record_without_a_value_is_read_like_any_other(lake_stack: Stack) -> None:
    """Also when it comes alone, and nothing comes after it."""
    place = Place(FLAGS, 5)
    producer = Producer({**PRODUCER, "bootstrap.servers": lake_stack.address("redpanda")})
    with TopicLog.open(lake_stack.address("redpanda")) as log:
        for value in (None, b""):
            producer.produce(place.topic, value, partition=place.partition)
            assert producer.flush(30) == 0
            end = log.ranges()[place].end
            (batch,) = log.read({place: end - 1}, {place: end})
            (record,) = batch
            assert record.offset == end - 1
            assert not record.value
