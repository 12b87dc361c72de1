"""Everything that questions about lineage are answered from: the tables, the models, the application's decisions."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table

from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.lineage.training import Part, Present, made_from, training_part
from gourmetgram.lakehouse.models import ModelStore
from gourmetgram.lakehouse.publishing import latest
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS, TRAINING_DATA
from gourmetgram.lakehouse.training_data import raw
from gourmetgram.lakehouse.training_data.extract import one_instant


class Unknown(LookupError):
    """Nobody knows such a thing; the message says what there is instead."""


class Lake:
    """Reads, and changes nothing."""

    def __init__(self, settings: LakehouseSettings, present: dict[str, Table], published: dict[str, int]) -> None:
        self._settings = settings
        self._published = published
        self.tables = present
        self.storage = open_storage(settings)
        self.models = ModelStore(settings, self.storage)

    @classmethod
    @contextmanager
    def open(cls, settings: LakehouseSettings) -> Iterator[Self]:
        """What these settings lead to."""
        with closing(open_catalog(settings)) as catalog:
            history = latest(catalog.engine)
            yield cls(settings, tables.ensure(catalog), dict(history.tables) if history else {})

    def ask(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the application's views."""
        with one_instant(self._settings) as cursor:
            cursor.execute(query, values or None)
            rows: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
        return rows

    def about(self, name: str, image: int) -> pa.Table:
        """The rows of a table about an image: of its published snapshot, or else of its present one."""
        table = self.tables[name]
        snapshot = table.snapshot_by_id(self._published.get(name, -1)) or table.current_snapshot()
        chosen = files.live_at(table, snapshot)
        return files.dataset(table, self.storage, chosen).to_table(filter=pc.field("image_id") == image)

    def images_landed(self) -> pa.Array:
        """The ids of all images about which something has landed."""
        table = self.tables[EVENTS]
        ids = files.dataset(table, self.storage, files.live(table)).to_table(columns=["image_id"])["image_id"]
        return pc.unique(ids)

    def training(self, snapshot_id: int | None, noted: dict[str, Any]) -> Part:
        """The chain behind a snapshot of the training data; `noted` is what else is known, should it have expired."""
        table = self.tables[TRAINING_DATA]
        snapshot = table.snapshot_by_id(snapshot_id) if snapshot_id is not None else None
        said = made_from(files.summary_of(snapshot)) or noted
        tags = tuple(sorted(name for name, ref in table.refs().items() if ref.snapshot_id == snapshot_id))
        return training_part(snapshot_id, said, self._present(snapshot, tags, said))

    def _present(self, snapshot: Any, tags: tuple[str, ...], said: dict[str, Any]) -> Present:
        return Present(
            snapshot,
            tuple(name for name in tags if name != "main"),
            "raw" in said and files.is_there(self.storage, f"{said['raw']}/{raw.MANIFEST}"),
            {name: bool(self.tables[name].snapshot_by_id(one)) for name, one in said.get("snapshots", {}).items()},
        )
