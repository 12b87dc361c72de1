"""The stream behind /live, as a program reads it."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

Snapshot = dict[str, Any]
SECONDS = 30


@contextlib.contextmanager
def snapshots(url: str) -> Iterator[Iterator[Snapshot]]:
    """Follow the stream of the API at this address."""
    with httpx.stream("GET", f"{url}/live/events", timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))


def first(stream: Iterator[Snapshot], condition: Callable[[Snapshot], bool]) -> Snapshot:
    """The first snapshot for which the condition holds; fail after a while, showing the last one."""
    deadline = time.monotonic() + SECONDS
    for snapshot in stream:
        if condition(snapshot):
            return snapshot
        assert time.monotonic() < deadline, snapshot
    raise AssertionError("the stream has ended")


def service(snapshot: Snapshot, name: str) -> Snapshot:
    """How a service is."""
    (found,) = (one for one in snapshot["services"] if one["name"] == name)
    return dict(found)


def topic(snapshot: Snapshot, name: str) -> Snapshot:
    """Figures of a topic, named without its prefix."""
    (found,) = (one for one in snapshot["topics"] if one["name"] == f"gourmetgram.{name}")
    return dict(found)
