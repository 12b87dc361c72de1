"""A table that is older than one of its columns gets it, and what was read of it before is read of it still."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import StringType

from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.offsets import HistoryError
from gourmetgram.lakehouse.tables import MODERATION, PROPERTIES, TRAINING_DATA, TRAINING_SCHEMA
from tests.support.training import table as training_rows

NEW = "label_confirmed"


def open_folder(folder: Path) -> SqlCatalog:
    return SqlCatalog("gourmetgram", uri="sqlite:///:memory:", warehouse=folder.as_uri())


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    """Training data as it was before that column, with rows."""
    with closing(open_folder(tmp_path / "old")) as catalog:
        catalog.create_namespace(MODERATION)
        schema = Schema(*(one for one in TRAINING_SCHEMA.fields if one.name != NEW))
        table = catalog.create_table(TRAINING_DATA, schema, properties=PROPERTIES)
        table.append(training_rows(images=5, seed=1, hours=48).drop_columns([NEW]).cast(schema_to_pyarrow(schema)))
        yield catalog


def reviewed(table: Table) -> pa.Table:
    """Rows of the present schema; each image was rejected."""
    rows = training_rows(images=7, seed=2, hours=48)
    position = rows.schema.get_field_index(NEW)
    return rows.set_column(position, NEW, pa.array([False] * len(rows))).cast(schema_to_pyarrow(table.schema()))


def test_it_becomes_as_a_new_one(catalog: SqlCatalog, tmp_path: Path) -> None:
    with closing(open_folder(tmp_path / "new")) as other:
        new = tables.ensure(other)[TRAINING_DATA]
    old = tables.ensure(catalog)[TRAINING_DATA]
    assert old.schema() == new.schema() == catalog.load_table(TRAINING_DATA).schema()
    assert old.schema().field_ids == new.schema().field_ids
    again = tables.ensure(catalog)[TRAINING_DATA]
    assert again.metadata_location == old.metadata_location, "nothing is left to do"


def test_rows_of_before_stay_as_they_were(catalog: SqlCatalog) -> None:
    storage = pyarrow.fs.LocalFileSystem()
    table = catalog.load_table(TRAINING_DATA)
    snapshot, before = table.current_snapshot(), table.scan().to_arrow()
    assert snapshot
    assert len(before) == 15
    table = tables.ensure(catalog)[TRAINING_DATA]
    assert table.scan().to_arrow().drop_columns([NEW]) == before

    transaction = table.transaction()
    files.write(transaction, added=[reviewed(table)], removed=files.live(table), summary={}, properties={})
    transaction.commit_transaction()
    assert table.scan().to_arrow()[NEW].to_pylist() == [False] * 21
    assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow() == before
    past = files.dataset_at(table, storage, snapshot.snapshot_id).to_table()
    assert past[NEW].null_count == len(past) == 15
    assert past.drop_columns([NEW]).to_pylist() == before.to_pylist()


def test_a_column_of_another_type_is_refused_and_left_as_it_is(catalog: SqlCatalog) -> None:
    tables.ensure(catalog)
    with catalog.load_table(TRAINING_DATA).update_schema(allow_incompatible_changes=True) as change:
        change.delete_column("label")
    with catalog.load_table(TRAINING_DATA).update_schema() as change:
        change.add_column("label", StringType())
    before = catalog.load_table(TRAINING_DATA).metadata_location
    said = (
        r"The column label of the table moderation\.training_data is of type string, expected boolean.*`\./lab reset`"
    )
    with pytest.raises(HistoryError, match=said):
        tables.ensure(catalog)
    assert catalog.load_table(TRAINING_DATA).metadata_location == before


def test_of_two_at_once_both_get_it(catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load_table = SqlCatalog.load_table

    def overtaken(self: SqlCatalog, name: Any) -> Table:
        table = load_table(self, name)
        loaded.append(name)
        if loaded.count(TRAINING_DATA) == 2:  # the first time it was found to lack the column
            monkeypatch.undo()
            tables.ensure(self)
        return table

    tables.ensure(catalog)  # makes the others, without which it would go another way
    catalog.drop_table(TRAINING_DATA)
    catalog.create_table(TRAINING_DATA, Schema(*TRAINING_SCHEMA.fields[:-1]), properties=PROPERTIES)
    monkeypatch.setattr(SqlCatalog, "load_table", overtaken)
    assert NEW in tables.ensure(catalog)[TRAINING_DATA].schema().column_names
    assert loaded.count(TRAINING_DATA) == 2
    assert len(catalog.load_table(TRAINING_DATA).schemas()) == 2
