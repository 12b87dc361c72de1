"""The steps that make the training data, as the DAG and the command line call them; each may be repeated."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
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
from gourmetgram.lakehouse.files import EPOCH
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, parse_offsets, require_not_beyond
from gourmetgram.lakehouse.publishing import Published, latest
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, TRAINING_DATA
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.training_data import raw
from gourmetgram.lakehouse.training_data.contracts import check_training
from gourmetgram.lakehouse.training_data.eligibility import Report, told
from gourmetgram.lakehouse.training_data.raw import Taken
from gourmetgram.lakehouse.training_data.rows import SCHEMA, TrainingRows

log = structlog.get_logger("lakehouse")

LINEAGE: Final = "gourmetgram.lineage"
"""The property of a snapshot of the training data that says what it was made from, as JSON."""

REPORT: Final = "gourmetgram.eligibility"
"""The property of such a snapshot that holds the report of eligibility, as JSON."""

SETTLING: Final = timedelta(minutes=1)
"""An event reaches its topic in less than this, unless the relay has stopped; what is older has landed."""

STAGED: Final = "features"


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
    history = published(settings)
    deletions = files.last_commit(tables.ensure(catalog)[DELETED_IMAGES])
    taken = raw.take(settings, storage, run_id, deletions)
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


def published(settings: LakehouseSettings) -> Published:
    """The history that readers are to use.

    Raises:
        HistoryError: there is none yet.
    """
    history = latest(open_catalog(settings).engine)
    if history is None:
        raise HistoryError("no history has been published yet; let redpanda_event_aggregation run first")
    return history


def complete_until(history: Published, taken: Taken) -> datetime:
    """The time up to which everything that happened has landed, as far as anybody can know.

    What the relay could not publish for so long that it still waited when the snapshot was taken has not landed. What
    it published late, but before that, is late for this run, and is counted by the next one.
    """
    waiting = taken.oldest_unpublished
    settled = history.frozen_at - SETTLING
    return min(settled, datetime.fromisoformat(waiting)) if waiting else settled


def transform_features(settings: LakehouseSettings, run: TrainingRun) -> TrainingRun:
    """Compute the rows of all eligible images and lay them down beside the raw snapshot."""
    catalog, storage = open_catalog(settings), open_storage(settings)
    every = tables.ensure(catalog)
    events = every[EVENTS]
    snapshot = events.snapshot_by_id(run["snapshots"][EVENTS])
    if snapshot is None:
        raise HistoryError(
            f"snapshot {run['snapshots'][EVENTS]} of {EVENTS} is no longer there; begin with extract_data again"
        )
    folder = f"{run['folder']}/{STAGED}"
    storage.create_dir(folder)
    storage.delete_dir_contents(folder)
    sources = {
        "images": _raw(storage, run, "images"),
        "users": _raw(storage, run, "users"),
        "events": files.dataset(events, storage, files.live_at(events, snapshot)),
        "deleted": deleted_images(every[DELETED_IMAGES], storage),
    }
    with TrainingRows.over(sources, _microseconds(run["complete_until"])) as training:
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
        CommitFailedException: somebody else has written meanwhile, perhaps because something was deleted; try again.
    """
    catalog, storage = open_catalog(settings), open_storage(settings)
    every = tables.ensure(catalog)
    table = every[TRAINING_DATA]  # loaded before the deletions are read: a commit between the two refuses ours
    present = table.current_snapshot()
    if present and present.summary and present.summary[RUN] == run["run_id"] and not _is_staged(storage, run):
        return _outcome(table)  # a retry: the attempt before it ended right after its commit
    deletions = files.last_commit(every[DELETED_IMAGES])
    deleted = deleted_images(every[DELETED_IMAGES], storage)["image_id"]
    offsets = parse_offsets(run["offsets"])
    covered = Coverage.of(table.properties)
    require_not_beyond(TRAINING_DATA, covered.offsets, offsets)
    properties = {**covered.moved(offsets).properties(), DELETIONS_APPLIED: str(deletions)}
    transaction = table.transaction()
    files.write(
        transaction,
        added=_checked(table, storage, run, deleted.combine_chunks(), settings.training_chunk_rows),
        removed=files.live(table),
        summary={**_summary(run), **properties},
        properties=properties,
    )
    transaction.commit_transaction()
    storage.delete_dir(f"{run['folder']}/{STAGED}")
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
    return f"{run['folder']}/{STAGED}/rows.parquet"


def _is_staged(storage: pyarrow.fs.FileSystem, run: TrainingRun) -> bool:
    return bool(storage.get_file_info(_staged(run)).type == pyarrow.fs.FileType.File)


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


def _outcome(table: Table) -> dict[str, Any]:
    snapshot = table.current_snapshot()
    summary: Mapping[str, str] = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
    return {
        "table": TRAINING_DATA,
        "snapshot": snapshot.snapshot_id if snapshot else None,
        "rows": int(summary.get("total-records", 0)),
    }


def _microseconds(moment: str) -> int:
    return (datetime.fromisoformat(moment).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
