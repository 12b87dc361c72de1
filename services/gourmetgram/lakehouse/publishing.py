"""Which snapshots of the tables belong together: a run publishes them as one row, and readers use the newest row."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pyiceberg.table import Table
from sqlalchemy import Engine, text

from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, named

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS published_sets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    offsets jsonb NOT NULL,
    tables jsonb NOT NULL
)
"""

INSERT: Final = """
INSERT INTO published_sets (run_id, offsets, tables)
VALUES (:run, CAST(:offsets AS jsonb), CAST(:tables AS jsonb))
"""


class Published(NamedTuple):
    """Snapshots that belong together: `tables` by name, and the offsets that all of them cover."""

    run_id: str
    offsets: Mapping[str, int]
    tables: Mapping[str, int]


def latest(engine: Engine) -> Published | None:
    """What readers are to use; None before the first run."""
    with engine.begin() as connection:
        connection.execute(text(SCHEMA))
        row = connection.execute(
            text("SELECT run_id, offsets, tables FROM published_sets ORDER BY id DESC LIMIT 1")
        ).one_or_none()
    return Published(*row) if row else None


def publish(
    engine: Engine, tables: Mapping[str, Table], covering: Mapping[str, Table], ends: Offsets, run_id: str
) -> Published:
    """Publish the present snapshots of `tables`, if they are others than those published before.

    Args:
        engine: the catalog's database.
        tables: all tables that belong to the set.
        covering: those among them that must cover exactly `ends`.
        ends: the ends of the run.
        run_id: the run.

    Raises:
        HistoryError: one of the tables covers something else.
    """
    for name, table in covering.items():
        if Coverage.of(table.properties).offsets != ends:
            raise HistoryError(f"{name} does not cover the ends of run {run_id}; nothing was published")
    snapshots = {name: snapshot.snapshot_id for name, table in tables.items() if (snapshot := table.current_snapshot())}
    before = latest(engine)
    if before and before.tables == snapshots:
        return before
    values: dict[str, Any] = {"run": run_id, "offsets": json.dumps(named(ends)), "tables": json.dumps(snapshots)}
    with engine.begin() as connection:
        connection.execute(text(INSERT), values)
    return Published(run_id, named(ends), snapshots)
