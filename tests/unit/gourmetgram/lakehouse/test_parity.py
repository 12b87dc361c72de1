"""Which decisions are compared, what counts as equal, and what people are told."""

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.features import FEATURES, named
from gourmetgram.lakehouse import sql
from gourmetgram.lakehouse.parity import (
    EXAMPLES,
    SKIPPED,
    Compared,
    Comparison,
    ParityBroken,
    ParityReport,
    require_equal,
    stored_vectors,
    told,
)
from gourmetgram.lakehouse.parity_job import OFFSETS, partitions

INSTANT = pa.timestamp("us", tz="UTC")
ALL = {"gourmetgram.views": 5, "gourmetgram.comments": 5, "gourmetgram.flags": 5, "gourmetgram.uploads": 99}
LANDED = {f"gourmetgram.{name}s/{number}": 5 for name in ("view", "comment", "flag") for number in (0, 1)}
NOON = "2026-01-02T12:00:00+00:00"

numbers = st.floats(0, allow_nan=False, allow_infinity=False)


# ---- which decisions are compared


def decided(**changes: Any) -> dict[str, Any]:
    """What becomes of one decision about image 1, which is from noon; partition 1 has lost something."""
    whole = {"image_id": 1, "partition": 0, "offsets": json.dumps(ALL), "is_image_deleted": False} | changes
    lost = [
        {"place": "gourmetgram.views/1", "accepted_at": NOON},
        {"place": "gourmetgram.uploads/0", "accepted_at": "9"},
    ]
    types = {"image_id": pa.int64(), "partition": pa.int32(), "offsets": pa.string(), "is_image_deleted": pa.bool_()}
    sources = {
        "decisions": pa.table(
            {
                "id": [7],
                "trigger_type": ["upload"],
                "features": ["{}"],
                "posts_unseen": [2],
                "as_of": pa.array([1_000_001], INSTANT),
                **{name: pa.array([whole[name]], kind) for name, kind in types.items()},
            }
        ),
        "images": pa.table({"id": [1, 2, None], "created_at": pa.array([at(0), at(1), at(0)], INSTANT)}),
        "deleted": pa.table({"image_id": [3, 3]}),
        "partitions": partitions(LANDED, lost),
    }
    (row,) = sql.run("decided", sources, **OFFSETS).to_pylist()
    return dict(row)


def at(microseconds_after_noon: int) -> int:
    return 1_767_355_200_000_000 + microseconds_after_noon


def test_a_decision_with_all_that_it_knew_can_be_compared() -> None:
    row = decided()
    assert row["skipped"] is None
    assert (row["as_of"], row["views_before"], row["comments_before"], row["flags_before"]) == (1_000_001, 5, 5, 5)
    assert row["posts_unseen"] == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_image_deleted": True}, "image_deleted"),
        ({"image_id": 3}, "image_deleted"),
        ({"offsets": None, "partition": None}, "no_offsets"),
        ({"offsets": json.dumps({"gourmetgram.views": 1})}, "no_offsets"),
        ({"offsets": json.dumps(ALL | {"gourmetgram.views": 6})}, "not_landed"),
        ({"offsets": json.dumps(ALL | {"gourmetgram.comments": 6})}, "not_landed"),
        ({"offsets": json.dumps(ALL | {"gourmetgram.flags": 6})}, "not_landed"),
        ({"partition": 2}, "not_landed"),
        ({"partition": 1}, "records_lost"),
        ({"partition": 1, "image_id": 2}, None),
    ],
)
def test_other_decisions_are_skipped_with_a_reason(changes: dict[str, Any], reason: str | None) -> None:
    """Image 2 was posted after the loss was accepted: nothing about it can be among what was lost."""
    assert decided(**changes)["skipped"] == reason
    assert reason is None or reason in SKIPPED


def test_each_decision_is_asked_about_twice() -> None:
    rows = {"id": [9, 4], "image_id": [1, 2], "as_of": [10, 20]}
    borders = {"views_before": [1, 2], "comments_before": [3, 4], "flags_before": [5, 6], "posts_unseen": [7, 8]}
    found = sql.run("asked", {"decided": pa.table(rows | borders)}).sort_by("number").to_pylist()
    assert [row["number"] for row in found] == [0, 1, 2, 3]
    names = ("image_id", "as_of", "views_before", "flags_before", "posts_unseen")
    assert [tuple(row[name] for name in names) for row in found] == [
        (2, 20, 2, 6, 8),
        (2, 20, None, None, 0),
        (1, 10, 1, 5, 7),
        (1, 10, None, None, 0),
    ]
    assert all(row["is_live"] for row in found)


