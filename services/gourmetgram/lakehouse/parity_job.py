"""The parity job: takes decisions from PostgreSQL, asks the history the same questions, and compares the answers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog
from adbc_driver_manager.dbapi import Cursor
from pyarrow.fs import FileSystem
from pyiceberg.table import Table

from gourmetgram.core import topics
from gourmetgram.lakehouse import files, sql, tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.losses import losses
from gourmetgram.lakehouse.offsets import HistoryError, Place, parse_offsets
from gourmetgram.lakehouse.parity import Compared, Comparison, ParityReport, require_equal, stored_vectors, told
from gourmetgram.lakehouse.publishing import Published, published
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.training_data.extract import one_instant
from gourmetgram.lakehouse.training_data.rows import INSTANT, count, matrix

log = structlog.get_logger("lakehouse")

CHUNK: Final = 50_000
"""Decisions in memory at a time."""

COUNTED: Final = {"views": topics.VIEWS, "comments": topics.COMMENTS, "flags": topics.FLAGS}
"""The topics of which a vector counts records."""

OFFSETS: Final = {name: f"/{topic}" for name, topic in COUNTED.items()}
"""Where the offset of each stands in a decision's `offsets`."""

DECISIONS: Final = """
SELECT id, image_id, trigger_type, as_of, features::text AS features, partition, offsets::text AS offsets,
       is_image_deleted, posts_unseen
FROM raw.decisions WHERE id > {after} ORDER BY id LIMIT {limit}
"""


def run(settings: LakehouseSettings) -> ParityReport:
    """Check, say what was found, and let no difference pass.

    Raises:
        HistoryError: nothing has been published yet.
        ParityBroken: a value differs.
    """
    report = check(settings)
    for line in told(report):
        log.info(line)
    require_equal(report)
    return report


def check(settings: LakehouseSettings, chunk: int = CHUNK) -> ParityReport:
    """Compare all decisions with the published history, `chunk` of them in memory at a time.

    The history is settled before PostgreSQL is looked at: what was deleted from the one, the other knows to be deleted.

    Raises:
        HistoryError: nothing has been published yet, or upkeep has deleted it meanwhile.
    """
    catalog = open_catalog(settings)
    history = published(catalog.engine)
    sources = _history(tables.ensure(catalog), open_storage(settings), history)
    comparison = Comparison()
    with one_instant(settings) as cursor:
        facts = {table: _all_of(cursor, table) for table in ("images", "users")}
        for decisions in _decisions(cursor, chunk):
            _compare(comparison, {**sources, **facts, "decisions": decisions})
    return comparison.report(history.run_id)


def _history(every: Mapping[str, Table], storage: FileSystem, history: Published) -> dict[str, object]:
    """What is published, as the SQL steps know it."""
    return {
        "events": files.dataset_at(every[EVENTS], storage, history.tables[EVENTS]),
        "deleted": deleted_images(every[DELETED_IMAGES], storage),
        "partitions": partitions(history.offsets, losses(every[EVENTS].properties)),
    }


def partitions(offsets: Mapping[str, int], lost: Iterable[Mapping[str, Any]]) -> pa.Table:
    """How far the history goes in each partition, and until when records of it may be missing.

    Args:
        offsets: the next offset by the text of its place.
        lost: what has been accepted as lost, see losses.py.
    """
    ends = parse_offsets(offsets)
    accepted: dict[int, Any] = {}
    for one in lost:
        place = Place.parse(one["place"])
        if place.topic in COUNTED.values():
            accepted[place.partition] = max(accepted.get(place.partition, ""), one["accepted_at"])
    numbers = sorted({place.partition for place in ends})
    columns = {
        f"{name}_end": pa.array([ends.get(Place(topic, one)) for one in numbers], pa.int64())
        for name, topic in COUNTED.items()
    }
    lost_until = pa.array([accepted.get(one) for one in numbers], pa.string()).cast(INSTANT)
    return pa.table({"partition": pa.array(numbers, pa.int32()), **columns, "lost_until": lost_until})


def _all_of(cursor: Cursor, table: str) -> pa.Table:
    cursor.execute(f"SELECT * FROM raw.{table}")  # noqa: S608 - a constant
    return cursor.fetch_arrow_table()


def _decisions(cursor: Cursor, chunk: int) -> Iterator[pa.Table]:
    after = 0
    while True:
        cursor.execute(DECISIONS.format(after=after, limit=chunk))
        decisions = cursor.fetch_arrow_table()
        if not len(decisions):
            return
        yield decisions
        after = decisions["id"][-1].as_py()


def _compare(comparison: Comparison, sources: Mapping[str, object]) -> None:
    decided = sql.run("decided", sources, **OFFSETS)
    is_skipped = pc.is_valid(decided["skipped"])
    comparison.skip(decided["skipped"].filter(is_skipped).to_pylist())
    some = decided.filter(pc.invert(is_skipped))
    if not len(some):
        return
    recomputed, by_event_time = _answers(some, sources)
    comparison.add(
        Compared(
            decisions=some["id"].to_pylist(),
            images=some["image_id"].to_pylist(),
            triggers=some["trigger_type"].to_pylist(),
            stored=stored_vectors(some["features"].to_pylist()),
            recomputed=recomputed,
            by_event_time=by_event_time,
        )
    )


def _answers(decided: pa.Table, sources: Mapping[str, object]) -> tuple[np.ndarray, np.ndarray]:
    """What the history says to each decision's question: with its borders, and by event time alone."""
    questions = sql.run("asked", {"decided": decided})
    with Session.over({**sources, "questions": questions}) as session:
        session.keep("posts")
        count(session)
        answers = session.table("answers")
    if len(answers) != 2 * len(decided):
        raise HistoryError(f"expected two answers about each of {len(decided)} decisions, got {len(answers)}")
    (batch,) = answers.combine_chunks().to_batches()
    vectors = matrix(batch)
    return vectors[0::2], vectors[1::2]
