"""Data files of a table's snapshot: which there are, reading a part of them, and replacing them in one commit."""

import itertools
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
from pyiceberg.io.pyarrow import _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import _OverwriteFiles
from pyiceberg.types import NestedField

from gourmetgram.core.windows import DAY
from gourmetgram.lakehouse.offsets import HistoryError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

SMALL: Final = 1024 * 1024
"""Bytes of a file up to which all its columns are fetched at once; they would stay in memory until its end."""


class LiveFile(NamedTuple):
    """A data file of a snapshot."""

    file: DataFile
    sequence: int
    """The table's commits are numbered; this one added the file."""

    @property
    def path(self) -> str:
        """Bucket and key, as the object storage is asked for it."""
        return bucket_path(self.file.file_path)

    @property
    def day(self) -> int:
        """Days since 1970, in a table with a partition for each day."""
        return int(self.file.partition[0])


def live(table: Table) -> list[LiveFile]:
    """The data files of the present snapshot."""
    return live_at(table, table.current_snapshot())


def live_at(table: Table, snapshot: Snapshot | None) -> list[LiveFile]:
    """The data files of a snapshot of the table."""
    manifests = snapshot.manifests(table.io) if snapshot else []
    return [
        LiveFile(entry.data_file, entry.sequence_number or manifest.sequence_number)
        for manifest in manifests
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]


def dataset(
    table: Table, storage: pyarrow.fs.FileSystem, chosen: Collection[LiveFile]
) -> pyarrow.dataset.FileSystemDataset:
    """These files as one Arrow dataset, of which only the columns and rows that are asked for are read, bit by bit."""
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    fragments = [
        _parquet(at_once=one.file.file_size_in_bytes <= SMALL).make_fragment(
            one.path, storage, file_size=one.file.file_size_in_bytes
        )
        for one in chosen
    ]
    return pyarrow.dataset.FileSystemDataset(fragments, schema, _parquet(at_once=False), storage)


@cache
def _parquet(*, at_once: bool) -> pyarrow.dataset.ParquetFileFormat:
    options = pyarrow.dataset.ParquetFragmentScanOptions(pre_buffer=at_once)
    return pyarrow.dataset.ParquetFileFormat(default_fragment_scan_options=options)


def dataset_at(table: Table, storage: pyarrow.fs.FileSystem, snapshot_id: int) -> pyarrow.dataset.FileSystemDataset:
    """All rows of a snapshot that somebody has chosen before.

    Raises:
        HistoryError: it is no longer there.
    """
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        name = ".".join(table.name())
        raise HistoryError(f"snapshot {snapshot_id} of {name} is no longer there; begin from the first step again")
    return dataset(table, storage, live_at(table, snapshot))


def summary_of(snapshot: Snapshot | None) -> Mapping[str, str]:
    """What a snapshot says about itself; nothing where there is none."""
    return snapshot.summary.additional_properties if snapshot and snapshot.summary else {}


def bucket_path(address: str) -> str:
    """Bucket and key, as the object storage is asked for them: bucket/key of s3://bucket/key/."""
    return address.partition("://")[2].rstrip("/")


def is_there(storage: pyarrow.fs.FileSystem, path: str) -> bool:
    """Whether there is such a file."""
    return bool(storage.get_file_info(path).type == pyarrow.fs.FileType.File)


def instant(day: int) -> datetime:
    """The beginning of a day that is counted from 1970."""
    return EPOCH + timedelta(days=day)


def microseconds(moment: datetime) -> int:
    """Unix microseconds of an instant; exact."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def days(instants: pa.ChunkedArray) -> set[int]:
    """The days, counted from 1970, in which these instants lie."""
    return set(pc.unique(pc.divide(pc.cast(instants, pa.int64()), DAY)).to_pylist())


def last_commit(table: Table) -> int:
    """The number of the newest commit, to compare with the `sequence` of files."""
    snapshot = table.current_snapshot()
    return (snapshot.sequence_number or 0) if snapshot else 0


def text_bounds(one: LiveFile, field: NestedField) -> tuple[str, str]:
    """What the values of a text column lie between, as far as the file's statistics tell; they are cut off."""
    lower = (one.file.lower_bounds or {}).get(field.field_id, b"")
    upper = (one.file.upper_bounds or {}).get(field.field_id)
    return lower.decode(), upper.decode() if upper else "\U0010ffff"


class _Replacement(_OverwriteFiles):
    """An overwrite whose snapshot names no file that was taken away.

    PyIceberg lists those, too, and carries the lists along from one overwrite to the next. With each file they hold its
    least and greatest image id, which may be that of a deleted image; in a snapshot that a tag keeps, for ever.
    """

    def _deleted_entries(self) -> list[ManifestEntry]:
        super()._deleted_entries()  # makes sure that the files are there
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        return [one for one in super()._existing_manifests() if one.has_added_files() or one.has_existing_files()]


def write(
    transaction: Transaction,
    *,
    added: Iterable[pa.Table] = (),
    ready: Iterable[DataFile] = (),
    removed: Collection[LiveFile] = (),
    summary: Mapping[str, str],
    properties: Mapping[str, str],
) -> None:
    """Stage one snapshot that adds rows and takes files away, and the properties that go with it.

    Nothing is visible before the transaction is committed; the commit is refused when the table has changed since it
    was loaded. `added` is consumed one table at a time, so that only one of them is in memory. Who has written whole
    files already hands them in as `ready`.
    """
    marked = dict(summary)
    with (
        _Replacement(Operation.OVERWRITE, transaction, transaction._table.io, snapshot_properties=marked)
        if removed
        else transaction.update_snapshot(snapshot_properties=marked).fast_append()
    ) as snapshot:
        for one in removed:
            snapshot.delete_data_file(one.file)
        for file in itertools.chain(ready, _written(transaction, snapshot.commit_uuid, added)):
            snapshot.append_data_file(file)
    transaction.set_properties(dict(properties))


def _written(transaction: Transaction, commit: uuid.UUID, tables: Iterable[pa.Table]) -> Iterator[DataFile]:
    counter = itertools.count()
    metadata = transaction.table_metadata
    for rows in tables:
        if len(rows):
            yield from _dataframe_to_data_files(
                table_metadata=metadata, df=rows, io=transaction._table.io, write_uuid=commit, counter=counter
            )
