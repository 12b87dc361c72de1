"""Checks of the published history: events, windows, age."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from gourmetgram.core.windows import DAY
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.offsets import parse_offsets
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.tables import EVENTS, WINDOWS
from gourmetgram.lakehouse.verify.checks import Check
from gourmetgram.lakehouse.verify.sources import Sources

SHOWN: Final = 3


def checks(sources: Sources, now: datetime, most_hours: float) -> Iterator[Check]:
    """All of them."""
    yield from events(sources)
    for kind in WINDOWS:
        yield windows(sources, kind)
    yield age("age of the history", now - sources.published.frozen_at, most_hours)


def events(sources: Sources) -> Iterator[Check]:
    """Each event is there once, none from beyond the published offsets, as many as the table's own books say."""
    places = parse_offsets(sources.published.offsets)
    ends = pa.table(
        {
            "topic": [place.topic for place in places],
            "partition": pa.array([place.partition for place in places], pa.int32()),
            "end_offset": pa.array(places.values(), pa.int64()),
        }
    )
    with Session.over({"events": sources.history(EVENTS), "ends": ends}) as session:
        (counted,) = session.table("verify_events").to_pylist()
        (repeated,) = session.table("verify_repeated_events").to_pylist()
    booked = int(files.summary_of(sources.snapshot(EVENTS)).get("total-records", 0))
    yield Check(
        name="events, rows",
        level="error",
        passed=counted["events"] == booked and not counted["beyond"],
        found=f"{counted['events']} rows, {counted['beyond']} of them from beyond the published offsets",
        expected=f"{booked} rows, as the table's snapshot says, and none from beyond",
    )
    yield Check(
        name="events, duplicates",
        level="error",
        passed=not (repeated["ids"] or repeated["places"]),
        found=f"{repeated['ids']} event ids and {repeated['places']} places in the topics are there more than once",
        expected="each event id once, each record once",
    )


def windows(sources: Sources, kind: str) -> Check:
    """The sums of a kind's windows equal a recount of the events, day by day."""
    with Session.over({"events": sources.history(EVENTS), "windows": sources.history(WINDOWS[kind])}) as session:
        days = session.table("verify_windows", kind=kind, day=DAY).to_pylist()
    wrong = [one for one in days if one["in_windows"] != one["in_events"]]
    total = sum(one["in_windows"] for one in days)
    return Check(
        name=f"windows of {kind}s, recount",
        level="error",
        passed=not wrong,
        found=f"{total} {kind}s in {len(days)} days" + "".join(f"; {_day(one)}" for one in wrong[:SHOWN]),
        expected=f"{sum(one['in_events'] for one in days)} {kind}s, the events of each day",
    )


def _day(one: dict[str, Any]) -> str:
    return f"{files.instant(one['day']):%Y-%m-%d}: {one['in_windows']} instead of {one['in_events']}"


def age(name: str, found: timedelta, most_hours: float) -> Check:
    """Whether something is not too old."""
    hours = found / timedelta(hours=1)
    return Check(
        name=name,
        level="error",
        passed=hours <= most_hours,
        found=f"all is there until {hours:.1f} hours ago",
        expected=f"at most {most_hours:g} hours; is Airflow running its DAGs?",
    )
