"""Erasure: what was derived from a deleted image goes as well, wherever it is.

The tables of the history are cleaned as they land and count. Here it is the training data and the raw snapshots, and
the question which models have seen the image. Each of them notes up to which deletion it was cleaned, so whatever was
written while a deletion was on its way is cleaned by the next run.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import structlog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.files import LiveFile
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.models import ModelStore
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, TRAINING_DATA
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.training_data import raw
from gourmetgram.lakehouse.training_data.raw import Taken

log = structlog.get_logger("lakehouse")

DELETIONS_APPLIED: Final = "gourmetgram.deletions"
"""The property of the training data: number of the commit of the table of deleted images up to which it is cleaned."""


class Erased(TypedDict):
    """What a run has erased: rows of the training data, raw snapshots rewritten; and which models saw how many.

    None of a model means that it has no list of what it has seen, so it may have seen all of them.
    """

    deleted_images: int
    training_rows: int
    raw_snapshots: int
    models: dict[str, int | None]


def erase(settings: LakehouseSettings, run_id: str) -> Erased:
    """Take all that is known to be deleted out of what was derived from it.

    Raises:
        CommitFailedException: the training data was replaced meanwhile; try again.
    """
    catalog, storage = open_catalog(settings), open_storage(settings)
    present = tables.ensure(catalog, TRAINING_DATA, DELETED_IMAGES)
    table, tombstones = present[TRAINING_DATA], present[DELETED_IMAGES]
    reached = files.last_commit(tombstones)
    gone = _ids(deleted_images(tombstones, storage))
    applied = int(table.properties.get(DELETIONS_APPLIED, 0))
    new = _ids(deleted_images(tombstones, storage, applied))
    rewritten = _clean_raw(settings, storage, gone, reached)
    rows = _clean_training(table, storage, gone, reached, run_id) if reached > applied else 0
    models = ModelStore(settings, storage).that_saw(new)
    done = Erased(deleted_images=len(new), training_rows=rows, raw_snapshots=rewritten, models=models)
    log.info("erased", run_id=run_id, **done)
    return done


def _clean_training(table: Table, storage: pyarrow.fs.FileSystem, gone: pa.Array, reached: int, run_id: str) -> int:
    """Commit even if no row goes: a load that has not seen these deletions yet is refused by it."""
    about = pc.field("image_id").isin(gone)
    counted = {one: files.dataset(table, storage, [one]).count_rows(filter=about) for one in files.live(table)}
    touched = [one for one, rows in counted.items() if rows]
    properties = {DELETIONS_APPLIED: str(reached)}
    before = files.summary_of(table.current_snapshot())
    inherited = {name: value for name, value in before.items() if name.startswith("gourmetgram.")}
    transaction = table.transaction()
    files.write(
        transaction,
        added=_without(table, storage, touched, ~about),
        removed=touched,
        summary={**inherited, **properties, ERASED_BY: run_id},
        properties=properties,
    )
    transaction.commit_transaction()
    return sum(counted.values())


ERASED_BY: Final = f"{RUN}.erasure"
"""The property of a snapshot of the training data that names the run which took deleted images out of it."""


def _without(
    table: Table, storage: pyarrow.fs.FileSystem, touched: list[LiveFile], kept: pc.Expression
) -> Iterator[pa.Table]:
    schema = schema_to_pyarrow(table.schema())
    for one in touched:
        yield files.dataset(table, storage, [one]).to_table(filter=kept).cast(schema)


def _clean_raw(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem, gone: pa.Array, reached: int) -> int:
    behind = [taken for taken in raw.finished(settings, storage) if taken.deletions < reached]
    return sum(_clean_snapshot(storage, taken, gone, reached) for taken in behind)


def _clean_snapshot(storage: pyarrow.fs.FileSystem, taken: Taken, gone: pa.Array, reached: int) -> bool:
    tables_of_images = [name for name in taken.rows if name in raw.IMAGE_COLUMNS]
    rewritten = [_clean_file(storage, raw.path_of(taken.folder, name), name, gone) for name in tables_of_images]
    raw.write_manifest(storage, replace(taken, deletions=reached))
    return any(rewritten)


def _clean_file(storage: pyarrow.fs.FileSystem, path: str, name: str, gone: pa.Array) -> bool:
    """Write a file anew, if it is about any of these images; until the last byte the old one stays in its place."""
    column = raw.IMAGE_COLUMNS[name]
    found = pyarrow.dataset.dataset(path, filesystem=storage, format="parquet")
    if not found.count_rows(filter=pc.field(column).isin(gone)):
        return False
    with pyarrow.parquet.ParquetWriter(path, found.schema, filesystem=storage, compression="zstd") as file:
        for batch in found.to_batches():
            file.write_batch(_cleaned(batch, name, pc.is_in(batch[column], gone)))
    return True


def _cleaned(batch: pa.RecordBatch, name: str, is_gone: pa.BooleanArray) -> pa.RecordBatch:
    """Without the rows about deleted images; that its user had posted one is all that stays of the image itself."""
    if name != "images":
        return batch.filter(pc.invert(is_gone))
    for column in raw.OF_THE_IMAGE:
        emptied = pc.if_else(is_gone, pa.scalar(None, batch[column].type), batch[column])
        batch = batch.set_column(batch.schema.get_field_index(column), batch.schema.field(column), emptied)
    return batch


def _ids(images: pa.Table) -> pa.Array:
    return images["image_id"].combine_chunks()
