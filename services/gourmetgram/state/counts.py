"""The keys of Redis, by type, with the time at which each goes away."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import redis

from gourmetgram.state.bundle import Member, Writer

PIECE: Final = 500
NEVER: Final = -1
OURS: Final = ("stream:*", "image:*", "request:*", "moderation:*")
"""What the user stream_consumer may touch, and nobody else writes."""


class Counts:
    """Everything that the stream consumer keeps; values as text, bytes that are none as surrogates."""

    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_url(url, decode_responses=True, encoding_errors="surrogateescape")
        self._loaded: dict[str, int] = {}

    def number(self) -> int:
        """How many keys there are."""
        return sum(1 for _ in self._keys())

    def save(self, writer: Writer) -> None:
        """Add all keys."""
        piece: list[bytes] = []
        number = 0
        for key in self._keys():
            kind = self._client.type(key)
            until, value = self._client.pexpiretime(key), self._value(kind, key)
            if not value:  # its time has come since it was listed
                continue
            told = [key, kind, until, value]
            piece.append(json.dumps(told).encode() + b"\n")
            if len(piece) == PIECE:
                writer.add(f"redis/{number:06}", b"".join(piece))
                piece, number = [], number + 1
        if piece:
            writer.add(f"redis/{number:06}", b"".join(piece))

    def empty(self) -> None:
        """Delete all keys."""
        for key in list(self._keys()):
            self._client.unlink(key)

    def load(self, member: Member) -> None:
        """Keys of one piece."""
        with self._client.pipeline(transaction=False) as pipeline:
            for line in member.content:
                key, kind, until, value = json.loads(line)
                _write(pipeline, kind, key, value)
                if until > NEVER:
                    pipeline.pexpireat(key, until)
                self._loaded[key] = until
            pipeline.execute()

    def missing(self) -> list[str]:
        """Keys that were loaded and are not there, though their time has not come."""
        there = set(self._keys())
        now = time.time() * 1000
        lasting = (key for key, until in self._loaded.items() if until <= NEVER or until > now)
        return [key for key in lasting if key not in there]

    def _keys(self) -> Iterator[str]:
        """Each once; a scan may find a key twice while keys go away."""
        for pattern in OURS:
            yield from sorted(set(self._client.scan_iter(pattern, count=1000)))

    def _value(self, kind: str, key: str) -> Any:
        match kind:
            case "string":
                return self._client.get(key)
            case "hash":
                return self._client.hgetall(key)
            case "zset":
                return self._client.zrange(key, 0, -1, withscores=True)
            case "set":
                return sorted(self._client.smembers(key))
            case "list":
                return self._client.lrange(key, 0, -1)
            case "none":
                return None
        raise RuntimeError(f"{key} is a {kind}, which no service of ours writes")


def _write(pipeline: Any, kind: str, key: str, value: Any) -> None:
    if kind == "string":
        pipeline.set(key, value)
    elif kind == "hash":
        pipeline.hset(key, mapping=value)
    elif kind == "zset":
        pipeline.zadd(key, dict(value))
    elif kind == "set":
        pipeline.sadd(key, *value)
    else:
        pipeline.rpush(key, *value)
