import pytest

from gourmetgram.core import topics
from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.outbox_relay.batch import Record
from gourmetgram.outbox_relay.publisher import Publisher
from labkit.stack import Stack
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
