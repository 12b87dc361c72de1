"""Version 2 of the API takes the place of version 1 under traffic, and no request is lost."""

import json
from collections import Counter

from labkit.stack import Stack
from tests.support.database import superuser_rows
from tests.support.processes import wait_until

EVENTS_PER_HOUR = 200_000
TABLES = {"user": "users", "upload": "images", "comment": "comments", "flag": "flags"}


def acknowledged(stack: Stack) -> Counter[str]:
    """What the generator wrote down as done, by kind."""
    ledger = stack.home / "volumes/generator/ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    return Counter(json.loads(line)["kind"] for line in lines if line.endswith("\n"))


def wait_for_more(stack: Stack, events: int) -> None:
    wanted = acknowledged(stack).total() + events
    wait_until(lambda: acknowledged(stack).total() >= wanted, f"{events} more events are acknowledged", 60)


def test_no_request_is_lost(new_stack: Stack) -> None:
    new_stack.up("api_v1")
    new_stack.up("data_generator", GENERATOR_ARRIVAL_RATE=EVENTS_PER_HOUR)
    wait_for_more(new_stack, 300)
    for version in ("api_v2", "api_v1", "api_v2"):
        new_stack.up(version)
        wait_for_more(new_stack, 300)
    new_stack.stop("data_generator")  # it finishes what is in flight

    done = acknowledged(new_stack)
    assert {"user", "upload", "comment", "view"} <= done.keys(), "zero of something proves nothing"
    with superuser_rows(new_stack) as rows:
        for kind, table in TABLES.items():
            assert rows(f"SELECT count(*) FROM {table}") == [(done[kind],)], kind
        wait_until(lambda: rows("SELECT count(*) FROM outbox") == [(0,)], "the relay has published everything")
        assert rows("SELECT sum(views)::int FROM images") == [(done["view"],)]
