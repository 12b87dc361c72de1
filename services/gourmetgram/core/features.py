"""The 29 features of an image at one instant: the only definition, for one row online and a million rows offline.

Everything is computed from columns (NumPy arrays of equal length). All values are as of `as_of`; whoever fills the
columns makes sure that nothing later gets in.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.windows import DAY, HOUR, SECOND, WINDOWS

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

TEMPORAL: Final = ("time_since_upload_seconds", "hour_of_day", "day_of_week", "is_weekend")
COUNTED: Final = (*(window.name for window in WINDOWS), "total_flags")
DERIVED: Final = ("view_velocity_per_min", "comment_to_view_ratio", "recent_engagement_score")
CONTENT: Final = ("caption_length", "has_caption")
USER: Final = ("user_image_count", "user_age_days")
ONE_HOT: Final = tuple(f"category_{category}" for category in CATEGORIES)

FEATURES: Final = (*TEMPORAL, *COUNTED, *DERIVED, *CONTENT, *USER, *ONE_HOT)
"""The names of the features, in the order of the vector's columns."""

COMMENT_WEIGHT: Final = 5
"""A comment counts as much as this many views in `recent_engagement_score`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the features are computed from: one array each, all of the same length.

    Times are unix microseconds (UTC). `category` is a position in CATEGORIES. `user_image_count` counts the images that
    the uploader had posted up to `as_of`, this one and those deleted later among them.
    """

    as_of: Integers
    uploaded_at: Integers
    views_5min: Integers
    views_1hr: Integers
    comments_5min: Integers
    comments_1hr: Integers
    flags_5min: Integers
    flags_1hr: Integers
    total_flags: Integers
    caption_length: Integers
    category: Integers
    user_image_count: Integers
    user_created_at: Integers


def compute(facts: Facts) -> Numbers:
    """The feature matrix: one row per row of the facts, one column per name in FEATURES."""
    columns = [
        *_temporal(facts),
        *(getattr(facts, name) for name in COUNTED),
        *_derived(facts),
        facts.caption_length,
        facts.caption_length > 0,
        facts.user_image_count,
        (facts.as_of - facts.user_created_at) / DAY,
    ]
    matrix = np.empty((len(facts.as_of), len(FEATURES)))
    for position, column in enumerate(columns):
        matrix[:, position] = column
    matrix[:, len(columns) :] = facts.category[:, np.newaxis] == np.arange(len(CATEGORIES))
    return matrix


def _temporal(facts: Facts) -> list[npt.NDArray[Any]]:
    """Age, hour, weekday (Monday is 0) and weekend; 1970-01-01 was a Thursday, day 3 of its week."""
    day_of_week = (facts.as_of // DAY + 3) % 7
    hour_of_day = facts.as_of % DAY // HOUR
    return [(facts.as_of - facts.uploaded_at) / SECOND, hour_of_day, day_of_week, day_of_week >= 5]  # noqa: PLR2004


def _derived(facts: Facts) -> list[npt.NDArray[Any]]:
    velocity = facts.views_5min / 5
    comments_per_view = facts.comments_1hr / np.maximum(facts.views_1hr, 1)
    return [velocity, comments_per_view, facts.views_5min + COMMENT_WEIGHT * facts.comments_5min]


def named(row: Numbers) -> dict[str, float]:
    """One row of the matrix by feature name."""
    return dict(zip(FEATURES, row.tolist(), strict=True))