# ---- what counts as equal


def compared(stored: Any, recomputed: Any, by_event_time: Any = None) -> ParityReport:
    """The report on decisions 1, 2, ... from their values of the first feature; the others are 0."""
    vectors = []
    for values in (stored, recomputed, recomputed if by_event_time is None else by_event_time):
        matrix = np.zeros((len(values), len(FEATURES)))
        matrix[:, 0] = values
        vectors.append(matrix)
    comparison = Comparison()
    count = len(stored)
    comparison.add(Compared(range(1, count + 1), range(101, count + 101), ["upload"] * count, *vectors))
    return comparison.report("run")


@given(st.lists(numbers, min_size=len(FEATURES), max_size=len(FEATURES)))
def test_what_a_decision_stores_is_read_back_to_the_last_bit(values: list[float]) -> None:
    vector = np.array(values)
    (found,) = stored_vectors([msgspec.json.encode(named(vector)).decode()])
    assert found.tobytes() == vector.tobytes()


@pytest.mark.parametrize("value", [0.3, 1 / 3, 5.0])
def test_the_least_difference_is_one(value: float) -> None:
    assert compared([value], [value])["differing"] == {}
    assert compared([value], [np.nextafter(value, 9)])["differing"] == {FEATURES[0]: 1}


def test_a_value_that_is_not_stored_differs() -> None:
    for text in ("{}", json.dumps({FEATURES[0]: None})):
        report = compared(stored_vectors([text])[:, 0], [0.0])
        assert report["differing"] == {FEATURES[0]: 1}
        assert report["examples"][0]["stored"] is None
        assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_lateness_is_no_difference() -> None:
    report = compared([1, 2, 3], [1, 2, 3], [1, 4, 2])
    assert report["differing"] == {}
    assert report["lateness"] == {FEATURES[0]: {"decisions": 2, "largest": 2.0}}


def test_chunks_add_up() -> None:
    comparison = Comparison()
    for late in (1.0, 3.0, 2.0):
        zero = np.zeros((2, len(FEATURES)))
        comparison.add(Compared([1, 2], [1, 1], ["upload", "viral"], zero, zero + 1, zero + 1 + late))
        comparison.skip(["not_landed"])
    report = comparison.report("run")
    assert (report["looked_at"], report["compared"], report["skipped"]) == (9, 6, {"not_landed": 3})
    assert report["values"] == 6 * len(FEATURES)
    assert report["triggers"] == {"upload": 3, "viral": 3}
    assert report["differing"] == dict.fromkeys(FEATURES, 6)
    assert len(report["examples"]) == EXAMPLES * len(FEATURES)
    assert report["lateness"][FEATURES[3]] == {"decisions": 6, "largest": 3.0}


# ---- what people are told


def test_equality_passes_and_is_told() -> None:
    report = compared([1, 2], [1, 2], [1, 3])
    require_equal(report)
    lines = "\n".join(told(report))
    assert f"0 of {2 * len(FEATURES)} values differ" in lines
    assert f"lateness: by event time alone, {FEATURES[0]} would differ in 1 of them, by 1 at most" in lines


def test_a_difference_is_told_with_the_decision_and_both_values() -> None:
    with pytest.raises(ParityBroken) as broken:
        require_equal(compared([1, 2, 8], [1, 2, 9]))
    assert f"{FEATURES[0]} differs in 1 decisions" in str(broken.value)
    assert "decision 3 about image 103 (upload): stored 8.0, recomputed 9.0" in str(broken.value)


def test_what_was_skipped_is_told() -> None:
    comparison = Comparison()
    comparison.skip(["image_deleted", "image_deleted", "no_offsets"])
    lines = "\n".join(told(comparison.report("run")))
    assert "3 decisions were looked at" in lines
    assert f"-2  image_deleted: {SKIPPED['image_deleted']}" in lines
    assert "0  compared: none" in lines
