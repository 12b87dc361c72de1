"""The 29 features, against a recomputation with Python's own dates and numbers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES, Facts, compute, named

IN_DESIGN = """
time_since_upload_seconds hour_of_day day_of_week is_weekend
views_5min views_1hr comments_5min comments_1hr flags_5min flags_1hr total_flags
view_velocity_per_min comment_to_view_ratio recent_engagement_score caption_length has_caption
user_image_count user_age_days
category_Bread category_Dairy category_Dessert category_Egg category_Fried category_Meat category_Noodles
category_Rice category_Seafood category_Soup category_Veggie
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COUNTS = ("views_5min", "views_1hr", "comments_5min", "comments_1hr", "flags_5min", "flags_1hr", "total_flags")
COUNTED = st.integers(0, 5) | st.integers(0, 10**9)
INSTANTS = st.integers(0, 4 * 10**15)  # to 2096
ROWS = st.fixed_dictionaries(
    {"as_of": INSTANTS, "uploaded_at": INSTANTS, "user_created_at": INSTANTS}
    | dict.fromkeys(COUNTS, COUNTED)
    | {"caption_length": st.integers(0, 3), "category": st.integers(0, 10), "user_image_count": COUNTED}
)
Row = Mapping[str, int]


def columns(rows: Sequence[Row]) -> Facts:
    return Facts(**{name: np.array([row[name] for row in rows], dtype=np.int64) for name in rows[0]})


def instant(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def by_hand(row: Row) -> dict[str, float]:
    """Every feature as DESIGN words it."""
    as_of = instant(row["as_of"])
    hour_views = row["views_1hr"] if row["views_1hr"] >= 1 else 1
    features: dict[str, float] = {
        "time_since_upload_seconds": (as_of - instant(row["uploaded_at"])) / timedelta(seconds=1),
        "hour_of_day": as_of.hour,
        "day_of_week": as_of.weekday(),
        "is_weekend": as_of.strftime("%A") in {"Saturday", "Sunday"},
        "view_velocity_per_min": row["views_5min"] / 5,
        "comment_to_view_ratio": row["comments_1hr"] / hour_views,
        "recent_engagement_score": row["views_5min"] + 5 * row["comments_5min"],
        "caption_length": row["caption_length"],
        "has_caption": 1 if row["caption_length"] else 0,
        "user_image_count": row["user_image_count"],
        "user_age_days": (as_of - instant(row["user_created_at"])) / timedelta(days=1),
    }
    for name in COUNTS:
        features[name] = row[name]
    for category in CATEGORIES:
        features[f"category_{category}"] = CATEGORIES[row["category"]] == category
    return {name: float(value) for name, value in features.items()}


def test_names_and_order_are_those_of_the_design() -> None:
    assert list(FEATURES) == IN_DESIGN.split()
    assert len(FEATURES) == 29


@given(ROWS)
def test_each_feature_equals_its_definition(row: Row) -> None:
    (vector,) = compute(columns([row]))
    assert named(vector) == pytest.approx(by_hand(row), rel=1e-12, abs=0)


@given(ROWS)
def test_whole_features_are_exact(row: Row) -> None:
    """Ages are divided, everything else may not be off by anything."""
    (vector,) = compute(columns([row]))
    got, expected = named(vector), by_hand(row)
    for name in set(FEATURES) - {"time_since_upload_seconds", "user_age_days"}:
        assert got[name] == expected[name], name


@given(st.lists(ROWS, min_size=1, max_size=20), st.data())
def test_a_row_alone_equals_the_same_row_among_many(rows: list[Row], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    assert compute(columns([rows[at]]))[0].tobytes() == compute(columns(rows))[at].tobytes()


@pytest.mark.parametrize(
    ("text", "hour", "day", "weekend"),
    [
        ("1970-01-01T00:00:00+00:00", 0, 3, 0),
        ("2026-11-20T23:59:59.999999+00:00", 23, 4, 0),
        ("2026-11-21T00:00:00+00:00", 0, 5, 1),
        ("2026-11-22T23:59:59.999999+00:00", 23, 6, 1),
        ("2026-11-23T00:00:00+00:00", 0, 0, 0),
        ("2024-02-29T12:30:00+00:00", 12, 3, 0),
    ],
)
def test_hour_day_and_weekend_at_their_borders(text: str, hour: int, day: int, weekend: int) -> None:
    row = dict.fromkeys(Facts.__dataclass_fields__, 0)
    row["as_of"] = (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    features = named(compute(columns([row]))[0])
    assert (features["hour_of_day"], features["day_of_week"], features["is_weekend"]) == (hour, day, weekend)


def test_the_matrix_is_of_numbers_one_row_each_even_for_none() -> None:
    row = dict.fromkeys(Facts.__dataclass_fields__, 1)
    assert compute(columns([row] * 3)).shape == (3, 29)
    empty = Facts(**{name: np.array([], dtype=np.int64) for name in Facts.__dataclass_fields__})
    assert compute(empty).shape == (0, 29)
    assert compute(empty).dtype == np.float64


def test_a_row_without_all_features_has_no_names() -> None:
    with pytest.raises(ValueError, match="zip"):
        named(np.zeros(28))
