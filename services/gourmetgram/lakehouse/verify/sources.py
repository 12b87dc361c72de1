"""What is looked at: the published history, and the present training data with all that it was made from."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.erasure import DELETIONS_APPLIED
from gourmetgram.lakehouse.offsets import parse_offsets
from gourmetgram.lakehouse.publishing import published
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, TRAINING_DATA
from gourmetgram.lakehouse.training_data import raw
from gourmetgram.lakehouse.training_data.properties import LINEAGE

BATCH: Final = 65_536
READAHEAD: Final = 2
"""Rows of a batch of training data, and batches that are read ahead."""


class State(NamedTuple):
    """Which snapshots are looked at; when it has changed meanwhile, what was found may not belong together."""

    published: Mapping[str, int]
    training: int | None

    @classmethod
    def now(cls, catalog: SqlCatalog) -> Self:
        """As it is at this moment."""
        snapshot = tables.ensure(catalog, TRAINING_DATA)[TRAINING_DATA].current_snapshot()
        return cls(published(catalog.engine).tables, snapshot.snapshot_id if snapshot else None)


class Training:
    """A snapshot of the training data; `said` is what its properties say that it was made from."""

    def __init__(self, table: Table, storage: pyarrow.fs.FileSystem, snapshot: Snapshot, said: dict[str, Any]) -> None:
        self.table = table
        self.snapshot = snapshot
        self.said = said
        self.rows = files.dataset(table, storage, files.live_at(table, snapshot))
        self.complete_until = datetime.fromisoformat(said["complete_until"])


class Sources:
    """The tables as they are when it is made."""

    def __init__(self, catalog: SqlCatalog, storage: pyarrow.fs.FileSystem) -> None:
        self.tables = tables.ensure(catalog)
        self.published = published(catalog.engine)
        self.storage = storage

    def history(self, name: str) -> pyarrow.dataset.Dataset:
        """A table's published rows."""
        table = self.tables[name]
        return files.dataset(table, self.storage, files.live_at(table, self.snapshot(name)))

    def snapshot(self, name: str) -> Snapshot | None:
        """The published snapshot of a table."""
        return self.tables[name].snapshot_by_id(self.published.tables.get(name, -1))

    def training(self) -> Training | None:
        """The present training data; None before the first run."""
        table = self.tables[TRAINING_DATA]
        snapshot = table.current_snapshot()
        noted = files.summary_of(snapshot).get(LINEAGE)
        if snapshot is None or noted is None:
            return None
        return Training(table, self.storage, snapshot, json.loads(noted))

    def events_of(self, training: Training) -> pyarrow.dataset.Dataset:
        """The events that the rows were made from: of that snapshot or, when it has expired, by their offsets."""
        table = self.tables[EVENTS]
        if noted := table.snapshot_by_id(training.said["snapshots"][EVENTS]):
            return files.dataset(table, self.storage, files.live_at(table, noted))
        before = (
            (pc.field("topic") == place.topic)
            & (pc.field("partition") == place.partition)
            & (pc.field("offset") < offset)
            for place, offset in parse_offsets(training.said["offsets"]).items()
        )
        return self.history(EVENTS).filter(reduce(or_, before))

    def deleted_for(self, training: Training) -> pa.Table:
        """The deletions that the rows know of."""
        applied = int(files.summary_of(training.snapshot).get(DELETIONS_APPLIED, 0))
        tombstones = self.tables[DELETED_IMAGES]
        known = [one for one in files.live(tombstones) if one.sequence <= applied]
        return files.dataset(tombstones, self.storage, known).to_table(columns=["image_id"])

    def raw_of(self, training: Training, table: str) -> pyarrow.dataset.Dataset | None:
        """What the application's table held when the rows were made; None when that copy has expired."""
        path = raw.path_of(training.said["raw"], table)
        if not files.is_there(self.storage, path):
            return None
        return pyarrow.dataset.dataset(path, filesystem=self.storage, format="parquet")
