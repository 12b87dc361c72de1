"""The table of the large training data: written as a stream, and only as far as it is not there yet."""

import itertools
import json
import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow
from pyiceberg.table import Table
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import LARGE_SCHEMA, LARGE_TRAINING_DATA, MODERATION, PROPERTIES, large
from gourmetgram.training.errors import TrainingError
from gourmetgram.training.large import rows as synthetic
from gourmetgram.training.reader import ahead

GROUP_ROWS: Final = 131_072
"""Rows of a row group: what a writer holds in memory, and a reader at the least fetches at a time."""

FILE_ROWS: Final = 8 * GROUP_ROWS

FRESH: Final = timedelta(hours=1)
"""Age up to which a file is used again that a writer left behind when it was ended. Upkeep deletes such files when they
are a day old, so a younger one does not vanish between this look at it and the commit that names it."""

SYNTHETIC: Final = "gourmetgram.synthetic"
"""The property of a snapshot that says how its rows were made, as JSON."""

Say = Callable[[int], object]
"""Hears how many more rows are there."""


class Part(NamedTuple):
    """A file of the table: its row groups are numbered on from `first_group`."""

    path: str
    first_group: int
    rows: int

    def groups(self, seed: int) -> Iterator[pa.Table]:
        """Its rows, one row group at a time."""
        for number, start in enumerate(range(0, self.rows, GROUP_ROWS), self.first_group):
            rows = min(GROUP_ROWS, self.rows - start)
            yield pa.Table.from_batches([synthetic.group(seed, number, rows)])


class Written(NamedTuple):
    """What has become of the table: its snapshot, and how many rows this call had to make."""

    snapshot_id: int
    rows: int
    made: int


@retry(retry=retry_if_exception_type(CommitFailedException), stop=stop_after_attempt(3), reraise=True)
def write(settings: LakehouseSettings, rows: int, *, seed: int = 1, say: Say = lambda _: None) -> Written:
    """Make the table have exactly these rows, in one commit at the end; before it, readers see what was there.

    A file is the same whenever it is written. So what the table has already stays, a writer goes on where one before it
    was ended, and of two at the same time the later one finds its work done.

    Args:
        settings: where to.
        rows: how many; at least 1.
        seed: of the rows.
        say: told of rows as they are written, or found.

    Raises:
        TrainingError: the number makes no sense, or the table has other columns.
        CommitFailedException: somebody else changes the table all the time.
    """
    if rows < 1:
        raise TrainingError(f"expected at least one row, got {rows}")
    storage = open_storage(settings)
    table = ensure(open_catalog(settings))
    parts = _parts(table, rows, seed)
    present = {one.path: one for one in files.live(table)}
    kept = {part.path for part in parts if part.path in present and present[part.path].file.record_count == part.rows}
    missing = []
    for part in parts:
        if part.path in kept or _is_left_behind(storage, part):
            say(part.rows)
        else:
            missing.append(part)
    _store(table, storage, missing, seed, say)
    added = [part for part in parts if part.path not in kept]
    removed = [one for path, one in present.items() if path not in kept]
    if added or removed:
        _commit(table, added, removed, {"rows": rows, "seed": seed, "revision": synthetic.REVISION})
    snapshot = table.current_snapshot()
    assert snapshot  # noqa: S101 - it has at least one file
    return Written(snapshot.snapshot_id, rows, sum(part.rows for part in missing))


def variant(settings: LakehouseSettings, group_rows: int, rows: int, *, seed: int = 1) -> str:
    """Write rows to a file of their own, in row groups of another size; return its bucket and key.

    It is there to be measured, and is in memory as a whole meanwhile. No snapshot names it, so upkeep takes it away
    when it is a day old.
    """
    table, storage = ensure(open_catalog(settings)), open_storage(settings)
    path = f"{_folder(table)}/variants/{seed}-{group_rows}-{rows}.parquet"
    everything = pa.concat_tables(Part(path, 0, rows).groups(seed))
    with _file(table, storage, path) as file:
        file.write_table(everything.cast(file.schema), row_group_size=group_rows)
    return path


def ensure(catalog: SqlCatalog) -> Table:
    """The table, made if it is missing.

    Raises:
        TrainingError: it has other columns.
    """
    table = large(catalog).get(LARGE_TRAINING_DATA) or _made(catalog)
    if table.schema().as_struct() != LARGE_SCHEMA.as_struct():
        raise TrainingError(
            f"{LARGE_TRAINING_DATA} has other columns than this version of the lab gives it: "
            f"{', '.join(table.schema().column_names)}. Nothing was changed. Drop the table, then write it again."
        )
    return table


def _made(catalog: SqlCatalog) -> Table:
    catalog.create_namespace_if_not_exists(MODERATION)
    return catalog.create_table_if_not_exists(LARGE_TRAINING_DATA, LARGE_SCHEMA, properties=PROPERTIES)


def _parts(table: Table, rows: int, seed: int) -> list[Part]:
    """The files that hold so many rows."""
    folder = f"{_folder(table)}/revision-{synthetic.REVISION}-seed-{seed}"
    return [
        Part(f"{folder}/{number:05d}-{count}-rows.parquet", number * (FILE_ROWS // GROUP_ROWS), count)
        for number, start in enumerate(range(0, rows, FILE_ROWS))
        for count in [min(FILE_ROWS, rows - start)]
    ]


def _folder(table: Table) -> str:
    return f"{files.bucket_path(table.location())}/data"


def _is_left_behind(storage: pyarrow.fs.FileSystem, part: Part) -> bool:
    """Whether the file is there, complete and young, though no snapshot names it."""
    found = storage.get_file_info(part.path)
    if found.type != pyarrow.fs.FileType.File or found.mtime.astimezone(UTC) < datetime.now(UTC) - FRESH:
        return False
    try:
        about = pyarrow.parquet.read_metadata(part.path, filesystem=storage)
    except pa.ArrowInvalid:  # its writer was ended in the middle
        return False
    return bool(about.num_rows == part.rows)


def _store(table: Table, storage: pyarrow.fs.FileSystem, parts: Sequence[Part], seed: int, say: Say) -> None:
    """Write files; the next row group is computed meanwhile.

    One thread computes for all of them. Threads keep some of what they have freed for themselves, so a new one for each
    file would let memory grow with the number of files.
    """
    groups = ahead((part, group) for part in parts for group in part.groups(seed))
    for part, of_part in itertools.groupby(groups, operator.itemgetter(0)):
        with _file(table, storage, part.path) as file:
            for _, group in of_part:
                file.write_table(group.cast(file.schema), row_group_size=GROUP_ROWS)
                say(len(group))


def _file(table: Table, storage: pyarrow.fs.FileSystem, path: str) -> pyarrow.parquet.ParquetWriter:
    return pyarrow.parquet.ParquetWriter(
        path, schema_to_pyarrow(table.schema()), filesystem=storage, compression="zstd"
    )


def _commit(table: Table, added: list[Part], removed: list[files.LiveFile], about: dict[str, int]) -> None:
    ready = (parquet_file_to_data_file(table.io, table.metadata, f"s3://{part.path}") for part in added)
    summary = {SYNTHETIC: json.dumps(about)}
    transaction = table.transaction()
    files.write(transaction, ready=ready, removed=removed, summary=summary, properties=summary)
    transaction.commit_transaction()
