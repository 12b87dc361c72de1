"""Lands what the topics hold in the table of events: each event once, whatever was interrupted before."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
import structlog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.topics import DELETIONS
from gourmetgram.lakehouse import files, sql
from gourmetgram.lakehouse.files import LiveFile
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, require_not_beyond, starts, trouble
from gourmetgram.lakehouse.rows import Chunk, chunks
from gourmetgram.lakehouse.tables import EVENTS
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.topic_log import PLACES, TopicLog

log = structlog.get_logger("lakehouse")

RUN: Final = "gourmetgram.run"
"""The property of a snapshot that names the run which made it."""

HOW_TO_PROCEED: Final = (
    "Nothing was changed. If what is missing cannot be brought back, accept its loss with "
    "`./lab lakehouse accept-loss`, which writes down what is missing and reads on from what is there."
)


@dataclass(frozen=True)
class Landed:
    """What a landing did, in records and rows."""

    read: int = 0
    landed: int = 0
    refused: int = 0
    commits: int = 0


def freeze_ends(topics: TopicLog) -> dict[str, int]:
    """Where the topics end now, by the text of their places: the ends of a run."""
    ranges = topics.ranges()
    if missing := [str(place) for place in PLACES if place not in ranges]:
        raise BrokerUnavailable(f"the broker has no {', '.join(missing)}; run topics-init")
    return {str(place): there.end for place, there in ranges.items()}


class Landing:
    """Writes the tables `events` and `deleted_images`."""

    def __init__(self, events: Table, deleted: Table, storage: pyarrow.fs.FileSystem, chunk_records: int) -> None:
        self._events = events
        self._deleted = deleted
        self._storage = storage
        self._chunk_records = chunk_records

    def land(self, topics: TopicLog, ends: Offsets, run_id: str) -> Landed:
        """Land everything before `ends` that has not landed yet, a chunk at a time.

        Raises:
            HistoryError: the topics are not the ones that have landed, or lack something that has not.
            Superseded: a later run has been here.
        """
        covered = Coverage.of(self._events.properties)
        ranges = topics.ranges()
        if found := trouble(covered, ranges, topics.prints_before(covered.offsets, ranges)):
            told = (one.told for one in found)
            raise HistoryError("\n  ".join(["The history cannot go on:", *told]) + f"\n{HOW_TO_PROCEED}")
        require_not_beyond(EVENTS, covered.offsets, ends)
        done = Landed()
        begin = starts(covered.offsets, ranges)
        covered = covered.advanced({place: begin[place] for place in ends}, {})  # empty places are covered, too
        reading = itertools.chain(*(topics.read(begin, some) for some in _deletions_first(ends)))
        for chunk in chunks(reading, self._chunk_records, now=time.time_ns() // 1000):
            covered = covered.advanced(chunk.reached, chunk.prints)
            rows = self._commit(chunk, covered, run_id)
            read = len(chunk.events) + len(chunk.deletions) + chunk.refused
            done = Landed(done.read + read, done.landed + rows, done.refused + chunk.refused, done.commits + 1)
            log.info("landed", read=done.read, rows=done.landed, commits=done.commits)
        if Coverage.of(self._events.properties).offsets != ends:
            self._write([], [], covered.advanced(ends, {}), run_id)
        return done

    def _commit(self, chunk: Chunk, covered: Coverage, run_id: str) -> int:
        self._bury(chunk)
        deleted = deleted_images(self._deleted, self._storage)
        rows = sql.run("new_events", {"read": chunk.events, "landed": self._landed_ids(chunk), "deleted": deleted})
        self._write([rows], self._files_about(chunk.deletions["image_id"]), covered, run_id)
        return len(rows)

    def _write(self, added: Sequence[pa.Table], removed: Sequence[LiveFile], covered: Coverage, run_id: str) -> None:
        deleted = deleted_images(self._deleted, self._storage)["image_id"] if removed else None
        schema = schema_to_pyarrow(self._events.schema())

        def rows() -> Iterator[pa.Table]:
            yield from (table.cast(schema) for table in added)
            for one in removed:
                kept = ~pc.field("image_id").isin(deleted)
                yield files.dataset(self._events, self._storage, [one]).to_table(filter=kept).cast(schema)

        properties = covered.properties()
        transaction = self._events.transaction()
        summary = {**properties, RUN: run_id}
        files.write(transaction, added=rows(), removed=removed, summary=summary, properties=properties)
        transaction.commit_transaction()

    def _bury(self, chunk: Chunk) -> None:
        """Write down which images were deleted, before anything else is done about them."""
        if not len(chunk.deletions):
            return
        rows = sql.run(
            "new_deletions", {"read": chunk.deletions, "deleted": deleted_images(self._deleted, self._storage)}
        )
        if len(rows):
            self._deleted.append(rows.cast(schema_to_pyarrow(self._deleted.schema())))

    def _landed_ids(self, chunk: Chunk) -> pyarrow.dataset.Dataset:
        """What has landed before and may have ids of the chunk; to be read bit by bit, for it is as long as a day.

        A repetition has the time of its event, so it is about a day of the chunk; ids grow with time, so the statistics
        of most files tell that none of these ids is in them.
        """
        chosen = []
        if len(chunk.events):
            field = self._events.schema().find_field("event_id")
            least, most = (bound.as_py() for bound in pc.min_max(chunk.events["event_id"]).values())
            days = files.days(chunk.events["occurred_at"])
            for one in files.live(self._events):
                lower, upper = files.text_bounds(one, field)
                if one.day in days and lower <= most and least <= upper:
                    chosen.append(one)
        return files.dataset(self._events, self._storage, chosen)

    def _files_about(self, images: pa.ChunkedArray) -> list[LiveFile]:
        """The files that hold rows about these images."""
        if not len(images):
            return []
        about = pc.field("image_id").isin(images.combine_chunks())
        return [
            one
            for one in files.live(self._events)
            if files.dataset(self._events, self._storage, [one]).count_rows(filter=about)
        ]


def _deletions_first(ends: Offsets) -> tuple[Offsets, Offsets]:
    """In two parts: what is deleted is known before anything else lands, so a run rewrites a file once at most."""
    deletions = {place: end for place, end in ends.items() if place.topic == DELETIONS}
    return deletions, {place: end for place, end in ends.items() if place not in deletions}
