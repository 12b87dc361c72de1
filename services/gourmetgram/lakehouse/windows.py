"""Five-minute windows, computed anew for every day in which something has changed."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from gourmetgram.core.windows import MINUTE
from gourmetgram.lakehouse import files, sql
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, require_not_beyond
from gourmetgram.lakehouse.tables import EVENTS
from gourmetgram.lakehouse.tombstones import newest_deletions

LENGTH: Final = 5 * MINUTE

SEQUENCE: Final = "gourmetgram.events-sequence"
"""The property of a table of windows that says which commits of the table of events it has seen."""


class Windows:
    """Writes one table of windows."""

    def __init__(
        self, kind: str, table: Table, *, events: Table, deleted: Table, storage: pyarrow.fs.FileSystem
    ) -> None:
        self._kind = kind
        self._table = table
        self._events = events
        self._deleted = deleted
        self._storage = storage
        self._name = ".".join(table.name())

    def write(self, ends: Offsets, run_id: str) -> int:
        """Make the windows those of all events before `ends`; return how many days were computed.

        Raises:
            HistoryError: the events before `ends` have not all landed.
            Superseded: a later run has been here.
        """
        landed = Coverage.of(self._events.properties)
        require_not_beyond(EVENTS, landed.offsets, ends)
        if landed.offsets != ends:
            raise HistoryError(f"{EVENTS} does not cover the ends of this run yet; land its events first")
        covered = Coverage.of(self._table.properties)
        require_not_beyond(self._name, covered.offsets, ends)
        if covered.offsets == ends:
            return 0
        days = self._days_of_new_files() | self._days_of_deleted_images(covered.offsets)
        old = [one for one in files.live(self._table) if one.day in days]
        seen = {**landed.properties(), SEQUENCE: str(files.last_commit(self._events))}
        transaction = self._table.transaction()
        files.write(
            transaction, added=self._computed(days), removed=old, summary={**seen, RUN: run_id}, properties=seen
        )
        transaction.commit_transaction()
        return len(days)

    def _days_of_new_files(self) -> set[int]:
        """Days about which the table of events has files that were not there when the windows were last computed."""
        seen = int(self._table.properties.get(SEQUENCE, 0))
        return {one.day for one in files.live(self._events) if one.sequence > seen}

    def _days_of_deleted_images(self, covered: Offsets) -> set[int]:
        tombstones = files.dataset(self._deleted, self._storage, files.live(self._deleted))
        images = newest_deletions(covered, tombstones.to_table(columns=["image_id", "partition", "offset"]))
        if not len(images):
            return set()
        windows = files.dataset(self._table, self._storage, files.live(self._table))
        about = pc.field("image_id").isin(images.combine_chunks())
        starts = windows.to_table(columns=["window_start"], filter=about)["window_start"]
        return files.days(starts)

    def _computed(self, days: set[int]) -> Iterator[pa.Table]:
        schema = schema_to_pyarrow(self._table.schema())
        present = files.live(self._events)
        with sql.Session.over({}) as session:
            for day in sorted(days):
                chosen = [one for one in present if one.day == day]
                session.set("events", files.dataset(self._events, self._storage, chosen))
                yield session.table("windows", kind=self._kind, length=LENGTH).cast(schema)
