"""A Redis of these tests' own, empty before each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.stream_consumer.redis_state import RedisState


@pytest.fixture(scope="session")
def redis_stack(short_folder: Path) -> Iterator[Stack]:
    """Redis and nothing else."""
    stack = Stack.free(short_folder / "redis")
    try:
        stack.up("redis")
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="session")
def open_redis(redis_stack: Stack) -> Iterator[RedisState]:
    state = RedisState(redis_stack)
    yield state
    state.close()


@pytest.fixture
def redis_state(open_redis: RedisState) -> RedisState:
    open_redis.store().forget_everything()
    return open_redis
