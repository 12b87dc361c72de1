"""What checks of the pipeline compute, against numbers computed by hand or by brute force."""

import math
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse.training_data.rows import SCHEMA
from gourmetgram.lakehouse.verify import Check, PipelineUnsound, told, training
from gourmetgram.lakehouse.verify.checks import require_sound
from gourmetgram.lakehouse.verify.drift import previous, stability_index, stability_indexes
from gourmetgram.lakehouse.verify.recount import Event, Post, rows_of
from gourmetgram.lakehouse.verify.sample import differences

MINUTE = 60 * 10**6
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = 1_795_392_000 * 10**6 + 23 * HOUR + 58 * MINUTE
"""2026-11-23 23:58 UTC."""
FINE = Check(name="fine", level="error", passed=True, found="3", expected="3")
ODD = Check(name="odd", level="warning", passed=False, found="4", expected="5")
WRONG = Check(name="wrong", level="error", passed=False, found="1", expected="2")


def test_only_errors_end_a_run_and_all_of_them_are_named() -> None:
    require_sound([FINE, ODD])
    with pytest.raises(PipelineUnsound) as raised:
        require_sound([FINE, WRONG, ODD, Check(**WRONG | {"name": "also wrong"})])
    assert str(raised.value).startswith("2 checks failed:\n  error    wrong: 1\n")
    assert "also wrong" in str(raised.value)
    assert "odd" not in str(raised.value)
    assert list(told([FINE, ODD])) == ["ok       fine: 3", "warning  odd: 4", "         expected: 5"]


# ---- drift


@pytest.mark.parametrize(
    ("older", "newer", "index"),
    [
        ([50, 50], [500, 500], 0.0),
        ([50, 50], [25, 75], -0.25 * math.log(0.5) + 0.25 * math.log(1.5)),
        ([90, 10], [10, 90], 1.6 * math.log(9)),
        ([10, 0, 0], [0, 0, 10], 2 * (1 - 1e-4) * math.log(1e4)),
        ([0, 10], [0, 7], 0.0),
        ([0, 0], [0, 0], 0.0),
    ],
)
def test_the_stability_index(older: list[int], newer: list[int], index: float) -> None:
    assert stability_index(np.array(older), np.array(newer)) == pytest.approx(index, abs=1e-12)


def rows(values: dict[str, Any], size: int) -> pa.Table:
    columns = {name: np.full(size, 7.0) for name in FEATURES} | values
    return pa.table({field.name: columns.get(field.name, pa.nulls(size, field.type)) for field in SCHEMA}, SCHEMA)


def brute_force(older: np.ndarray, newer: np.ndarray) -> float:
    """Bins are the nine deciles, the stretches between them and beyond."""
    edges = np.quantile(older, np.arange(1, 10) / 10, method="inverted_cdf")

    def shares(values: np.ndarray) -> Counter[tuple[int, bool]]:
        return Counter((int((edges < value).sum()), bool(value in edges)) for value in values)

    before, now = shares(older), shares(newer)
    index = 0.0
    for one in before.keys() | now.keys():
        p, q = max(now[one] / len(newer), 1e-4), max(before[one] / len(older), 1e-4)
        index += (p - q) * math.log(p / q)
    return index


def test_indexes_of_features_equal_a_brute_force() -> None:
    chance = np.random.default_rng(1)
    before = {
        "views_1hr": chance.poisson(0.4, 4000).astype(float),
        "user_age_days": chance.exponential(30, 4000),
        "total_flags": (chance.random(4000) < 0.02).astype(float),
    }
    now = {
        "views_1hr": chance.poisson(0.4, 3000).astype(float),
        "user_age_days": chance.exponential(60, 3000),
        "total_flags": (chance.random(3000) < 0.3).astype(float),
        "hour_of_day": np.full(3000, 6.0),
    }
    older, newer = (pa.dataset.dataset(rows(one, len(one["views_1hr"]))) for one in (before, now))
    found = stability_indexes(older, newer)
    assert set(found) == set(FEATURES)
    assert found["views_1hr"] == pytest.approx(brute_force(before["views_1hr"], now["views_1hr"]), abs=1e-9)
    assert found["views_1hr"] < 0.02
    assert found["total_flags"] == pytest.approx(brute_force(before["total_flags"], now["total_flags"]), abs=1e-9)
    assert found["total_flags"] > 0.5
    assert found["user_age_days"] == pytest.approx(brute_force(before["user_age_days"], now["user_age_days"]), rel=0.1)
    assert found["user_age_days"] > 0.25
    assert found["hour_of_day"] > 10, "a constant that is another one"
    assert {name for name, index in found.items() if index} == {*before, "hour_of_day"}, "other constants have stayed"


def snapshot(number: int, run: str | None, total: int = 9) -> Any:
    said = {"total-records": str(total)} | ({"gourmetgram.run": run} if run else {})
    summary = SimpleNamespace(additional_properties=said)
    return SimpleNamespace(sequence_number=number, snapshot_id=number * 100, summary=summary)


