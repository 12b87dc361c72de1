"""A table of windows in a folder, for what upkeep does to it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.files import LiveFile
from gourmetgram.lakehouse.tables import WINDOWS

NAME = WINDOWS["view"]
FIRST_DAY = datetime(2026, 11, 20, tzinfo=UTC)
LENGTH = timedelta(minutes=5)

Row = tuple[int, int, int]
"""Image, number of the window since the first day, count."""


class FolderTable:
    """The table of view windows; all columns of a row follow from the image, the number of the window and the count."""

    def __init__(self, folder: Path) -> None:
        self.catalog = SqlCatalog("gourmetgram", uri="sqlite:///:memory:", warehouse=folder.as_uri())
        self.storage = pyarrow.fs.LocalFileSystem()
        tables.ensure(self.catalog)

    def load(self) -> Table:
        return self.catalog.load_table(NAME)

    def append(self, rows: Iterable[Row]) -> int:
        """A commit of its own; returns its snapshot."""
        table = self.load()
        table.append(arrow(table, rows))
        return current(table)

    def replace(self, rows: Iterable[Row]) -> int:
        """Take all files away and write these rows, in one commit."""
        table = self.load()
        transaction = table.transaction()
        files.write(
            transaction, added=[arrow(table, rows)], removed=files.live(table), summary={}, properties={"covers": "all"}
        )
        transaction.commit_transaction()
        return current(table)

    def rows(self, snapshot: int | None = None) -> list[Row]:
        """What a snapshot holds, sorted."""
        found = self.load().scan(snapshot_id=snapshot).to_arrow().to_pylist()
        return sorted(
            (row["image_id"], (row["window_start"] - FIRST_DAY) // LENGTH, row["event_count"]) for row in found
        )


def arrow(table: Table, rows: Iterable[Row]) -> pa.Table:
    """Rows as the table wants them."""
    chosen = [*rows]
    starts = [FIRST_DAY + number * LENGTH for _, number, _ in chosen]
    columns = [
        [image for image, _, _ in chosen],
        starts,
        [start + LENGTH for start in starts],
        [count for _, _, count in chosen],
    ]
    schema = schema_to_pyarrow(table.schema())
    return pa.Table.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def current(table: Table) -> int:
    """The present snapshot."""
    snapshot = table.current_snapshot()
    assert snapshot
    return snapshot.snapshot_id


def live_file(name: str, day: int, rows: int, sequence: int) -> LiveFile:
    """A file that is not there, as manifests describe it."""
    return LiveFile(DataFile.from_args(file_path=f"s3://b/{name}", partition=Record(day), record_count=rows), sequence)
