"""The tables of the history: names, columns, partitions and properties."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform
from pyiceberg.types import (
    BooleanType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)
from sqlalchemy.exc import IntegrityError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse.offsets import HistoryError

NAMESPACE: Final = "event_aggregations"
EVENTS: Final = f"{NAMESPACE}.events"
DELETED_IMAGES: Final = f"{NAMESPACE}.deleted_images"
WINDOWS: Final = {kind: f"{NAMESPACE}.{kind}_windows_5min" for kind in ("view", "comment", "flag")}
HISTORY: Final = (EVENTS, DELETED_IMAGES, *WINDOWS.values())
"""The tables that a run of the aggregation brings forward together."""

MODERATION: Final = "moderation"
TRAINING_DATA: Final = f"{MODERATION}.training_data"
LARGE_TRAINING_DATA: Final = f"{MODERATION}.large_training_data"
"""Synthetic rows, for lessons about memory; there only once somebody has asked for them."""

Columns = Mapping[str, tuple[IcebergType, bool]]
"""Type of each column, and whether every row has a value."""

_EVENT_COLUMNS: Final[Columns] = {
    "event_id": (StringType(), True),
    "event_type": (StringType(), True),
    "occurred_at": (TimestamptzType(), True),
    "image_id": (LongType(), True),
    "user_id": (LongType(), True),
    "is_test": (BooleanType(), True),
    "imported": (BooleanType(), True),
    "comment_id": (LongType(), False),
    "flag_id": (LongType(), False),
    "reason": (StringType(), False),
    "caption_length": (LongType(), False),
    "category": (StringType(), False),
    "topic": (StringType(), True),
    "partition": (IntegerType(), True),
    "offset": (LongType(), True),
}

_WINDOW_COLUMNS: Final[Columns] = {
    "image_id": (LongType(), True),
    "window_start": (TimestamptzType(), True),
    "window_end": (TimestamptzType(), True),
    "event_count": (LongType(), True),
}

_DELETED_COLUMNS: Final[Columns] = {
    "image_id": (LongType(), True),
    "deleted_at": (TimestamptzType(), True),
    "event_id": (StringType(), True),
    "partition": (IntegerType(), True),
    "offset": (LongType(), True),
}

_TRAINING_COLUMNS: Final[Columns] = {
    "image_id": (LongType(), True),
    "anchor_minutes": (IntegerType(), True),
    "as_of": (TimestamptzType(), True),
    **{name: (DoubleType(), True) for name in FEATURES},
    "label": (BooleanType(), False),
    "already_flagged": (BooleanType(), True),
    "split_time": (TimestamptzType(), True),
    "country": (StringType(), True),
    "label_confirmed": (BooleanType(), False),
}
"""`country` is there to compare groups of people; it is no feature. Two columns are labels, what a model may learn to
foretell, and never features:

`label`: a flag follows the instant of the row, within a day of the upload; empty until that day has passed.

`label_confirmed`: moderators confirmed that the image breaks the rules; false where they rejected that, empty where
nobody has reviewed it. Their latest verdict about the image counts, whenever they gave it, so all rows of an image have
the same. That does not leak: a verdict is about the picture, which is what it is from its upload on, and no feature is
computed from verdicts, so a row knows no more at its instant than the live decision did. But moderators look at what
was flagged or found risky: reviewed images are no random sample, and who learns from them must bear that in mind.
"""

PROPERTIES: Final = {
    # A commit that lost against another one must be thought over, never repeated as it is: see DESIGN, promise 4.
    "commit.retry.num-retries": "0",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.row-group-limit": "131072",
    "write.target-file-size-bytes": str(128 * 1024 * 1024),
    "write.metadata.previous-versions-max": "50",
    "write.metadata.delete-after-commit.enabled": "true",
}


def _schema(columns: Columns) -> Schema:
    numbered = enumerate(columns.items(), start=1)
    return Schema(*(NestedField(number, name, kind, required) for number, (name, (kind, required)) in numbered))


def _by_day(schema: Schema, column: str) -> PartitionSpec:
    return PartitionSpec(PartitionField(schema.find_field(column).field_id, 1000, DayTransform(), f"{column}_day"))


_EVENTS: Final = _schema(_EVENT_COLUMNS)
_WINDOWS: Final = _schema(_WINDOW_COLUMNS)
TRAINING_SCHEMA: Final = _schema(_TRAINING_COLUMNS)
LARGE_SCHEMA: Final = _schema({**{name: (DoubleType(), True) for name in FEATURES}, "label": (BooleanType(), True)})

DEFINITIONS: Final[Mapping[str, tuple[Schema, PartitionSpec]]] = {
    EVENTS: (_EVENTS, _by_day(_EVENTS, "occurred_at")),
    DELETED_IMAGES: (_schema(_DELETED_COLUMNS), PartitionSpec()),
    **{name: (_WINDOWS, _by_day(_WINDOWS, "window_start")) for name in WINDOWS.values()},
    TRAINING_DATA: (TRAINING_SCHEMA, PartitionSpec()),
}


def ensure(catalog: Catalog, *names: str) -> dict[str, Table]:
    """These tables by name, or else all, made where they are missing, with all their columns; several may try at once.

    Each costs a question to the catalog and one or two to the object storage, so who needs few names them.

    Raises:
        HistoryError: a column that is there already has another type.
    """
    try:
        present = {name: catalog.load_table(name) for name in names or DEFINITIONS}
    except NoSuchTableError:
        present = _made(catalog)
    for name, table in present.items():
        _require_types(name, table)
    return {name: _completed(catalog, name) if _missing(name, table) else table for name, table in present.items()}


def large(catalog: Catalog) -> dict[str, Table]:
    """The table of synthetic rows by its name, if somebody has made it."""
    try:
        return {LARGE_TRAINING_DATA: catalog.load_table(LARGE_TRAINING_DATA)}
    except NoSuchTableError:
        return {}


def _require_types(name: str, table: Table) -> None:
    wanted, _ = DEFINITIONS[name]
    expected = {one.name: one.field_type for one in wanted.fields}
    for one in table.schema().fields:
        if one.field_type != expected.get(one.name, one.field_type):
            raise HistoryError(
                f"The column {one.name} of the table {name} is of type {one.field_type}, expected "
                f"{expected[one.name]}: another version of the lab made it. Read it with that version, or begin anew: "
                f"`./lab reset` deletes this table, and everything else."
            )


def _missing(name: str, table: Table) -> list[NestedField]:
    """The columns that have come since the table was made."""
    schema, _ = DEFINITIONS[name]
    return [one for one in schema.fields if one.name not in table.schema().column_names]


def _made(catalog: Catalog) -> dict[str, Table]:
    """The same; it leaves a metadata file behind for every table that was there already, so it is not the usual way."""
    with suppress(IntegrityError):  # somebody else has made it at the same moment
        for namespace in (NAMESPACE, MODERATION):
            catalog.create_namespace_if_not_exists(namespace)
    return {
        name: catalog.create_table_if_not_exists(name, schema, partition_spec=spec, properties=PROPERTIES)
        for name, (schema, spec) in DEFINITIONS.items()
    }


@retry(retry=retry_if_exception_type(CommitFailedException), stop=stop_after_attempt(5), reraise=True)
def _completed(catalog: Catalog, name: str) -> Table:
    """The table with the columns that it lacked. They are empty in all rows that are there; no file is rewritten."""
    table = catalog.load_table(name)
    if missing := _missing(name, table):
        with table.update_schema() as change:
            for one in missing:
                change.add_column(one.name, one.field_type)
    return table
