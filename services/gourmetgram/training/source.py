"""The snapshot of the training data that a model is trained on, or was."""

import json
from dataclasses import dataclass
from typing import Any, Final, Self

import pyarrow.fs
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.tables import LARGE_TRAINING_DATA, TRAINING_DATA
from gourmetgram.lakehouse.training_data.properties import LINEAGE
from gourmetgram.training.errors import NoSuchSnapshot, NotEnough
from gourmetgram.training.reader import Reader
from gourmetgram.training.settings import TrainingSettings

REMEDIES: Final = {TRAINING_DATA: "let moderation_training run", LARGE_TRAINING_DATA: "write it"}


@dataclass(frozen=True)
class Source:
    """A snapshot, and what it was made from."""

    table: Table
    snapshot_id: int
    lineage: dict[str, Any]
    storage: pyarrow.fs.FileSystem

    @classmethod
    def of(cls, settings: TrainingSettings, snapshot_id: int | None, name: str = TRAINING_DATA) -> Self:
        """The snapshot of this id, or the present one.

        Args:
            settings: where the history is.
            snapshot_id: of the table.
            name: of the table; the training data if not given.

        Raises:
            NotEnough: there is no training data yet.
            NoSuchSnapshot: as it says.
        """
        try:
            table = open_catalog(settings).load_table(name)
        except NoSuchTableError:
            raise NotEnough(f"there is no {name} yet; {REMEDIES[name]} first") from None
        chosen = table.snapshot_by_id(snapshot_id) if snapshot_id is not None else table.current_snapshot()
        if chosen is None and snapshot_id is None:
            raise NotEnough(f"{name} is empty; {REMEDIES[name]} first")
        if chosen is None:
            raise NoSuchSnapshot(f"{name} has no snapshot {snapshot_id}; it may have expired")
        lineage = json.loads(files.summary_of(chosen).get(LINEAGE, "{}"))
        return cls(table, chosen.snapshot_id, lineage, open_storage(settings))

    def paths(self) -> list[str]:
        """Bucket and key of each of its files."""
        return [one.path for one in files.live_at(self.table, self.table.snapshot_by_id(self.snapshot_id))]

    def reader(self, batch_rows: int) -> Reader:
        """Its rows, as a stream of batches of so many."""
        return Reader(self.paths(), self.storage, batch_rows)
