"""Which snapshots of the tables belong together: a run publishes them as one row, and readers use the newest row."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import Connection, Engine, text

from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, named
from gourmetgram.lakehouse.tables import DELETED_IMAGES

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS published_sets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    offsets jsonb NOT NULL,
    tables jsonb NOT NULL
)
"""

EXISTS: Final = "SELECT to_regclass('published_sets') IS NOT NULL"

LATEST: Final = "SELECT run_id, offsets, tables FROM published_sets ORDER BY id DESC LIMIT 1"

INSERT: Final = """
INSERT INTO published_sets (run_id, offsets, tables)
VALUES (:run, CAST(:offsets AS jsonb), CAST(:tables AS jsonb))
"""

ALONE: Final = "SELECT pg_advisory_xact_lock(5)"
"""One at a time, so that nobody publishes behind another one what he has looked up before him."""


class Published(NamedTuple):
    """Snapshots that belong together: `tables` by name, and the offsets that all of them cover."""

    run_id: str
    offsets: Mapping[str, int]
    tables: Mapping[str, int]


def latest(engine: Engine) -> Published | None:
    """What readers are to use; None before the first run."""
    with engine.begin() as connection:
        return _latest(connection) if connection.execute(text(EXISTS)).scalar() else None


def publish(catalog: SqlCatalog, ends: Offsets, run_id: str) -> Published:
    """Publish the present snapshots of all tables, if they are others than those published before.

    Raises:
        HistoryError: one of the tables does not cover exactly `ends`.
    """
    with catalog.engine.begin() as connection:
        connection.execute(text(ALONE))
        connection.execute(text(SCHEMA))
        present = tables.ensure(catalog)
        for name, table in present.items():
            if name != DELETED_IMAGES and Coverage.of(table.properties).offsets != ends:
                raise HistoryError(f"{name} does not cover the ends of run {run_id}; nothing was published")
        snapshots = {name: one.snapshot_id for name, table in present.items() if (one := table.current_snapshot())}
        before = _latest(connection)
        if before and before.tables == snapshots:
            return before
        values: dict[str, Any] = {"run": run_id, "offsets": json.dumps(named(ends)), "tables": json.dumps(snapshots)}
        connection.execute(text(INSERT), values)
    return Published(run_id, named(ends), snapshots)


def _latest(connection: Connection) -> Published | None:
    row = connection.execute(text(LATEST)).one_or_none()
    return Published(*row) if row else None
