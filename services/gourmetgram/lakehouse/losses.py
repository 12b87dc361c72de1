"""Goes on after records were lost, when a person says so: what is missing is written down with the table of events."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from pyiceberg.table import Table

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, Range, Trouble, starts, trouble
from gourmetgram.lakehouse.tables import EVENTS, WINDOWS
from gourmetgram.lakehouse.topic_log import TopicLog

log = structlog.get_logger("lakehouse")

LOSSES: Final = "gourmetgram.losses"
"""The property of the table of events that lists what is missing, as JSON; the oldest loss first."""

ACCEPTED: Final = "accept-loss"
"""Stands for the run in the snapshots that are made here."""


def losses(properties: Mapping[str, str]) -> list[dict[str, Any]]:
    """What has been written down."""
    found: list[dict[str, Any]] = json.loads(properties.get(LOSSES, "[]"))
    return found


def accept(tables: Mapping[str, Table], topics: TopicLog, now: datetime) -> Sequence[Trouble]:
    """Let the history go on at the earliest record that the broker has, wherever it cannot go on otherwise.

    The tables of windows are moved first: once the table of events is, there is no trouble left to be seen, so an
    interrupted call can be repeated.

    Raises:
        HistoryError: a topic is not there at all.
        CommitFailedException: somebody else has written meanwhile; nothing was changed, or only a table of windows.
    """
    events = tables[EVENTS]
    covered = Coverage.of(events.properties)
    ranges = topics.ranges()
    found = trouble(covered, ranges, topics.prints_before(covered.offsets, ranges))
    if gone := [one.told for one in found if one.place not in ranges]:
        raise HistoryError("\n  ".join(["These topics have to be made first, see topics-init:", *gone]))
    if not found:
        return found
    places = {one.place: ranges[one.place] for one in found}
    goes_on = starts({}, places)
    for name in WINDOWS.values():
        _move(tables[name], _not_beyond(tables[name], goes_on), {})
    written = losses(events.properties) + [_written(one, places, now) for one in found]
    _move(events, goes_on, {LOSSES: json.dumps(written)})
    log.warning("loss accepted", places=[str(place) for place in places])
    return found


def _not_beyond(table: Table, goes_on: Offsets) -> Offsets:
    """Windows that are behind the events stay behind: what has landed meanwhile is still to be counted."""
    covered = Coverage.of(table.properties).offsets
    return {place: min(covered.get(place, 0), offset) for place, offset in goes_on.items()}


def _move(table: Table, offsets: Offsets, properties: Mapping[str, str]) -> None:
    """An empty snapshot goes with it, which makes a run that is under way fail as any other commit would."""
    moved = {**Coverage.of(table.properties).moved(offsets).properties(), **properties}
    transaction = table.transaction()
    files.write(transaction, added=(), summary={**moved, RUN: ACCEPTED}, properties=moved)
    transaction.commit_transaction()


def _written(one: Trouble, places: Mapping[Any, Range], now: datetime) -> dict[str, Any]:
    return {
        "accepted_at": now.isoformat(),
        "place": str(one.place),
        "covered": one.covered,
        "goes_on_at": places[one.place].first,
        "told": one.told,
    }
