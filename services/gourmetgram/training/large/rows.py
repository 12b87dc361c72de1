"""Synthetic training data, as much as one likes: facts that a history could hold, and a label that follows from them.

The features are computed from the facts by the definition that the platform uses. The rows of a group depend on the
seed and the group's number alone, so that any part of the data can be made again without the rest.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES, Facts, Numbers, compute
from gourmetgram.core.windows import ANCHORS, DAY, MINUTE
from gourmetgram.training.arrays import Labels
from gourmetgram.training.reader import LABEL

REVISION: Final = 1
"""Of the formulas below: rows of another revision are other rows."""

PLANTED: Final[Mapping[str, float]] = {
    "comments_1hr": 0.15,
    "flags_5min": 1.0,
    "has_caption": -0.6,
    "user_image_count": 0.02,
    "user_age_days": -0.002,
}
"""Change of the log-odds of the label for one more of each; the other features mean nothing.

None of these is a sum of others, as `recent_engagement_score` is: of such, nobody can tell which one matters."""

BASE: Final = -2.0
"""Log-odds where all of these are 0."""

FROM: Final = 1_767_225_600_000_000
"""The beginning of 2026, in unix microseconds; the rows are of the year that follows."""

YEAR: Final = 365 * DAY


def group(seed: int, number: int, rows: int) -> pa.RecordBatch:
    """So many rows: the 29 features and the label."""
    rng = np.random.default_rng([REVISION, seed, number])
    features = compute(_facts(rng, rows))
    labels = _labels(rng, features)
    by_column = np.asfortranarray(features)
    arrays = [pa.array(by_column[:, position]) for position in range(len(FEATURES))]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(labels.astype(np.bool_))], [*FEATURES, LABEL])


def _facts(rng: np.random.Generator, rows: int) -> Facts:
    """Views come at a pace that differs from image to image, comments and flags with the views."""
    anchor = rng.choice(np.array(ANCHORS), rows)
    as_of = FROM + rng.integers(0, YEAR // MINUTE, rows) * MINUTE
    uploaded_at = as_of - anchor * MINUTE
    pace = rng.lognormal(0.5, 1.0, rows)
    recent = np.minimum(anchor, 5)
    views_5min = rng.poisson(pace * recent)
    views_before = rng.poisson(pace * (anchor - recent))
    comments_5min = rng.poisson(views_5min * 0.08)
    flags_5min = rng.poisson(views_5min * 0.002)
    flags_1hr = flags_5min + rng.poisson(views_before * 0.002)
    return Facts(
        as_of=as_of,
        uploaded_at=uploaded_at,
        views_5min=views_5min,
        views_1hr=views_5min + views_before,
        comments_5min=comments_5min,
        comments_1hr=comments_5min + rng.poisson(views_before * 0.08),
        flags_5min=flags_5min,
        flags_1hr=flags_1hr,
        total_flags=flags_1hr,
        caption_length=rng.integers(1, 160, rows) * (rng.random(rows) > 0.25),  # noqa: PLR2004 - one in four is silent
        category=rng.integers(0, len(CATEGORIES), rows),
        user_image_count=rng.geometric(0.05, rows),
        user_created_at=uploaded_at - rng.integers(0, 2 * YEAR // DAY, rows) * DAY,
    )


def _labels(rng: np.random.Generator, features: Numbers) -> Labels:
    odds = np.full(len(features), BASE)
    for name, effect in PLANTED.items():
        odds += effect * features[:, FEATURES.index(name)]
    labels: Labels = (rng.random(len(features)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return labels
