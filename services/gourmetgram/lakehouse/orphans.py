"""Orphans: files of a table that nothing names any more, or never did, and their end."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow.fs
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from gourmetgram.lakehouse.compaction import Outcome
from gourmetgram.lakehouse.files import bucket_path


class MissingFiles(RuntimeError):
    """A table names files that are not where it says: it is damaged, or its paths are not understood."""


class StoredFile(NamedTuple):
    """A file in the object storage: bucket and key, and when it was written."""

    path: str
    written_at: datetime


def unnamed(stored: Iterable[StoredFile], named: Collection[str], root: str, before: datetime | None) -> Iterator[str]:
    """Which of these files may go: below `root`, named by nobody, and written by `before`; None means whenever."""
    for one in stored:
        is_old = before is None or one.written_at <= before
        if is_old and one.path.startswith(f"{root}/") and one.path not in named:
            yield one.path


def remove_orphans(
    load: Callable[[], Table], others: Collection[str], storage: pyarrow.fs.FileSystem, before: datetime | None
) -> Outcome:
    """Delete the files below a table's location that its metadata does not name and that were written by `before`.

    The order is what makes it safe beside writers. What is deleted was seen in the storage before the metadata is
    loaded that decides. So a file whose commit came before that loading is named there and stays; and a file whose
    commit comes later was written, as all its like, before its commit: it is younger than the age to which files are
    spared, unless its writer took longer than that from the file to the commit. The other order, metadata first, would
    delete what was written and committed between the two. `before=None` spares nothing, so nobody may be writing then.

    Args:
        load: loads the table as it is at that moment.
        others: locations of all other tables.
        storage: the object storage.
        before: the age to which files are spared.

    Raises:
        MissingFiles: a file that the table names is not there; then nothing is deleted.
        ValueError: another table lies below this one's location.
    """
    table = load()
    root = bucket_path(table.location())
    if nested := [one for one in others if f"{bucket_path(one)}/".startswith(f"{root}/")]:
        raise ValueError(f"below {table.location()} lies another table ({nested[0]}); its files would go as well")
    contents = Contents(table)
    missing = contents.needed()
    found = list(unnamed(_ticked_off(_walk(storage, root), missing), contents.all(), root, before))
    if missing:
        raise MissingFiles(
            f"{'.'.join(table.name())} names {len(missing)} files that are not there, the first is {min(missing)}; "
            f"no file was deleted. Read the table as of an earlier snapshot, or bring the file back."
        )
    now = load()
    named = contents.all() if now.metadata_location == table.metadata_location else Contents(now).all()
    gone = [path for path in found if path not in named]
    for path in gone:
        with suppress(FileNotFoundError):
            storage.delete_file(path)
    return {"files": len(gone)}


class Contents:
    """The files that a table's present metadata names."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._needed = {bucket_path(table.metadata_location), *map(bucket_path, self._of_snapshots())}

    def needed(self) -> set[str]:
        """Those without which a snapshot cannot be read."""
        return set(self._needed)

    def all(self) -> set[str]:
        """The same, and earlier metadata files, which the commits after this one delete in their turn."""
        metadata = self._table.metadata
        statistics = [one.statistics_path for one in (*metadata.statistics, *metadata.partition_statistics)]
        earlier = [one.metadata_file for one in metadata.metadata_log]
        return self._needed | set(map(bucket_path, statistics + earlier))

    def _of_snapshots(self) -> Iterator[str]:
        manifests: dict[str, ManifestFile] = {}
        for snapshot in self._table.snapshots():
            yield snapshot.manifest_list
            manifests |= {one.manifest_path: one for one in snapshot.manifests(self._table.io)}
        for manifest in manifests.values():
            yield manifest.manifest_path
            for entry in manifest.fetch_manifest_entry(self._table.io, discard_deleted=True):
                yield entry.data_file.file_path


def _ticked_off(stored: Iterable[StoredFile], missing: set[str]) -> Iterator[StoredFile]:
    for one in stored:
        missing.discard(one.path)
        yield one


def _walk(storage: pyarrow.fs.FileSystem, root: str) -> Iterator[StoredFile]:
    """All files below a folder; the list of one folder is in memory at a time."""
    folders = [root]
    while folders:
        for one in storage.get_file_info(pyarrow.fs.FileSelector(folders.pop(), allow_not_found=True)):
            if one.type == pyarrow.fs.FileType.Directory:
                folders.append(one.path)
            elif one.type == pyarrow.fs.FileType.File:
                yield StoredFile(one.path, one.mtime.astimezone(UTC))
