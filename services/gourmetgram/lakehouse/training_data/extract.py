"""Takes raw snapshots from PostgreSQL.

Free texts and names stay where they are, for nothing here needs them. Of an image that was deleted nothing is taken but
that its user had posted one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pyarrow.fs
import pyarrow.parquet
from adbc_driver_manager.dbapi import Cursor
from adbc_driver_postgresql import dbapi

from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data import raw
from gourmetgram.lakehouse.training_data.contracts import check_raw
from gourmetgram.lakehouse.training_data.raw import Taken

TABLES: Final[Mapping[str, str]] = {
    "users": "id",
    "images": "created_at, user_id",
    "comments": "id",
    "flags": "id",
    "image_milestones": "image_id, milestone",
    "reviews": "id",
}
"""The views of the schema `raw` (migrations 0003 and 0007) that are taken, and how their rows are ordered."""

TAKEN: Final = "SELECT now() AS taken_at, oldest AS oldest_unpublished FROM raw.unpublished"

BATCH_BYTES: Final = 8 * 1024 * 1024


def take(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem, run_id: str, deletions: int) -> Taken:
    """Write a snapshot, all tables of one instant; a folder that an earlier attempt has left is emptied first.

    Raises:
        ContractBroken: something in the tables is not as agreed; the snapshot stays unfinished, and nobody reads it.
    """
    with one_instant(settings) as cursor:
        cursor.execute(TAKEN)
        (instant,) = cursor.fetch_arrow_table().to_pylist()
        folder = raw.folder_of(raw.root_of(settings), run_id, instant["taken_at"])
        storage.create_dir(folder)
        storage.delete_dir_contents(folder)
        rows = {table: _write(cursor, storage, table, folder) for table in TABLES}
    oldest = instant["oldest_unpublished"]
    taken = Taken(
        run_id=run_id,
        folder=folder,
        taken_at=instant["taken_at"].isoformat(),
        oldest_unpublished=oldest.isoformat() if oldest else None,
        rows=rows,
        deletions=deletions,
    )
    raw.write_manifest(storage, taken)
    return taken


@contextmanager
def one_instant(settings: LakehouseSettings) -> Iterator[Cursor]:
    """A transaction that sees the database as it is at its beginning, whatever is written meanwhile."""
    url = settings.database_url.get_secret_value()
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        yield cursor


def _write(cursor: Cursor, storage: pyarrow.fs.FileSystem, table: str, folder: str) -> int:
    cursor.execute(f"SELECT * FROM raw.{table} ORDER BY {TABLES[table]}")  # noqa: S608 - both are constants
    reader: Any = cursor.fetch_record_batch()
    rows = 0
    with pyarrow.parquet.ParquetWriter(
        raw.path_of(folder, table), reader.schema, filesystem=storage, compression="zstd"
    ) as file:
        for batch in reader:
            check_raw(table, batch)
            file.write_batch(batch)
            rows += len(batch)
    return rows
