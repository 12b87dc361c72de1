"""What is in Redis, read key by key as the user student."""

from collections.abc import Mapping
from typing import Any

import redis

from gourmetgram.stream_consumer.settings import ConsumerSettings
from gourmetgram.stream_consumer.state import Store, rules
from labkit.stack import Stack

State = dict[str, Any]


def redis_url(stack: Stack, user: str = "stream_consumer", password: str = "REDIS_CONSUMER_PASSWORD") -> str:
    """How a user logs in to Redis."""
    return f"redis://{user}:{stack.setting(password)}@{stack.address('redis')}/0"


class RedisState:
    """All keys, and stores that change them."""

    def __init__(self, stack: Stack) -> None:
        self._url = redis_url(stack)
        self.student = redis.Redis.from_url(
            redis_url(stack, "student", "REDIS_STUDENT_PASSWORD"), decode_responses=True
        )
        self.consumer = redis.Redis.from_url(self._url)

    def settings(self, **changes: Any) -> ConsumerSettings:
        """Settings as the process gets them from its environment."""
        fields = {"kafka_bootstrap_servers": "-", "redis_url": self._url, "database_url": "-"}
        return ConsumerSettings(**(fields | changes))

    def store(self, **rule_changes: Any) -> Store:
        """A store that goes by the usual rules, but for these."""
        return Store(self.consumer, rules(self.settings()) | rule_changes)

    def everything(self) -> State:
        """Every key with its value; scores of events and anchors as whole microseconds."""
        return {key: self.value(key) for key in self.student.scan_iter(count=1000)}

    def value(self, key: str) -> Any:
        """What a key holds, as `everything` gives it."""
        kind = self.student.type(key)
        if kind == "zset":
            factor = 1 if key.startswith("stream:seen:") else 1_000_000
            scored: list[Any] = self.student.zrange(key, 0, -1, withscores=True)
            return {member: round(score * factor) for member, score in scored}
        if kind == "hash":
            return self.student.hgetall(key)
        return self.student.smembers(key) if kind == "set" else self.student.get(key)

    def window(self, image: int, kind: str) -> Mapping[str, int]:
        """Event ids in an image's sorted set with their times."""
        value: Mapping[str, int] = self.value(f"image:{image}:{kind}s") or {}
        return value

    def close(self) -> None:
        self.student.close()
        self.consumer.close()
