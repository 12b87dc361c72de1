"""Which snapshots of the tables belong together: a run publishes them as one row, and readers use the newest row."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import Connection, Engine, text

from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, named
from gourmetgram.lakehouse.tables import DELETED_IMAGES, HISTORY

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS published_sets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    offsets jsonb NOT NULL,
    tables jsonb NOT NULL
);
ALTER TABLE published_sets ADD COLUMN IF NOT EXISTS frozen_at timestamptz;
"""

EXISTS: Final = "SELECT to_regclass('published_sets') IS NOT NULL"

LATEST: Final = """
SELECT run_id, offsets, tables, coalesce(frozen_at, published_at) AS frozen_at
FROM published_sets ORDER BY id DESC LIMIT 1
"""

INSERT: Final = """
INSERT INTO published_sets (run_id, offsets, tables, frozen_at)
VALUES (:run, CAST(:offsets AS jsonb), CAST(:tables AS jsonb), :frozen_at)
"""

STILL_SO: Final = """
UPDATE published_sets SET frozen_at = greatest(frozen_at, :frozen_at)
WHERE id = (SELECT max(id) FROM published_sets)
"""

ALONE: Final = "SELECT pg_advisory_xact_lock(5)"
"""One at a time, so that nobody publishes behind another one what he has looked up before him."""


class Published(NamedTuple):
    """Snapshots that belong together: `tables` by name, and the offsets that all of them cover.

    Those offsets were the ends of the topics at `frozen_at`.
    """

    run_id: str
    offsets: Mapping[str, int]
    tables: Mapping[str, int]
    frozen_at: datetime


def latest(engine: Engine) -> Published | None:
    """What readers are to use; None before the first run."""
    with engine.begin() as connection:
        if not connection.execute(text(EXISTS)).scalar():
            return None
        connection.execute(text(SCHEMA))  # of an older version it lacks a column
        return _latest(connection)


def published(engine: Engine) -> Published:
    """What readers are to use.

    Raises:
        HistoryError: nothing has been published yet.
    """
    history = latest(engine)
    if history is None:
        raise HistoryError("no history has been published yet; let redpanda_event_aggregation run first")
    return history


def publish(catalog: SqlCatalog, ends: Offsets, run_id: str, frozen_at: datetime) -> Published:
    """Publish the present snapshots of all tables, if they are others than those published before.

    If they are the same, they hold for longer: until `frozen_at`, when the topics ended at `ends`.

    Raises:
        HistoryError: one of the tables does not cover exactly `ends`.
    """
    with catalog.engine.begin() as connection:
        connection.execute(text(ALONE))
        connection.execute(text(SCHEMA))
        every = tables.ensure(catalog)
        present = {name: every[name] for name in HISTORY}
        for name, table in present.items():
            if name != DELETED_IMAGES and Coverage.of(table.properties).offsets != ends:
                raise HistoryError(f"{name} does not cover the ends of run {run_id}; nothing was published")
        snapshots = {name: one.snapshot_id for name, table in present.items() if (one := table.current_snapshot())}
        before = _latest(connection)
        if before and before.tables == snapshots:
            connection.execute(text(STILL_SO), {"frozen_at": frozen_at})
            return before._replace(frozen_at=max(before.frozen_at, frozen_at))
        values: dict[str, Any] = {"run": run_id, "offsets": json.dumps(named(ends)), "tables": json.dumps(snapshots)}
        connection.execute(text(INSERT), {**values, "frozen_at": frozen_at})
    return Published(run_id, named(ends), snapshots, frozen_at)


def _latest(connection: Connection) -> Published | None:
    row = connection.execute(text(LATEST)).one_or_none()
    return Published(*row) if row else None
