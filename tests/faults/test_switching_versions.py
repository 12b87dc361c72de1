"""Version 2 of the API takes the place of version 1 under traffic, and no request is lost."""

import json
import time
from collections import Counter

from labkit.stack import Stack
from tests.faults.recount import rows

EVENTS_PER_HOUR = 200_000
TABLES = {"user": "users", "upload": "images", "comment": "comments", "flag": "flags"}


def acknowledged(stack: Stack) -> Counter[str]:
    """What the generator wrote down as done, by kind."""
    ledger = stack.home / "volumes/generator/ledger.jsonl"
    return Counter(json.loads(line)["kind"] for line in ledger.read_text().splitlines())


def wait_for_more(stack: Stack, events: int) -> None:
    wanted = acknowledged(stack).total() + events
    deadline = time.monotonic() + 60
    while acknowledged(stack).total() < wanted:
        assert time.monotonic() < deadline, f"no {events} more events in a minute: {stack.logs('data_generator')}"
        time.sleep(0.2)


def test_no_request_is_lost(new_stack: Stack) -> None:
    new_stack.up("api_v1")
    new_stack.up("data_generator", GENERATOR_ARRIVAL_RATE=EVENTS_PER_HOUR)
    wait_for_more(new_stack, 300)
    for version in ("api_v2", "api_v1", "api_v2"):
        new_stack.up(version)
        wait_for_more(new_stack, 300)
    new_stack.stop("data_generator")  # it finishes what is in flight

    url = f"postgresql://postgres:{new_stack.setting('POSTGRES_PASSWORD')}@{new_stack.address('postgres')}/gourmetgram"
    done = acknowledged(new_stack)
    for kind, table in TABLES.items():
        assert rows(url, f"SELECT count(*) FROM {table}") == [(done[kind],)], kind
    deadline = time.monotonic() + 30
    while rows(url, "SELECT count(*) FROM outbox") != [(0,)]:
        assert time.monotonic() < deadline, new_stack.logs("outbox_relay")
        time.sleep(0.2)
    assert rows(url, "SELECT sum(views)::int FROM images") == [(done["view"],)]
