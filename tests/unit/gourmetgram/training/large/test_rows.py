import numpy as np
import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from gourmetgram.core.features import FEATURES, ONE_HOT
from gourmetgram.lakehouse.tables import LARGE_SCHEMA
from gourmetgram.training.fit import Rows, fit, survey
from gourmetgram.training.large import rows
from gourmetgram.training.reader import to_batch


@pytest.fixture(scope="module")
def some() -> pa.RecordBatch:
    return rows.group(1, 0, 300_000)


def test_the_same_seed_and_number_give_the_same_rows_and_others_give_others() -> None:
    first = rows.group(1, 5, 1000)
    assert first.equals(rows.group(1, 5, 1000))
    for other in (rows.group(1, 6, 1000), rows.group(2, 5, 1000)):
        assert not first["views_1hr"].equals(other["views_1hr"])


def test_the_columns_are_those_of_the_table_without_a_gap(some: pa.RecordBatch) -> None:
    wanted = schema_to_pyarrow(LARGE_SCHEMA, include_field_ids=False)
    assert [(one.name, one.type) for one in some.schema] == [(one.name, one.type) for one in wanted]
    assert all(column.null_count == 0 for column in some.columns)


def test_the_features_are_such_as_an_image_can_have(some: pa.RecordBatch) -> None:
    column = {name: some[name].to_numpy(zero_copy_only=False) for name in FEATURES}
    assert all(np.isfinite(values).all() and (values >= 0).all() for values in column.values())
    for short, long in (("views_5min", "views_1hr"), ("comments_5min", "comments_1hr"), ("flags_5min", "flags_1hr")):
        assert (column[short] <= column[long]).all()
    at_upload = column["time_since_upload_seconds"] == 0
    assert set(column["time_since_upload_seconds"]) == {0, 300, 1800}
    assert not column["views_1hr"][at_upload].any()
    assert (sum(column[name] for name in ONE_HOT) == 1).all()
    assert ((column["caption_length"] > 0) == column["has_caption"]).all()


def test_what_was_planted_is_what_a_fit_finds(some: pa.RecordBatch) -> None:
    """And nothing else: a feature that the label does not depend on has next to no coefficient."""
    batch = to_batch(some)

    def go_through():  # type: ignore[no-untyped-def]
        for start in range(0, len(batch.labels), 30_000):
            yield Rows(batch.features[start : start + 30_000], batch.labels[start : start + 30_000])

    first = survey(go_through)
    found = fit(go_through, first, passes=10, seed=1).coef_[0]
    expected = np.array([rows.PLANTED.get(name, 0.0) for name in FEATURES]) * first.scaler.scale_
    categories = np.isin(FEATURES, ONE_HOT)
    found[categories] -= found[categories].mean()  # what all have in common is a part of the intercept
    assert np.abs(found - expected).max() < 0.06
    assert 0.05 < first.flagged_share < 0.4
