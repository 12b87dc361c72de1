"""Compaction: of the many small files of a partition a few whole ones.

Rows and properties of the table stay as they are. The files that come of it count as new, for PyIceberg numbers every
file that a commit adds by that commit: at the next new event, windows of their days are computed once more, to the same
result.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.fs
import structlog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.files import LiveFile

log = structlog.get_logger("lakehouse")

UPKEEP: Final = "gourmetgram.upkeep"
"""The property of a snapshot that upkeep made: it has the rows of the snapshot before it."""

WHOLE: Final = 0.75
"""A file of this share of the largest size stays as it is."""

FEWEST: Final = 5
"""Files that are worth rewriting together, even when they make no whole file yet."""

TEXT: Final = 48
"""Bytes that a text takes in memory: as many as an event id, the longest of all."""

TARGET: Final = "write.target-file-size-bytes"
TARGET_DEFAULT: Final = 512 * 1024 * 1024

Outcome = dict[str, Any]
"""What was done to a table, for people; it can be written as JSON."""


def rows_of_a_file(schema: pa.Schema, size: int) -> int:
    """Most rows of a file, so that they take up to `size` bytes in memory, which is how PyIceberg measures files."""
    widths = [TEXT if _is_text(field.type) else field.type.bit_width / 8 for field in schema]
    return max(1, int(size / sum(widths)))


def bins(present: Iterable[LiveFile], most: int) -> Iterator[list[LiveFile]]:
    """Files to be rewritten as one file of up to `most` rows each; those of a bin belong to one partition.

    Files that follow each other in time share a bin, so that event ids, which grow with time, are still in few files.
    """
    small = [one for one in present if one.file.record_count < WHOLE * most]
    ordered = sorted(small, key=lambda one: (_partition(one), one.sequence, one.path))
    for _, chosen in itertools.groupby(ordered, key=_partition):
        for group in _groups(chosen, most):
            if len(group) >= FEWEST or (len(group) > 1 and _rows(group) >= WHOLE * most):
                yield group


def compact(table: Table, storage: pyarrow.fs.FileSystem) -> Outcome:
    """Rewrite the small files in one snapshot, a bin in memory at a time.

    When somebody else has written meanwhile, the commit is refused and nothing has changed but for files that no
    snapshot names; the next compaction begins anew.
    """
    schema = schema_to_pyarrow(table.schema())
    most = rows_of_a_file(schema, int(table.properties.get(TARGET, TARGET_DEFAULT)))
    chosen = list(bins(files.live(table), most))
    removed = [one for group in chosen for one in group]
    if not removed:
        return {"files": 0}
    added = (_together(table, storage, group, schema) for group in chosen)
    counts = {"files": len(removed), "into": len(chosen), "rows": _rows(removed)}
    return counts | _commit(table, added, removed)


def _commit(table: Table, added: Iterable[pa.Table], removed: Sequence[LiveFile]) -> Outcome:
    transaction = table.transaction()
    files.write(transaction, added=added, removed=removed, summary={UPKEEP: "compaction"}, properties={})
    try:
        transaction.commit_transaction()
    except CommitFailedException as error:
        log.info("left for the next upkeep, for the table has changed", table=".".join(table.name()), why=str(error))
        return {"refused": True}
    return {}


def _together(table: Table, storage: pyarrow.fs.FileSystem, group: Sequence[LiveFile], schema: pa.Schema) -> pa.Table:
    """The rows of these files, by image and time."""
    rows = files.dataset(table, storage, group).to_table().cast(schema)
    if len(rows) != _rows(group):
        raise ValueError(
            f"{len(group)} files of {'.'.join(table.name())} were to hold {_rows(group)} rows, but {len(rows)} were "
            f"read. Nothing was changed; the first of these files is {group[0].path}."
        )
    return rows.sort_by([(name, "ascending") for name in _order(table)])


def _order(table: Table) -> list[str]:
    """The image, and the time by which the table is partitioned."""
    sources = [table.schema().find_column_name(field.source_id) for field in table.spec().fields]
    return [name for name in ["image_id", *sources] if name]


def _groups(ordered: Iterable[LiveFile], most: int) -> Iterator[list[LiveFile]]:
    group: list[LiveFile] = []
    rows = 0
    for one in ordered:
        if group and rows + one.file.record_count > most:
            yield group
            group, rows = [], 0
        group.append(one)
        rows += one.file.record_count
    if group:
        yield group


def _rows(chosen: Iterable[LiveFile]) -> int:
    return sum(one.file.record_count for one in chosen)


def _partition(one: LiveFile) -> tuple[Any, ...]:
    return tuple(one.file.partition[at] for at in range(len(one.file.partition)))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
