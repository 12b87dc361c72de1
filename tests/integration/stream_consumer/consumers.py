"""The stream consumer as a process of its own, and somebody who fills its topics and knows what must come of it."""

import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import KafkaError, Message, Producer

from gourmetgram.core import events, topics
from gourmetgram.core.broker import PRODUCER
from labkit.stack import Stack
from tests.integration.stream_consumer.redis_state import RedisState, redis_url
from tests.support.events import event
from tests.support.processes import ServiceProcess, free_port, wait_until


def consumer_database(stack: Stack) -> str:
    """How the stream consumer logs in to PostgreSQL."""
    return (
        f"postgresql://stream_consumer:{stack.setting('CONSUMER_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram"
    )


class ConsumerProcess(ServiceProcess):
    """A stream consumer on the stack's broker, Redis and PostgreSQL; killed at the end of `with`."""

    def __init__(self, stack: Stack, log: Path, **changes: str) -> None:
        address = f"127.0.0.1:{free_port()}"
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": stack.address("redpanda"),
            "REDIS_URL": redis_url(stack),
            "DATABASE_URL": consumer_database(stack),
            "CONSUMER_LISTEN": address,
            "CONSUMER_LONGEST_BACKOFF_SECONDS": "0.5",
        }
        super().__init__("stream_consumer", log, own | changes, address)


class Traffic:
    """Sends events to the topics and keeps count: of what should be in Redis, and how long each partition is."""

    def __init__(self, stack: Stack) -> None:
        self._producer = Producer({**PRODUCER, "bootstrap.servers": stack.address("redpanda")})
        self.totals: Counter[str] = Counter()
        self.ends: dict[str, int] = defaultdict(int)

    def send(self, kind: str, image: int, number: int = 1) -> None:
        """So many events of a kind, which happen now."""
        for _ in range(number):
            made = event(kind, 0, time.time_ns() // 1000, image, event_id=uuid4())
            self.send_raw(topics.EVENT_TOPICS[kind], str(image).encode(), events.encode(made))
        if kind != "upload":
            self.totals[f"image:{image}:total_{kind}s"] += number

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Any record."""
        self._producer.produce(topic, value, key, on_delivery=self._delivered)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        place = f"{message.topic()}/{message.partition()}"
        self.ends[place] = max(self.ends[place], (message.offset() or 0) + 1)

    def flush(self) -> None:
        assert self._producer.flush(30) == 0

    def is_applied(self, state: RedisState) -> bool:
        """Whether Redis stands at the end of every partition."""
        student: Any = state.student
        stored = student.hgetall("stream:offsets")
        return all(int(stored.get(place, 0)) >= end for place, end in self.ends.items())

    def wait_until_applied(self, state: RedisState, seconds: float = 90) -> None:
        """Return when everything has been applied; fail when the totals are then not what was sent."""
        self.flush()
        wait_until(lambda: self.is_applied(state), "everything sent is applied", seconds)
        assert totals(state) == self.totals


def totals(state: RedisState) -> Counter[str]:
    """All totals in Redis."""
    keys = [key for key in state.student.scan_iter("image:*", count=1000) if ":total_" in key]
    return Counter({key: int(state.value(key)) for key in keys})
