"""What data must be like at the borders: where it comes in from the application, and where it goes into the table.

The rules are written with pandera. What breaks one stops the load, and the message says which column, which rule, and
shows rows.
"""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import pandera.pandas as pa
import pyarrow
from pandera.errors import SchemaErrors

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import CONTENT, COUNTED, FEATURES, ONE_HOT, USER
from gourmetgram.core.windows import ANCHORS

SAMPLE_ROWS: Final = 3
"""Rows shown for each broken rule."""


class ContractBroken(ValueError):
    """Data is not as agreed; the message is for people."""


ID: Final = pa.Check.gt(0, error="is a positive id")
SINCE_1970: Final = pa.Check.ge(pd.Timestamp(0, tz="UTC"), error="is not before 1970")
COUNT: Final = pa.Check.ge(0, error="is not negative")
WHOLE: Final = pa.Check(lambda column: column % 1 == 0, error="is a whole number")
CATEGORY: Final = pa.Check.isin(CATEGORIES, error="is one of the categories")
SOURCE: Final = pa.Check.isin(("user_upload", "synthetic", "import"), error="is a known source")
COUNTRY: Final = pa.Check.str_matches("^[A-Z]{2}$", error="is a country code of two letters")


def _column(*checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column(checks=list(checks), nullable=nullable)


_RAW: Final[Mapping[str, Mapping[str, pa.Column]]] = {
    "users": {
        "id": _column(ID),
        "country_of_residence": _column(COUNTRY),
        "year_of_birth": _column(pa.Check.ge(1900, error="is not before 1900"), nullable=True),
        "tos_version_accepted": _column(nullable=True),
        "is_test_account": _column(),
        "created_at": _column(SINCE_1970),
    },
    "images": {
        "id": _column(ID, nullable=True),
        "user_id": _column(ID),
        "source": _column(SOURCE, nullable=True),
        "caption_length": _column(COUNT, nullable=True),
        "category": _column(CATEGORY, nullable=True),
        "created_at": _column(SINCE_1970),
    },
    "comments": {"id": _column(ID), "image_id": _column(ID), "user_id": _column(ID), "content_length": _column(COUNT)},
    "flags": {
        "id": _column(ID),
        "image_id": _column(ID),
        "comment_id": _column(ID, nullable=True),
        "user_id": _column(ID),
    },
    "image_milestones": {"image_id": _column(ID), "milestone": _column(pa.Check.gt(0, error="is positive"))},
}


def _bounded(*, most: float | None = None, whole: bool = False) -> pa.Column:
    checks = [COUNT, *([WHOLE] if whole else ())]
    if most is not None:
        checks.append(pa.Check.le(most, error=f"is at most {most:g}"))
    return _column(*checks)


_FEATURES: Final[Mapping[str, pa.Column]] = {
    **{name: _bounded() for name in FEATURES},
    **{name: _bounded(whole=True) for name in (*COUNTED, *CONTENT)},
    **{name: _bounded(most=1, whole=True) for name in (*ONE_HOT, "has_caption", "is_weekend")},
    "hour_of_day": _bounded(most=23, whole=True),
    "day_of_week": _bounded(most=6, whole=True),
    "user_image_count": _column(WHOLE, pa.Check.ge(1, error="counts this image")),
}

assert set(USER) <= set(_FEATURES)  # noqa: S101 - every feature has a rule

_TRAINING: Final = pa.DataFrameSchema(
    {
        "image_id": _column(ID),
        "anchor_minutes": _column(pa.Check.isin(ANCHORS, error="is an anchor")),
        "as_of": _column(SINCE_1970),
        **_FEATURES,
        "label": _column(nullable=True),
        "already_flagged": _column(),
        "split_time": _column(SINCE_1970),
        "country": _column(COUNTRY),
    },
    checks=[
        pa.Check(lambda rows: rows[list(ONE_HOT)].sum(axis=1) == 1, error="has exactly one category"),
        pa.Check(lambda rows: rows["as_of"] >= rows["split_time"], error="is not as of a time before the upload"),
        pa.Check(lambda rows: rows["views_5min"] <= rows["views_1hr"], error="has no more views in 5 min than in 1 h"),
        pa.Check(
            lambda rows: (rows["total_flags"] > 0) == rows["already_flagged"],
            error="is already flagged if it has flags",
        ),
    ],
    strict=True,
)

_RAW_SCHEMAS: Final = {table: pa.DataFrameSchema(dict(columns)) for table, columns in _RAW.items()}


def check_raw(table: str, batch: pyarrow.RecordBatch) -> None:
    """Check rows of one of the application's tables.

    Raises:
        ContractBroken: with the column, the rule and sample rows.
    """
    _check(_RAW_SCHEMAS[table], f"rows of the application's table {table}", batch)


def check_training(batch: pyarrow.RecordBatch) -> None:
    """Check rows of the training data.

    Raises:
        ContractBroken: with the column, the rule and sample rows.
    """
    _check(_TRAINING, "rows of the training data", batch)


def _check(schema: pa.DataFrameSchema, what: str, batch: pyarrow.RecordBatch) -> None:
    rows = batch.to_pandas(timestamp_as_object=False)
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as error:
        raise ContractBroken(_told(what, batch, error.failure_cases)) from None


def _told(what: str, batch: pyarrow.RecordBatch, cases: pd.DataFrame) -> str:
    lines = [f"{what} are not as agreed, so nothing was loaded:"]
    for (column, rule), found in cases.groupby(["column", "check"], dropna=False, sort=False):
        lines.append(f"  {column}: {len(found)} of {len(batch)} break the rule “{rule}”, such as")
        lines += [f"    {_shown(batch, case)}" for case in found.head(SAMPLE_ROWS).to_dict("records")]
    return "\n".join(lines)


def _shown(batch: pyarrow.RecordBatch, case: Mapping[Any, Any]) -> str:
    """The row that breaks a rule, or what is wrong where it is not about a row."""
    if pd.isna(case["index"]):
        return str(case["failure_case"])
    (row,) = batch.slice(int(case["index"]), 1).to_pylist()
    return ", ".join(f"{name} {value}" for name, value in row.items())
