"""Each service is killed while people use the platform, and started again: nothing is lost, nothing counted twice."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from gourmetgram.core import topics
from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.runner.phases import RESULTS
from labkit.stack import Stack
from tests.compose import account
from tests.compose.account import Account
from tests.faults import raw_topics
from tests.support.database import superuser_rows
from tests.support.history_recount import History
from tests.support.lakehouse import counts, landed
from tests.support.processes import wait_until

VICTIMS = (
    "api_v2", "outbox_relay", "redpanda", "postgres", "redis", "minio", "stream_consumer", "risk_scoring_service",
    "data_generator", "airflow-webserver", "airflow-scheduler", "airflow-dag-processor",
)  # fmt: skip
TRAFFIC = {"GENERATOR_ARRIVAL_RATE": 60_000}  # events in an hour: 17 in a second
AWAY_SECONDS = 2.0
WRITES_BETWEEN = 30
TOTALS = {"total_views": "view", "total_comments": "comment", "total_flags": "flag"}


@dataclass(frozen=True)
class Incident:
    """One service, killed and started again."""

    service: str
    back_seconds: float
    """From `up` until all is well again."""
    writes: int
    """What the simulated people had acknowledged from the kill until `up` has returned."""


@dataclass(frozen=True)
class Drill:
    """All incidents, and what there was before and after."""

    incidents: list[Incident]
    before: Account
    after: Account
    events: list[dict[str, Any]]
    repeats: int

    @property
    def kinds(self) -> Counter[str]:
        """The events that came meanwhile, each counted once."""
        return Counter(event["event_type"] for event in self.events)


@pytest.fixture(scope="module")
def drill(platform: Stack) -> Drill:
    platform.up(*VICTIMS)
    platform.stop("data_generator")
    before = Account.of(platform)
    platform.up("data_generator", **TRAFFIC)
    incidents = [kill_and_start(platform, victim) for victim in VICTIMS]
    wait_for_writes(platform, WRITES_BETWEEN)
    platform.stop("data_generator")
    after = Account.of(platform)
    platform.run("lakehouse", "run")
    events, repeats = account.events(platform, before.ends)
    found = Drill(incidents, before, after, events, repeats)
    keep(found)
    return found


def kill_and_start(platform: Stack, victim: str) -> Incident:
    """Kill it in the middle of traffic, leave it away for a while, start it again."""
    wait_for_writes(platform, WRITES_BETWEEN)
    before = account.ledger(platform).total()
    platform.kill(victim)
    assert {one.name: one.state for one in platform.ps()}[victim] == "stopped"
    time.sleep(AWAY_SECONDS)
    began = time.monotonic()
    platform.up(victim, **(TRAFFIC if victim == "data_generator" else {}))
    back = time.monotonic() - began
    return Incident(victim, round(back, 1), account.ledger(platform).total() - before)


def wait_for_writes(platform: Stack, number: int) -> None:
    wanted = account.ledger(platform).total() + number
    deadline = time.monotonic() + 90
    while account.ledger(platform).total() < wanted:
        assert time.monotonic() < deadline, f"people have not written {number} times more"
        time.sleep(0.5)  # each look copies the ledger


def keep(found: Drill) -> None:
    """The table, for people: build/test/kills.json."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) for one in found.incidents]
    told = {"incidents": rows, "events": dict(found.kinds), "repeated_records": found.repeats}
    (RESULTS / "kills.json").write_text(json.dumps(told, indent=1) + "\n")


def test_people_went_on_while_services_were_killed(drill: Drill) -> None:
    """Otherwise the tests below would prove little."""
    assert [one.service for one in drill.incidents] == list(VICTIMS)
    grown = account.grown(drill.before.ledger, drill.after.ledger)
    assert sum(grown.values()) > WRITES_BETWEEN * len(VICTIMS)
    assert {"view", "comment", "upload"} <= set(grown)


def test_what_was_acknowledged_is_stored_and_nothing_else(drill: Drill) -> None:
    assert account.grown(drill.before.stored, drill.after.stored) == account.grown(
        drill.before.ledger, drill.after.ledger
    )


def test_what_was_acknowledged_has_its_event_and_nothing_else(drill: Drill) -> None:
    acknowledged = account.grown(drill.before.ledger, drill.after.ledger)
    acknowledged.pop("user", None)  # nobody is told of new people
    assert drill.kinds == acknowledged


def test_each_event_is_counted_once(drill: Drill) -> None:
    deleted = {event["image_id"] for event in drill.events if event["event_type"] == "deletion"}
    expected = Counter((one["image_id"], one["event_type"]) for one in drill.events if is_counted(one))
    grown = account.grown(drill.before.totals, drill.after.totals)
    counted = {(int(key.split(":")[1]), TOTALS[key.split(":")[2]]): count for key, count in grown.items()}
    assert without(deleted, counted) == without(deleted, expected)


def without(images: set[int], counts: Mapping[tuple[int, str], int]) -> dict[tuple[int, str], int]:
    """The counts of all other images; those of deleted ones go away."""
    return {one: count for one, count in counts.items() if one[0] not in images}


def is_counted(event: dict[str, Any]) -> bool:
    """What real people did with an image; a flag on a comment is none on the image."""
    on_comment = event["event_type"] == "flag" and event.get("comment_id") is not None
    return event["event_type"] in TOTALS.values() and not event["is_test"] and not on_comment


def test_every_request_is_decided(platform: Stack, drill: Drill) -> None:
    records = raw_topics.read(platform.address("redpanda"), [topics.MODERATION_REQUESTS])
    asked = {one["request_id"]: one["image_id"] for one in (json.loads(record.value or b"") for record in records)}
    with superuser_rows(platform) as rows:
        gone = {image for (image,) in rows("SELECT id FROM images WHERE deleted_at IS NOT NULL")}

        def undecided() -> set[str]:
            decided = {request for (request,) in rows("SELECT inference_request_id::text FROM moderation")}
            return {request for request, image in asked.items() if image not in gone} - decided

        wait_until(lambda: not undecided(), "every request is decided", 60)


def test_nothing_ended_among_the_dead_letters(platform: Stack, drill: Drill) -> None:
    ends = raw_topics.ends(platform.address("redpanda"), [topics.DEAD_LETTERS])
    assert {place: drill.before.ends[place] for place in ends} == ends


def test_the_history_equals_a_recount_of_the_topics(platform: Stack, drill: Drill) -> None:
    told: dict[str, Any] = platform.environment("lakehouse").arguments
    settings = LakehouseSettings(**told)
    history = History(raw_topics.read(platform.address("redpanda"), list(account.KINDS)))
    assert sorted(landed(settings), key=lambda row: row["event_id"]) == history.rows()
    for kind in ("view", "comment", "flag"):
        assert counts(settings, kind) == history.windows(kind)
