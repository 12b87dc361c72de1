"""What data must be like at the borders: where it comes in from the application, and where it goes into the table."""

from collections.abc import Mapping
from typing import Final

import pandas as pd
import pandera.pandas as pa
import pyarrow

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import CONTENT, COUNTED, FEATURES, ONE_HOT
from gourmetgram.core.windows import ANCHORS
from gourmetgram.lakehouse.tables import TRAINING_SCHEMA
from gourmetgram.lakehouse.training_data.data_contract import (
    Column,
    Contract,
    Together,
    Values,
    Verdicts,
    number,
    rule,
)
from gourmetgram.lakehouse.training_data.rows import INSTANT, SCHEMA


def _codes_of_countries(column: Values) -> Verdicts:
    found = pd.Series(column.unique(), dtype=str)
    return column.isin(found[found.str.fullmatch("[A-Z]{2}")])


def _has_all_or_nothing(images: pd.DataFrame) -> Verdicts:
    has = images[["id", "source", "caption_length", "category"]].notna()
    return has.all(axis=1) | ~has.any(axis=1)


def _one_of(values: tuple[str, ...], told: str) -> tuple[pa.Check]:
    return (rule(lambda column: column.isin(values), told),)


def _no_more(shorter: str, longer: str) -> Together:
    return Together(
        f"{shorter}, {longer}", "have no more in the shorter time", lambda rows: rows[shorter] <= rows[longer]
    )


POSITIVE: Final = (number(1),)
COUNT: Final = (number(0),)
SINCE_1970: Final = (rule(lambda column: column >= pd.Timestamp(0, tz="UTC"), "is not before 1970"),)
A_CATEGORY: Final = _one_of(CATEGORIES, "is one of the categories")
A_SOURCE: Final = _one_of(("user_upload", "synthetic", "import"), "is a known source")
A_REVIEW: Final = _one_of(("pending", "confirmed", "rejected"), "is a known state of a review")
A_VERDICT: Final = _one_of(("confirmed", "rejected"), "is a verdict")
A_COUNTRY: Final = (rule(_codes_of_countries, "is a country code of two letters"),)

ID: Final = Column(pyarrow.int64(), POSITIVE)
AT: Final = Column(INSTANT, SINCE_1970)

_RAW: Final[Mapping[str, Contract]] = {
    "users": Contract(
        "rows of the application's table users",
        {
            "id": ID,
            "country_of_residence": Column(pyarrow.string(), A_COUNTRY),
            "year_of_birth": Column(pyarrow.int32(), (number(1900),), may_be_empty=True),
            "tos_version_accepted": Column(pyarrow.int32(), may_be_empty=True),
            "tos_accepted_at": Column(INSTANT, may_be_empty=True),
            "is_test_account": Column(pyarrow.bool_()),
            "created_at": AT,
        },
    ),
    "images": Contract(
        "rows of the application's table images",
        {
            "id": Column(pyarrow.int64(), POSITIVE, may_be_empty=True),
            "user_id": ID,
            "source": Column(pyarrow.string(), A_SOURCE, may_be_empty=True),
            "caption_length": Column(pyarrow.int64(), COUNT, may_be_empty=True),
            "category": Column(pyarrow.string(), A_CATEGORY, may_be_empty=True),
            "created_at": AT,
        },
        Together("id, source, caption_length, category", "are all there, or none of them is", _has_all_or_nothing),
    ),
    "comments": Contract(
        "rows of the application's table comments",
        {
            "id": ID,
            "image_id": ID,
            "user_id": ID,
            "content_length": Column(pyarrow.int64(), COUNT),
            "created_at": AT,
        },
    ),
    "flags": Contract(
        "rows of the application's table flags",
        {
            "id": ID,
            "user_id": ID,
            "image_id": ID,
            "comment_id": Column(pyarrow.int64(), POSITIVE, may_be_empty=True),
            "review_status": Column(pyarrow.string(), A_REVIEW),
            "resolved_at": Column(INSTANT, SINCE_1970, may_be_empty=True),
            "created_at": AT,
        },
    ),
    "image_milestones": Contract(
        "rows of the application's table image_milestones",
        {"image_id": ID, "milestone": Column(pyarrow.int32(), POSITIVE), "reached_at": AT},
    ),
    "reviews": Contract(
        "verdicts among the application's table moderation_actions",
        {"id": ID, "image_id": ID, "verdict": Column(pyarrow.string(), A_VERDICT)},
    ),
}
"""For each table what the view of its name in the schema `raw` shows (migrations 0003 and 0007)."""

_RULES: Final[Mapping[str, tuple[pa.Check, ...]]] = {
    "image_id": POSITIVE,
    "anchor_minutes": (rule(lambda column: column.isin(ANCHORS), "is an anchor"),),
    "as_of": SINCE_1970,
    **{name: (number(0, whole=False),) for name in FEATURES},
    **dict.fromkeys((*COUNTED, *CONTENT), COUNT),
    **{name: (number(0, 1),) for name in (*ONE_HOT, "has_caption", "is_weekend")},
    "hour_of_day": (number(0, 23),),
    "day_of_week": (number(0, 6),),
    "user_image_count": POSITIVE,
    "split_time": SINCE_1970,
    "country": A_COUNTRY,
}

_TRAINING: Final = Contract(
    "rows of the training data",
    {
        one.name: Column(SCHEMA.field(one.name).type, _RULES.get(one.name, ()), may_be_empty=not one.required)
        for one in TRAINING_SCHEMA.fields
    },
    Together("the columns of categories", "are 1 in exactly one", lambda rows: rows[list(ONE_HOT)].sum(axis=1) == 1),
    Together(
        "as_of, split_time, anchor_minutes",
        "are as of the anchor's minutes after the upload",
        lambda rows: (rows["as_of"] - rows["split_time"]).dt.total_seconds() == rows["anchor_minutes"] * 60,
    ),
    *(_no_more(f"{kind}_5min", f"{kind}_1hr") for kind in ("views", "comments", "flags")),
    _no_more("flags_1hr", "total_flags"),
    Together(
        "total_flags, already_flagged",
        "say the same",
        lambda rows: (rows["total_flags"] > 0) == rows["already_flagged"],
    ),
)


def check_raw(table: str, batch: pyarrow.RecordBatch) -> None:
    """Check rows of one of the application's tables.

    Raises:
        ContractBroken: with the column, the rule and sample rows.
    """
    _RAW[table].check(batch)


def check_training(batch: pyarrow.RecordBatch) -> None:
    """Check rows of the training data.

    Raises:
        ContractBroken: with the column, the rule and sample rows.
    """
    _TRAINING.check(batch)
