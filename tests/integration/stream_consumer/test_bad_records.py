"""Records that nobody can use: each gets a dead letter that says why, and the events around them are counted."""

from pathlib import Path
from typing import Any

from gourmetgram.core import events, topics
from labkit.stack import Stack
from tests.faults.recount import read_topics
from tests.integration.stream_consumer.consumers import ConsumerProcess, Traffic
from tests.integration.stream_consumer.redis_state import RedisState
from tests.support.events import event
from tests.support.processes import wait_until

IMAGE = 12
NOW = 1_795_251_600_000_000
KEY = str(IMAGE).encode()
VIEW = events.encode(event("view", 5, NOW, IMAGE))

BAD: list[tuple[bytes | None, bytes | None, str]] = [
    (KEY, None, "no value"),
    (KEY, b"", "not an event"),
    (KEY, b"\xff\xfe\x00", "not an event"),
    (KEY, b"{}", "not an event"),
    (None, VIEW, "expected the image id 12 as key, got None"),
    (b"13", VIEW, "expected the image id 12 as key, got b'13'"),
    (KEY, events.encode(event("comment", 6, NOW, IMAGE)), "a comment event belongs to gourmetgram.comments"),
    (KEY, VIEW.replace(b"2026", b"2126"), "s from now"),
    (KEY, VIEW.replace(b"2026", b"1926"), "before 1970"),
    (b"0", events.encode(event("view", 7, NOW, 0)), "image_id"),
    (str(2**70).encode(), events.encode(event("view", 8, NOW, 2**70)), "not an event"),
    (KEY, b'{"x":' + b"[" * 200_000, "nested"),
    (KEY, b'{"event_type": "' + b"x" * 900_000 + b'"}', "Invalid value"),
    (b"k" * 900_000, VIEW, "expected the image id 12 as key"),
]


def test_each_gets_a_dead_letter_and_the_stream_goes_on(bare_stack: Stack, tmp_path: Path) -> None:
    bare_stack.up("redis")
    state, traffic = RedisState(bare_stack), Traffic(bare_stack)
    for key, value, _ in BAD:
        traffic.send("view", IMAGE)
        traffic.send_raw(topics.VIEWS, key, value)
    traffic.send("view", IMAGE)
    with ConsumerProcess(bare_stack, tmp_path / "consumer.log") as consumer:
        traffic.wait_until_applied(state)
        wait_until(lambda: consumer.metric("consumer_dead_letters_total") == len(BAD), "all letters are written")
        assert consumer.metric("consumer_failures_total") == 0
        assert len([line for line in consumer.log().splitlines() if '"dead letter"' in line]) == len(BAD)
    state.close()
    letters = [one.event for one in read_topics(bare_stack.address("redpanda"), [topics.DEAD_LETTERS])]
    assert all(letter["topic"] == topics.VIEWS for letter in letters)
    assert len({(letter["partition"], letter["offset"]) for letter in letters}) == len(letters) == len(BAD)
    for key, value, reason in BAD:
        about = [one for one in letters if reason in one["reason"] and holds(one, key, value or b"")]
        assert len(about) == 1, (reason, len(about))


def holds(letter: dict[str, Any], key: bytes | None, value: bytes) -> bool:
    """Whether the letter holds the beginnings of this key and this value."""
    shown = (None if key is None else key[:1000].decode(), value[:65_536].decode(errors="replace"), len(value))
    return (letter["key"], letter["payload"], letter["payload_bytes"]) == shown
