"""The rows of the training data: who is eligible, what each row knows, and its labels."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import schema_to_pyarrow

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES, Facts, compute
from gourmetgram.core.windows import ANCHORS, LABEL_HORIZON, MINUTE, WINDOWS
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.tables import TRAINING_SCHEMA
from gourmetgram.lakehouse.training_data import eligibility
from gourmetgram.lakehouse.training_data.eligibility import Report

INSTANT: Final = pa.timestamp("us", tz="UTC")

LENGTHS: Final = {window.name: window.length for window in WINDOWS}
LONGEST: Final = max(LENGTHS.values())

SCHEMA: Final = pa.schema([(one.name, schema_to_pyarrow(one.field_type)) for one in TRAINING_SCHEMA.fields])
"""The columns of the training data. Here all may be empty: which ones must not be, the contract checks."""


class TrainingRows:
    """What is built from one snapshot of the application's tables and one of the events."""

    def __init__(self, session: Session, complete_until: int) -> None:
        self._session = session
        self._complete_until = complete_until

    @classmethod
    @contextmanager
    def over(cls, sources: Mapping[str, object], complete_until: int) -> Iterator[Self]:
        """Prepare the rows.

        Args:
            sources: Arrow tables or datasets: `images`, `users` and `reviews` of a raw snapshot, `landed` (the
                events) and `deleted` as they landed.
            complete_until: unix microseconds up to which everything that happened has landed.
        """
        anchors = pa.table({"anchor_minutes": pa.array(ANCHORS, pa.int32())})
        with Session.over({**sources, "anchors": anchors}) as session:
            session.keep("posts")
            session.keep("events", longest=LONGEST, last_anchor=max(ANCHORS) * MINUTE)
            session.keep("eligibility", ("rules", eligibility.cases()), complete_until=complete_until)
            session.define("eligible")
            session.keep("questions", minute=MINUTE, complete_until=complete_until)
            count(session)
            session.keep("flagged_later", horizon=LABEL_HORIZON)
            session.keep("reviewed")
            yield cls(session, complete_until)

    def report(self) -> Report:
        """Who was considered, who was excluded and why, who is left."""
        found = self._session.table("exclusions").to_pydict()
        return eligibility.report(dict(zip(found["excluded_by"], found["images"], strict=True)))

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """All rows in the order of images and anchors, in batches of so many."""
        for batch in self._session.batches(
            "training_rows", rows, horizon=LABEL_HORIZON, complete_until=self._complete_until
        ):
            yield _row_batch(batch)


def count(session: Session) -> None:
    """From `questions`, `posts` and `events` make `facts`, which `matrix` turns into features."""
    session.keep("posts_before")
    session.keep("window_counts", None, longest=LONGEST, **LENGTHS)
    session.define("facts")


def matrix(facts: pa.RecordBatch) -> np.ndarray:
    """The features of a batch of facts, one row for each of them."""
    names = {name for name in Facts.__dataclass_fields__ if name != "category"}
    category = pc.index_in(facts["category"], pa.array(CATEGORIES)).cast(pa.int64())
    return compute(Facts(category=category.to_numpy(), **{name: facts[name].to_numpy() for name in names}))


def _row_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    features = matrix(batch)
    columns = {
        **dict(zip(FEATURES, features.T, strict=True)),
        "image_id": batch["image_id"],
        "anchor_minutes": batch["anchor_minutes"],
        "as_of": batch["as_of"].cast(INSTANT),
        "label": batch["label"],
        "already_flagged": pc.greater(batch["total_flags"], 0),
        "split_time": batch["uploaded_at"].cast(INSTANT),
        "country": batch["country"],
        "label_confirmed": batch["label_confirmed"],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.record_batch(arrays, SCHEMA)
