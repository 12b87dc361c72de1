"""What the stream consumer keeps in Redis, read as a student may; and a Redis that goes back in time."""

import contextlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from labkit.stack import Stack
from tests.support.processes import wait_until

SECONDS = 1_000_000


def client(stack: Stack) -> Any:
    """Redis as the role student sees it; text in, text out. (The types of its answers are wide: Any.)"""
    host, _, port = stack.address("redis").partition(":")
    password = stack.setting("REDIS_STUDENT_PASSWORD")
    return redis.Redis(host, int(port), username="student", password=password, decode_responses=True)


@dataclass(frozen=True)
class Snapshot:
    """Everything that counts; scores as unix microseconds."""

    totals: Mapping[str, int]
    windows: Mapping[str, Mapping[str, int]]
    metadata: Mapping[str, Mapping[str, str]]
    tombstones: frozenset[str]
    offsets: Mapping[str, int]
    watermarks: Mapping[int, int]
    due: Mapping[str, int]
    owed: tuple[str, ...]

    def recent(self, since: int) -> dict[str, dict[str, int]]:
        """The windows' members after an instant; keys without any are left out."""
        found = {
            key: {member: at for member, at in members.items() if at > since} for key, members in self.windows.items()
        }
        return {key: members for key, members in found.items() if members}


def snapshot(stack: Stack) -> Snapshot:
    """All keys of the stream consumer. It should not be at work."""
    with contextlib.closing(client(stack)) as store:
        keys = sorted(store.scan_iter("image:*", count=1000))
        windows = [key for key in keys if key.endswith((":views", ":comments", ":flags"))]
        totals = [key for key in keys if ":total_" in key]
        metadata = [key for key in keys if key.endswith(":metadata")]
        due: dict[str, int] = {}
        for key in store.scan_iter("moderation:due:*"):
            due |= _scores(store, key)
        return Snapshot(
            totals={key: int(store.get(key)) for key in totals},
            windows={key: _scores(store, key) for key in windows},
            metadata={key: store.hgetall(key) for key in metadata},
            tombstones=frozenset(key for key in keys if key.endswith(":deleted")),
            offsets=offsets(store),
            watermarks={int(number): int(at) for number, at in store.hgetall("stream:watermark").items()},
            due=due,
            owed=tuple(store.zrange("stream:owed", 0, -1)),
        )


def _scores(store: Any, key: str) -> dict[str, int]:
    return {member: round(score * SECONDS) for member, score in store.zrange(key, 0, -1, withscores=True)}


def offsets(store: Any) -> dict[str, int]:
    """The next offset to apply, by topic/partition."""
    return {field: int(value) for field, value in store.hgetall("stream:offsets").items()}


def applied(stack: Stack) -> int:
    """How many records Redis has applied; -1 while it does not answer."""
    with contextlib.closing(client(stack)) as store, contextlib.suppress(redis.RedisError):
        return sum(offsets(store).values())
    return -1


def watermarks(stack: Stack) -> dict[int, int]:
    """Stream time by partition, in unix microseconds; nothing while Redis does not answer."""
    with contextlib.closing(client(stack)) as store, contextlib.suppress(redis.RedisError):
        return {int(number): int(at) for number, at in store.hgetall("stream:watermark").items()}
    return {}


def owed(stack: Stack) -> int:
    """How many requests and milestones have not been delivered; -1 while Redis does not answer."""
    with contextlib.closing(client(stack)) as store, contextlib.suppress(redis.RedisError):
        return int(store.zcard("stream:owed"))
    return -1


def lose_the_last_seconds(stack: Stack, records: int) -> int:
    """Let so many records be applied, then kill Redis and give it the file it had before; how many it has lost.

    The live folder is renamed under the running server, which does not notice, so that the one that is started
    instead finds the older copy however quickly it comes.
    """
    data = stack.home / "servers/redis/data"
    older, newer = data.with_name("older"), data.with_name("newer")
    before = _copy(stack, data, older)
    wait_until(lambda: applied(stack) >= before + records, f"{records} more records are applied", 60)
    reached = applied(stack)
    data.rename(newer)
    older.rename(data)
    stack.kill("redis")
    return reached - before


def _copy(stack: Stack, data: Path, copy: Path) -> int:
    """A copy of the append-only folder that has at least what is returned."""
    while True:
        before = applied(stack)
        manifest = [path.read_bytes() for path in data.rglob("*.manifest")]
        if before >= 0:
            shutil.copytree(data, copy)
            if manifest and manifest == [path.read_bytes() for path in data.rglob("*.manifest")]:
                return before
            shutil.rmtree(copy)  # the file was being rewritten
        time.sleep(0.05)