def test_drift_is_measured_against_the_last_run_with_rows() -> None:
    one, two, erased, empty, cleaned, now, later = (
        snapshot(1, "a"), snapshot(2, "b"), snapshot(3, "b"), snapshot(4, "c", 0), snapshot(5, None),
        snapshot(6, "d"), snapshot(7, "d"),
    )  # fmt: skip
    table: Any = SimpleNamespace(snapshots=lambda: [now, one, cleaned, erased, two, empty, later])
    found = {asked.snapshot_id: previous(table, asked) for asked in (one, erased, now, later)}
    assert found == {100: None, 300: one, 600: erased, 700: erased}


# ---- values


def values_of(table: pa.Table) -> dict[str, Check]:
    labels = {"missing": 0, "early": 0}
    about: Any = SimpleNamespace(rows=pa.dataset.dataset(table))
    return {check["name"].partition(", ")[2]: check for check in training._values(about, labels)}


def a_row() -> dict[str, Any]:
    post = Post(1, MONDAY, 5, "Soup", "DE", MONDAY - DAY, [MONDAY], None)
    return next(rows_of(post, [], MONDAY + 2 * DAY))


def test_empty_values_are_counted_by_column() -> None:
    sound = pa.Table.from_pylist([a_row(), a_row() | {"label": None}], SCHEMA)
    assert values_of(sound)["empty values"]["passed"]
    assert values_of(sound)["ranges"]["passed"]
    damaged = pa.Table.from_pylist(
        [a_row() | {"views_1hr": None, "country": None}, a_row() | {"country": None}], SCHEMA
    )
    found = values_of(damaged)["empty values"]
    assert not found["passed"]
    assert found["found"].startswith("1 of views_1hr; 2 of country; 0 of label; 2 of label_confirmed;")


def test_the_rule_that_is_broken_is_told() -> None:
    found = values_of(pa.Table.from_pylist([a_row() | {"hour_of_day": 24.0}], SCHEMA))["ranges"]
    assert not found["passed"]
    assert "hour_of_day" in found["found"]


# ---- the recount


def test_a_recounted_row() -> None:
    """By hand: 23:58 on a Monday, so the second anchor is on Tuesday."""
    happened = [
        *(Event("view", MONDAY + at) for at in (0, 1, 5 * MINUTE, 5 * MINUTE + 1)),
        *(Event("comment", MONDAY + at) for at in (4 * MINUTE, 6 * MINUTE)),
        *(Event("flag", MONDAY + at) for at in (5 * MINUTE, 24 * HOUR, 24 * HOUR + 1)),
    ]
    posted = [MONDAY - DAY, MONDAY, MONDAY + MINUTE, MONDAY + HOUR]
    post = Post(9, MONDAY, 0, "Soup", "FR", MONDAY - 36 * HOUR, posted, True)
    first, second, third = rows_of(post, happened, MONDAY + DAY)
    assert [row["anchor_minutes"] for row in (first, second, third)] == [0, 5, 30]
    assert first["views_5min"] == first["views_1hr"] == 1
    assert (first["hour_of_day"], first["day_of_week"], first["is_weekend"]) == (23, 0, False)
    assert (first["label"], first["already_flagged"], first["user_image_count"]) == (True, False, 2)
    assert (second["hour_of_day"], second["day_of_week"]) == (0, 1)
    assert (second["views_5min"], second["views_1hr"]) == (2, 3), "the window is open at its start, closed at its end"
    assert (second["comments_1hr"], second["comment_to_view_ratio"]) == (1, 1 / 3)
    assert (second["flags_5min"], second["total_flags"], second["already_flagged"]) == (1, 1, True)
    assert (second["view_velocity_per_min"], second["recent_engagement_score"]) == (2 / 5, 2 + 5)
    assert (second["user_image_count"], second["user_age_days"]) == (3, 1.5 + 5 / 1440)
    assert (third["time_since_upload_seconds"], third["has_caption"], third["category_Soup"]) == (1800, False, True)
    assert third["label"], "the flag at the very end of the 24 h"
    assert [row["label_confirmed"] for row in (first, second, third)] == [True] * 3
    at_an_anchor = rows_of(post, [Event("flag", MONDAY + 5 * MINUTE)], MONDAY + DAY)
    assert [row["label"] for row in at_an_anchor] == [True, False, False], "at the anchor it is known, not foretold"
    assert len(list(rows_of(post, happened, MONDAY + 5 * MINUTE))) == 2
    assert [row["label"] for row in rows_of(post, happened, MONDAY + DAY - 1)] == [None] * 3
    assert set(first) == set(SCHEMA.names)


def test_differences_are_named() -> None:
    row = a_row()
    assert list(differences([row], [row])) == []
    assert list(differences([], [row])) == ["image 1 at 0 min is missing"]
    assert list(differences([row], [])) == ["image 1 at 0 min is not to be there"]
    assert list(differences([row | {"views_1hr": 3.0}], [row])) == ["image 1 at 0 min: views_1hr is 3.0, not 0"]
    assert list(differences([row | {"label": None}], [row])) == ["image 1 at 0 min: label is None, not False"]
