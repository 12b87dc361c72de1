"""Reading the topics of the real broker."""

import pytest
from confluent_kafka import TopicPartition

from gourmetgram.core.records import TOPICS
from gourmetgram.lakehouse import topic_log
from gourmetgram.lakehouse.topic_log import TopicLog
from labkit.stack import Stack
from tests.support.crowd import Crowd


def test_a_partition_that_is_lost_on_the_way_is_asked_for_again(
    lake_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every record comes once and in order, although the client believes for some places that they are read."""
    monkeypatch.setattr(topic_log, "SILENCE", 0.5)
    monkeypatch.setattr(topic_log, "BATCH", 20)
    address = lake_stack.address("redpanda")
    Crowd(address, 41).say(300)
    with TopicLog.open(address) as log:
        ranges = log.ranges()
        starts = {place: there.first for place, there in ranges.items()}
        ends = {place: there.end for place, there in ranges.items()}
        batches = log.read(starts, ends)
        records = list(next(batches))
        seen = {(TOPICS[record.topic], record.partition) for record in records}
        lost = [place for place, end in ends.items() if place not in seen and starts[place] < end]
        assert lost
        for place in lost:
            log._consumer.seek(TopicPartition(*place, ends[place]))
        for batch in batches:
            records += batch
    for place, end in ends.items():
        offsets = [one.offset for one in records if (TOPICS[one.topic], one.partition) == place]
        assert offsets == list(range(starts[place], end))
