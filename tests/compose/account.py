"""What the simulated people were promised, and what each store and topic has of it."""

import io
import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults import raw_topics, redis_state
from tests.support.database import superuser_rows
from tests.support.processes import wait_until

KINDS = {topic: kind for kind, topic in topics.EVENT_TOPICS.items()}
SETTLE_SECONDS = 120
STORED = """
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM images), (SELECT count(*) FROM comments),
       (SELECT count(*) FROM flags), (SELECT sum(views) FROM images),
       (SELECT count(*) FROM images WHERE deleted_at IS NOT NULL)
"""
STORED_KINDS = ("user", "upload", "comment", "flag", "view", "deletion")
Places = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Account:
    """How much there is of each kind, while nothing is on its way."""

    ledger: Counter[str]
    """Writes of the data generator that the API acknowledged."""
    stored: Counter[str]
    """Rows of PostgreSQL."""
    totals: Mapping[str, int]
    """The counters of Redis by key; images that people deleted have none."""
    ends: Places
    """The next offset of each partition of the topics."""

    @classmethod
    def of(cls, stack: Stack) -> "Account":
        """Everything as it is now. The generator must be at rest."""
        settle(stack)
        with superuser_rows(stack) as rows:
            (row,) = rows(STORED)
        return cls(
            ledger=ledger(stack),
            stored=Counter(dict(zip(STORED_KINDS, map(int, row), strict=True))),
            totals=redis_state.snapshot(stack).totals,
            ends=raw_topics.ends(stack.address("redpanda"), topics.ALL),
        )


def ledger(stack: Stack) -> Counter[str]:
    """Acknowledged writes by kind; the container need not run."""
    source = f"{stack.containers()['data_generator']}:/state/ledger.jsonl"
    packed = subprocess.run(["docker", "cp", source, "-"], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        lines = archive.extractfile("ledger.jsonl")
        assert lines
        return Counter(json.loads(line)["kind"] for line in lines)


def settle(stack: Stack) -> None:
    """Wait until the outbox is empty, all is applied, and nothing is owed."""
    with superuser_rows(stack) as rows:
        wait_until(lambda: rows("SELECT count(*) FROM outbox") == [(0,)], "the outbox is empty", SETTLE_SECONDS)
    ends = raw_topics.ends(stack.address("redpanda"), list(KINDS))
    wait_until(lambda: redis_state.applied(stack) == sum(ends.values()), "everything is applied", SETTLE_SECONDS)
    wait_until(lambda: redis_state.owed(stack) == 0, "nothing is owed", SETTLE_SECONDS)


def events(stack: Stack, since: Places) -> tuple[list[dict[str, Any]], int]:
    """The events that came since, each once, and how many records repeat another."""
    found: dict[str, dict[str, Any]] = {}
    records = raw_topics.read(stack.address("redpanda"), list(KINDS), since)
    for record in records:
        event = json.loads(record.value or b"")
        found.setdefault(event["event_id"], event)
    return list(found.values()), len(records) - len(found)


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """By how much each count has grown, or shrunk; counts that are as before are left out."""
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in before.keys() | after.keys()}
    return {name: change for name, change in changes.items() if change}
