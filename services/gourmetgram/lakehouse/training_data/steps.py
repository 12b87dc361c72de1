"""The steps that make the training data, as the DAG and the command line call them; each may be repeated."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

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
from gourmetgram.lakehouse.erasure import DELETIONS_APPLIED
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Superseded, parse_offsets, require_not_beyond
from gourmetgram.lakehouse.publishing import Published, published
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, TRAINING_DATA
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.training_data import extract, raw
from gourmetgram.lakehouse.training_data.contracts import check_training
from gourmetgram.lakehouse.training_data.eligibility import Report, told
from gourmetgram.lakehouse.training_data.properties import LINEAGE, REPORT
from gourmetgram.lakehouse.training_data.raw import Taken
from gourmetgram.lakehouse.training_data.rows import SCHEMA, TrainingRows

log = structlog.get_logger("lakehouse")

SETTLING: Final = timedelta(minutes=1)
"""An event reaches its topic in less than this, unless the relay has stopped; what is older has landed."""


class TrainingRun(TypedDict):
    """What the steps of a run agree on."""

    run_id: str
    folder: str
    history_run: str
    offsets: dict[str, int]
    snapshots: dict[str, int]
    complete_until: str
    rows: int
    eligibility: Report | None


def extract_data(settings: LakehouseSettings, run_id: str) -> TrainingRun:
    """Take a snapshot of the application's tables, and settle which published history goes with it.

    Raises:
        HistoryError: nothing has been published yet.
        ContractBroken: the application's tables hold what they must not.
    """
    catalog, storage = open_catalog(settings), open_storage(settings)
    history = published(catalog.engine)
    deletions = files.last_commit(tables.ensure(catalog, DELETED_IMAGES)[DELETED_IMAGES])
    taken = extract.take(settings, storage, run_id, deletions)
    log.info("raw snapshot taken", run_id=run_id, folder=taken.folder, **taken.rows)
    return TrainingRun(
        run_id=run_id,
        folder=taken.folder,
        history_run=history.run_id,
        offsets=dict(history.offsets),
        snapshots=dict(history.tables),
        complete_until=complete_until(history, taken).isoformat(),
        rows=0,
        eligibility=None,
    )


def complete_until(history: Published, taken: Taken) -> datetime:
    """The time up to which everything that happened has landed, as far as anybody can know.

    What the relay could not publish for so long that it still waited when the snapshot was taken has not landed. What
    it published late, but before that, is late for this run, and is counted by the next one.
    """
    settled = history.frozen_at - SETTLING
    if taken.oldest_unpublished is None:
        return settled
    waiting = datetime.fromisoformat(taken.oldest_unpublished)
    return min(settled, waiting - timedelta(microseconds=1))


def transform_features(settings: LakehouseSettings, run: TrainingRun) -> TrainingRun:
    """Compute the rows of all eligible images and lay them down beside the raw snapshot.

    Raises:
        HistoryError: the snapshot of the events is no longer there.
    """
    catalog, storage = open_catalog(settings), open_storage(settings)
    every = tables.ensure(catalog)
    folder = f"{run['folder']}/{raw.STAGED}"
    storage.create_dir(folder)
    storage.delete_dir_contents(folder)
    sources = {
        "images": _raw(storage, run, "images"),
        "users": _raw(storage, run, "users"),
        "reviews": _raw(storage, run, "reviews"),
        "landed": files.dataset_at(every[EVENTS], storage, run["snapshots"][EVENTS]),
        "deleted": deleted_images(every[DELETED_IMAGES], storage),
    }
    complete = files.microseconds(datetime.fromisoformat(run["complete_until"]))
    with TrainingRows.over(sources, complete) as training:
        report = training.report()
        rows = _stage(training.batches(settings.training_chunk_rows), storage, folder)
    for line in told(report):
        log.info(line)
    return {**run, "rows": rows, "eligibility": report}


def load_iceberg(settings: LakehouseSettings, run: TrainingRun) -> dict[str, Any]:
    """Replace the training data by the rows of this run, in one commit; return what it has become.

    Raises:
        ContractBroken: rows are not as agreed.
        Superseded: the table was made from a later history than this run's.
        HistoryError: the rows are no longer there.
        CommitFailedException: somebody else has written meanwhile, perhaps because something was deleted; try again.
    """
    catalog, storage = open_catalog(settings), open_storage(settings)
    table = tables.ensure(catalog, TRAINING_DATA)[TRAINING_DATA]
    if not files.is_there(storage, _staged(run)):
        return _loaded_before(table, run)
    tombstones = catalog.load_table(DELETED_IMAGES)  # after the table: a commit between the two refuses ours
    deleted = deleted_images(tombstones, storage)["image_id"].combine_chunks()
    properties = {
        **_newer_coverage(table, run).properties(),
        DELETIONS_APPLIED: str(files.last_commit(tombstones)),
    }
    transaction = table.transaction()
    files.write(
        transaction,
        added=_checked(table, storage, run, deleted, settings.training_chunk_rows),
        removed=files.live(table),
        summary={**_summary(run), **properties},
        properties=properties,
    )
    transaction.commit_transaction()
    storage.delete_dir(f"{run['folder']}/{raw.STAGED}")
    return _outcome(table)


def run_once(settings: LakehouseSettings, run_id: str) -> dict[str, Any]:
    """A whole run without Airflow."""
    return load_iceberg(settings, transform_features(settings, extract_data(settings, run_id)))


def _raw(storage: pyarrow.fs.FileSystem, run: TrainingRun, table: str) -> pyarrow.dataset.Dataset:
    return pyarrow.dataset.dataset(raw.path_of(run["folder"], table), filesystem=storage, format="parquet")


def _stage(batches: Iterator[pa.RecordBatch], storage: pyarrow.fs.FileSystem, folder: str) -> int:
    with pyarrow.parquet.ParquetWriter(
        f"{folder}/rows.parquet", SCHEMA, filesystem=storage, compression="zstd"
    ) as file:
        rows = 0
        for batch in batches:
            file.write_batch(batch)
            rows += len(batch)
    return rows


def _staged(run: TrainingRun) -> str:
    return f"{run['folder']}/{raw.STAGED}/rows.parquet"


def _loaded_before(table: Table, run: TrainingRun) -> dict[str, Any]:
    """What an attempt has loaded that ended right after it had taken the staged rows away."""
    if _said(table).get(RUN) == run["run_id"]:
        return _outcome(table)
    raise HistoryError(
        f"the rows of run {run['run_id']} are no longer there: another run has come after it, or it was too long ago; "
        f"start a new run"
    )


def _newer_coverage(table: Table, run: TrainingRun) -> Coverage:
    """What the table covers once it holds the rows of the run.

    Raises:
        Superseded: it was made from a later history, or from the same one when more of it was known to be complete.
    """
    covered, offsets = Coverage.of(table.properties), parse_offsets(run["offsets"])
    require_not_beyond(TRAINING_DATA, covered.offsets, offsets)
    known = json.loads(_said(table).get(LINEAGE, "{}")).get("complete_until", run["complete_until"])
    if covered.offsets == offsets and datetime.fromisoformat(known) > datetime.fromisoformat(run["complete_until"]):
        raise Superseded(
            f"{TRAINING_DATA} is complete until {known}, this run only until {run['complete_until']}: a later run has "
            f"been here. Nothing was changed; start a new run."
        )
    return covered.moved(offsets)


def _checked(
    table: Table, storage: pyarrow.fs.FileSystem, run: TrainingRun, deleted: pa.Array, rows: int
) -> Iterator[pa.Table]:
    """What was staged, without the images that were deleted meanwhile."""
    schema = schema_to_pyarrow(table.schema())
    with pyarrow.parquet.ParquetFile(_staged(run), filesystem=storage, pre_buffer=False) as file:
        for batch in file.iter_batches(rows):
            check_training(batch)
            kept = batch.filter(pc.invert(pc.is_in(batch["image_id"], deleted)))
            yield pa.Table.from_batches([kept]).cast(schema)


def _summary(run: TrainingRun) -> dict[str, str]:
    lineage = {
        "run_id": run["run_id"],
        "raw": run["folder"],
        "history_run": run["history_run"],
        "snapshots": run["snapshots"],
        "offsets": run["offsets"],
        "complete_until": run["complete_until"],
    }
    return {RUN: run["run_id"], LINEAGE: json.dumps(lineage), REPORT: json.dumps(run["eligibility"])}


def _said(table: Table) -> Mapping[str, str]:
    return files.summary_of(table.current_snapshot())


def _outcome(table: Table) -> dict[str, Any]:
    present = table.current_snapshot()
    return {
        "table": TRAINING_DATA,
        "snapshot": present.snapshot_id if present else None,
        "rows": int(_said(table).get("total-records", 0)),
    }
