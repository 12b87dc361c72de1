"""Many posts and much that happened to them, written straight into the tables as landing and compaction leave them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.lakehouse import files, publishing, runs, tables
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import Coverage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS
from labkit.stack import Stack
from tests.support.database import superuser
from tests.support.lakehouse import microseconds
from tests.support.training_planted import EMPTY

DAY = 86_400_000_000
INSTANT = pa.timestamp("us", tz="UTC")
IMAGES_PER_FILE = 20_000
KINDS = np.array(["view", "comment", "flag"])
SHARES = (0.9, 0.09, 0.01)
MEAN_AGE = DAY / 4
"""How old an image is when something happens to it, on average; so a fifth happens before its last anchor."""


def plant(stack: Stack, settings: LakehouseSettings, images: int, per_image: int) -> None:
    """So many posts of a week that ended two days ago, all of them eligible, and a published history of them."""
    stack.up("migrate")
    now = datetime.now(UTC)
    uploaded = _uploads(images, microseconds(now))
    _plant_rows(stack, uploaded, now)
    runs.run_once(settings)
    with closing(open_catalog(settings)) as catalog:
        table = tables.ensure(catalog)[EVENTS]
        transaction = table.transaction()
        covered = Coverage.of(table.properties)
        happened = _events(table, uploaded, per_image)
        files.write(transaction, added=happened, summary={RUN: "bulk"}, properties=covered.properties())
        transaction.commit_transaction()
        publishing.publish(catalog, covered.offsets, "bulk", now)


def _uploads(images: int, now: int) -> np.ndarray:
    return now - 9 * DAY + np.arange(images) * 7 * DAY // images


def _plant_rows(stack: Stack, uploaded: np.ndarray, now: datetime) -> None:
    """An image id is one more than its place in the array; every tenth image is of the same user."""
    images, people = len(uploaded), max(1, len(uploaded) // 10)
    joined = pa.array([now - timedelta(days=30)] * people, INSTANT)
    numbers = np.arange(1, people + 1)
    users = {
        "id": numbers,
        "username": pa.array(numbers).cast(pa.string()),
        "tos_version_accepted": np.ones(people, np.int32),
        "tos_accepted_at": joined,
        "country_of_residence": ["DE"] * people,
        "year_of_birth": 1950 + numbers % 50,
        "created_at": joined,
    }
    posts = {
        "id": np.arange(1, images + 1),
        "user_id": 1 + np.arange(images) % people,
        "s3_url": ["x"] * images,
        "source": ["import"] * images,
        "caption": ["soup of the day"] * images,
        "category": np.array(CATEGORIES)[np.arange(images) % len(CATEGORIES)],
        "created_at": pa.array(uploaded, INSTANT),
    }
    with superuser(stack) as connection, connection.cursor() as cursor:
        cursor.execute(EMPTY)
        for name, columns in (("users", users), ("images", posts)):
            text = BytesIO()
            pyarrow.csv.write_csv(pa.table(columns), text)
            text.seek(0)
            cursor.copy_expert(f"COPY {name} ({', '.join(columns)}) FROM STDIN CSV HEADER", text)


def _events(table: Table, uploaded: np.ndarray, per_image: int) -> Iterator[pa.Table]:
    """Sorted by image, as in the files of a real history."""
    chance = np.random.default_rng(1)
    schema = schema_to_pyarrow(table.schema())
    for first in range(0, len(uploaded), IMAGES_PER_FILE):
        some = uploaded[first : first + IMAGES_PER_FILE]
        count = len(some) * per_image
        image = np.repeat(np.arange(len(some)), per_image)
        at = some[image] + chance.exponential(MEAN_AGE, count).astype(np.int64)
        kinds = KINDS[chance.choice(len(KINDS), count, p=SHARES)]
        at[::per_image], kinds[::per_image] = some, "upload"
        yield _columns(first * per_image, first + 1 + image, at, kinds, schema)


def _columns(first: int, image: np.ndarray, at: np.ndarray, kinds: np.ndarray, schema: pa.Schema) -> pa.Table:
    kind, number = pa.array(kinds), np.arange(first, first + len(kinds))
    is_comment, is_flag = pc.equal(kind, "comment"), pc.equal(kind, "flag")
    some = pa.array(number)
    columns = {
        "event_id": some.cast(pa.string()),
        "event_type": kind,
        "occurred_at": pa.array(at, INSTANT),
        "image_id": image,
        "user_id": 1 + number % 997,
        "is_test": pa.repeat(pa.scalar(value=False), len(number)),
        "imported": pa.repeat(pa.scalar(value=True), len(number)),
        "comment_id": pc.if_else(is_comment, some, None),
        "flag_id": pc.if_else(is_flag, some, None),
        "topic": pa.repeat("bulk", len(number)),
        "partition": image % 6,
        "offset": number,
    }
    return pa.table(
        [
            pa.array(columns[field.name]).cast(field.type)
            if field.name in columns
            else pa.nulls(len(number), field.type)
            for field in schema
        ],
        schema=schema,
    )
