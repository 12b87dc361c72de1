"""What began in containers goes on without Docker, and back: rows, offsets, decisions, tables; and people go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit import state
from labkit.stack import Stack, StackError
from tests.faults import redis_state
from tests.support.database import superuser_rows
from tests.support.lakehouse import landed
from tests.support.processes import wait_until

DECISIONS = "SELECT * FROM moderation ORDER BY id"
WRITTEN = "SELECT (SELECT sum(views) FROM images) + (SELECT count(*) FROM comments)"
TRAFFIC = {"GENERATOR_ARRIVAL_RATE": 60_000}


@pytest.fixture(scope="module")
def at_rest(platform: Stack) -> Stack:
    """The containers, with nothing at work but the stores."""
    ours = [one.name for one in platform.ps() if one.state == "running" and platform.file.kind(one.name) == "own"]
    platform.stop(*ours)
    return platform


@pytest.fixture(scope="module")
def laptop(at_rest: Stack, short_folder: Path) -> Iterator[Stack]:
    """The same without Docker."""
    stack = Stack.free(short_folder / "laptop")
    try:
        state.load(stack, state.save(at_rest, short_folder / "to-laptop.tar.gz"))
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="module")
def server(laptop: Stack, short_folder: Path) -> Iterator[Stack]:
    """What was done on the laptop, in other containers."""
    stack = Stack.free(short_folder / "server", place="compose")
    try:
        state.load(stack, state.save(laptop, short_folder / "to-server.tar.gz"))
        yield stack
    finally:
        stack.destroy()


def asked(stack: Stack, statement: str) -> list[tuple[Any, ...]]:
    with superuser_rows(stack) as rows:
        return rows(statement)


def history(stack: Stack) -> list[dict[str, Any]]:
    told: dict[str, Any] = stack.environment("lakehouse").arguments
    return sorted(landed(LakehouseSettings(**told)), key=lambda row: str(row["event_id"]))


def test_decisions_counts_and_tables_come_along(at_rest: Stack, laptop: Stack) -> None:
    decisions = asked(at_rest, DECISIONS)
    assert decisions
    assert asked(laptop, DECISIONS) == decisions
    assert redis_state.snapshot(laptop) == redis_state.snapshot(at_rest)
    assert history(laptop) == history(at_rest) != []


def test_people_go_on_and_the_history_is_still_sound(laptop: Stack) -> None:
    before = asked(laptop, WRITTEN)
    laptop.up("data_generator", "api_v2", "stream_consumer", "risk_scoring_service", **TRAFFIC)
    wait_until(lambda: asked(laptop, WRITTEN) > before, "people go on", 120)
    decided = asked(laptop, "SELECT count(*) FROM moderation")
    wait_until(lambda: asked(laptop, "SELECT count(*) FROM moderation") > decided, "decisions are made", 120)
    laptop.stop("data_generator")
    laptop.run("lakehouse", "run")
    laptop.run("parity")  # which decisions saw which posts is still true
    laptop.stop("api_v2", "outbox_relay", "stream_consumer", "risk_scoring_service")


def test_and_back_into_containers(laptop: Stack, server: Stack) -> None:
    assert asked(server, DECISIONS) == asked(laptop, DECISIONS)
    assert redis_state.snapshot(server) == redis_state.snapshot(laptop)
    assert history(server) == history(laptop)


def test_a_database_that_does_not_run_does_not_stand_in_the_way(server: Stack, short_folder: Path) -> None:
    """A broken one may be why somebody restores; what an archive needs of this copy of the lab is asked without it."""
    archive = state.Archive.read(short_folder / "to-server.tar.gz")
    newer = archive.manifest | {"databases": {"gourmetgram": {"revision": "9999", "tables": {}}}}
    server.stop("postgres")
    with pytest.raises(StackError, match="A newer lab has made this schema"):
        state.load(server, state.Archive(archive.file, newer))
    assert {one.name: one.state for one in server.ps()}["postgres"] == "stopped"
