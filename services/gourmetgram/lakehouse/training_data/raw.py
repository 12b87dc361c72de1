"""Raw snapshots: the application's tables as they were at one instant, as Parquet in the object storage.

Free texts and names stay where they are, for nothing here needs them. Of an image that was deleted nothing is taken but
that its user had posted one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import pyarrow.fs
import pyarrow.parquet
from adbc_driver_manager.dbapi import Cursor
from adbc_driver_postgresql import dbapi

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data.contracts import check_raw

TABLES: Final[Mapping[str, str]] = {
    "users": "id",
    "images": "created_at, user_id",
    "comments": "id",
    "flags": "id",
    "image_milestones": "image_id, milestone",
}
"""The tables, and how their rows are ordered. What is taken of each is a view in the schema `raw` (migration 0003)."""

IMAGE_COLUMNS: Final = {"images": "id", "comments": "image_id", "flags": "image_id", "image_milestones": "image_id"}
"""Where the id of an image stands."""

OF_THE_IMAGE: Final = ("id", "source", "caption_length", "category")
"""Columns of `images` that are empty where the image was deleted: what is left says that a user had posted one."""

TAKEN: Final = "SELECT now() AS taken_at, oldest AS oldest_unpublished FROM raw.unpublished"

MANIFEST: Final = "_taken.json"
"""Written last: a folder without it is not finished."""

STAGED: Final = "features"
"""The folder within a snapshot where rows of training data lie from their computation to their loading."""

BATCH_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Taken:
    """A finished snapshot: where it is, what it holds, and which deletions it knows."""

    run_id: str
    folder: str
    taken_at: str
    oldest_unpublished: str | None
    rows: Mapping[str, int]
    deletions: int
    """Number of the commit of the table of deleted images up to which its images have been taken out."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """What a manifest says."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """The manifest."""
        return json.dumps(asdict(self), indent=1)


def folder_of(root: str, run_id: str, day: datetime) -> str:
    """Where the snapshot of a run lies; a retry on another day has a folder of its own."""
    return f"{root}/dt={day.astimezone(UTC):%Y-%m-%d}/run_id={re.sub('[^A-Za-z0-9._-]', '_', run_id)}"


def root_of(settings: LakehouseSettings) -> str:
    """Bucket and key of the folder of all snapshots."""
    return files.bucket_path(settings.raw_snapshots)


def take(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem, run_id: str, deletions: int) -> Taken:
    """Write a snapshot, all tables of one instant; a folder that an earlier attempt has left is emptied first.

    Raises:
        ContractBroken: something in the tables is not as agreed; the snapshot stays unfinished, and nobody reads it.
    """
    with one_instant(settings) as cursor:
        cursor.execute(TAKEN)
        (instant,) = cursor.fetch_arrow_table().to_pylist()
        folder = folder_of(root_of(settings), run_id, instant["taken_at"])
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
    write_manifest(storage, taken)
    return taken


def write_manifest(storage: pyarrow.fs.FileSystem, taken: Taken) -> None:
    """Say that a snapshot is finished, and what it is."""
    with storage.open_output_stream(f"{taken.folder}/{MANIFEST}") as file:
        file.write(taken.text().encode())


def finished(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> list[Taken]:
    """All finished snapshots, the oldest first."""
    selector = pyarrow.fs.FileSelector(root_of(settings), recursive=True, allow_not_found=True)
    manifests = [one.path for one in storage.get_file_info(selector) if one.base_name == MANIFEST]
    return sorted((_read_manifest(storage, path) for path in manifests), key=lambda taken: taken.taken_at)


def expire(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem, now: datetime) -> dict[str, int]:
    """Delete snapshots that were taken too long ago, and what runs have left that were never finished."""
    too_old = now - timedelta(hours=settings.keep_raw_hours)
    left_over = now - timedelta(hours=settings.orphan_grace_hours)
    snapshots, unfinished = [], []
    for folder, inside in _by_folder(settings, storage).items():
        staged = [one for one in inside if one.path.startswith(f"{folder}/{STAGED}/")]
        is_finished = any(one.base_name == MANIFEST for one in inside)
        if _began(inside) <= too_old:
            snapshots.append(folder)
        elif not is_finished and _began(inside) <= left_over:
            unfinished.append(folder)
        elif staged and _began(staged) <= left_over:
            unfinished.append(f"{folder}/{STAGED}")
    for folder in (*snapshots, *unfinished):
        storage.delete_dir(folder)
    return {"snapshots": len(snapshots), "unfinished": len(unfinished)}


def _by_folder(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> dict[str, list[pyarrow.fs.FileInfo]]:
    """The files of each snapshot, finished or not."""
    selector = pyarrow.fs.FileSelector(root_of(settings), recursive=True, allow_not_found=True)
    found: dict[str, list[pyarrow.fs.FileInfo]] = {}
    for one in storage.get_file_info(selector):
        if one.type == pyarrow.fs.FileType.File:
            found.setdefault(re.sub("(/run_id=[^/]+)/.*", r"\1", one.path), []).append(one)
    return found


def _began(inside: list[pyarrow.fs.FileInfo]) -> datetime:
    first: datetime = min(one.mtime for one in inside)
    return first


def path_of(folder: str, table: str) -> str:
    """The file of a table in the folder of a snapshot."""
    return f"{folder}/{table}.parquet"


def _read_manifest(storage: pyarrow.fs.FileSystem, path: str) -> Taken:
    with storage.open_input_stream(path) as file:
        return Taken.parse(file.read())


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
        path_of(folder, table), reader.schema, filesystem=storage, compression="zstd"
    ) as file:
        for batch in reader:
            check_raw(table, batch)
            file.write_batch(batch)
            rows += len(batch)
    return rows
