"""The SQL steps on tables in memory."""

from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.lakehouse import sql
from gourmetgram.lakehouse.windows import LENGTH
from tests.support.lakehouse import microseconds

TILE = 300 * 10**6
INSTANT = pa.timestamp("us", tz="UTC")
EVENTS = pa.schema(
    {
        "image_id": pa.int64(),
        "occurred_at": INSTANT,
        "event_type": pa.string(),
        "is_test": pa.bool_(),
        "comment_id": pa.int64(),
    }
)
Row = tuple[int, int, str, bool, int | None]

rows = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.builds(
            lambda tile, beside: max(0, tile * TILE + beside),
            st.sampled_from([0, 1, 5_980_895, 5_980_896, 5_980_897, 200_000_000]),
            st.sampled_from([-1, 0, 1, 299_999_999]),
        ),
        st.sampled_from(["view", "comment", "flag", "upload"]),
        st.booleans(),
        st.sampled_from([None, 5]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=50)
@given(rows, st.sampled_from(["view", "comment", "flag"]))
def test_windows_count_from_their_start_up_to_their_end(example: list[Row], kind: str) -> None:
    columns: list[Any] = list(zip(*example, strict=True)) or [()] * len(EVENTS)
    table = pa.table([pa.array(values, one.type) for values, one in zip(columns, EVENTS, strict=True)], EVENTS)
    found = sql.run("windows", {"events": table}, kind=kind, length=LENGTH).to_pylist()
    expected = Counter(
        (image, at - at % TILE)
        for image, at, event_type, is_test, comment in example
        if event_type == kind and not is_test and (kind != "flag" or comment is None)
    )
    assert {(row["image_id"], microseconds(row["window_start"])): row["event_count"] for row in found} == expected
    assert all(microseconds(row["window_end"]) - microseconds(row["window_start"]) == TILE for row in found)


def test_the_first_of_several_with_one_id_lands() -> None:
    read = pa.table(
        {
            "event_id": ["b", "a", "a", "c", "d"],
            "image_id": [1, 1, 1, 1, 9],
            "occurred_at": pa.array([5, 4, 4, 3, 2], INSTANT),
            "offset": [10, 11, 12, 13, 14],
            "read_order": [0, 1, 2, 3, 4],
        }
    )
    landed, deleted = pa.table({"event_id": ["c", "x"]}), pa.table({"image_id": [9]})
    found = sql.run("new_events", {"read": read, "landed": landed, "deleted": deleted}).to_pylist()
    assert [(row["event_id"], row["offset"]) for row in found] == [("a", 11), ("b", 10)]
    assert "read_order" not in found[0]


def test_an_image_is_written_down_as_deleted_once() -> None:
    read = pa.table(
        {
            "image_id": [1, 2, 2, 3],
            "deleted_at": pa.array([5, 7, 6, 5], INSTANT),
            "event_id": ["a", "b", "c", "d"],
            "partition": [0, 0, 0, 0],
            "offset": [1, 2, 3, 4],
        }
    )
    found = sql.run("new_deletions", {"read": read, "deleted": pa.table({"image_id": [3]})}).to_pylist()
    assert [(row["image_id"], row["event_id"]) for row in found] == [(1, "a"), (2, "c")]
