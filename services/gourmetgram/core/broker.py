"""What every client of the broker has in common, and letters about records that nobody can use. No I/O."""

import json
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError

CLIENT: Final[Mapping[str, Any]] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1000,
    "log.connection.close": False,
    "socket.nagle.disable": True,
}
"""Settings of librdkafka for every client: a broker that comes back is found within a second, and a small request does
not wait until an earlier one is acknowledged."""

PRODUCER: Final[Mapping[str, Any]] = {
    **CLIENT,
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # as the Java clients do: every tool finds a key in the same partition
}
"""Settings for every producer: nothing is lost, doubled or reordered, and an image has one partition number."""

MEMBER: Final[Mapping[str, Any]] = {
    **CLIENT,
    "session.timeout.ms": 10_000,
    "fetch.error.backoff.ms": 50,
}
"""Settings for every member of a consumer group."""

LONGEST_DEAD_VALUE: Final = 65_536
"""Bytes of a refused value that its dead letter keeps, so that the letter itself is never too large."""

LONGEST_DEAD_TEXT: Final = 1000
"""Bytes of a refused key, and letters of a reason (which may quote the record), that a dead letter keeps."""


class BrokerUnavailable(RuntimeError):
    """The broker does not answer, or not as expected; it may later."""


def ends_a_member(error: KafkaError) -> bool:
    """Whether a member of a group that is told this will never read again, and has to be made anew.

    An error that comes in place of a record says only by its code that it is fatal, `fatal()` is false there.
    """
    final = {KafkaError._FATAL, KafkaError._MAX_POLL_EXCEEDED, KafkaError._AUTO_OFFSET_RESET}
    return bool(error.fatal() or error.code() in final)


def dead_key(key: bytes | None) -> bytes | None:
    """The key under which a letter about a record with this key is sent."""
    return None if key is None else key[:LONGEST_DEAD_TEXT]


def dead_letter(topic: str, partition: int, offset: int, key: bytes | None, value: bytes, reason: str) -> bytes:
    """A letter for the dead letter topic that says what was refused, where it stood, why, and how it began.

    A record may be as large as the broker takes: a letter is always less.
    """
    known_key = dead_key(key)
    letter = {
        "schema_version": 1,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "key": None if known_key is None else known_key.decode(errors="replace"),
        "reason": reason[:LONGEST_DEAD_TEXT],
        "payload": value[:LONGEST_DEAD_VALUE].decode(errors="replace"),
        "payload_bytes": len(value),
    }
    return json.dumps(letter).encode()
