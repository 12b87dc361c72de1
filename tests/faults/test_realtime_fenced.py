"""A member of a group that the broker has shut out, as it does after some restarts, comes back by itself."""

import time
from contextlib import closing

import pytest
from confluent_kafka import Consumer

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.one_image import decided, upload
from tests.support.database import superuser_rows
from tests.support.processes import wait_until

GROUPS = {
    "gourmetgram-stream-consumer": list(topics.EVENT_TOPICS.values()),
    "gourmetgram-risk-scoring": [topics.MODERATION_REQUESTS],
}


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
        # What it had been given it may still read for a while, so that a later decision alone would prove nothing.
        wait_until(lambda: "BrokerUnavailable" in new_stack.logs(service, 200), "it has noticed, and joins anew")
        second = upload(new_stack)
        wait_until(lambda: decided(rows, second), "the second image is decided")
