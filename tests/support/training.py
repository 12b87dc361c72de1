"""Training data with a planted answer: which features matter, by how much, and how likely each flag really was."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from gourmetgram.core.features import FEATURES, ONE_HOT, Numbers
from gourmetgram.core.windows import ANCHORS, HOUR, MINUTE
from gourmetgram.lakehouse.training_data.rows import SCHEMA

PLANTED = {"comments_1hr": 0.9, "user_age_days": -0.6, "has_caption": -0.35, "views_1hr": 0.2}
"""Change of the log-odds for one standard deviation; the other features mean nothing.

None of these is a sum of others, as `recent_engagement_score` is: of such, no model can tell which one matters."""

BASE = -2.0
START = datetime(2026, 3, 2, tzinfo=UTC)
COUNTRIES = ("DE", "IN", "US")


@dataclass(frozen=True)
class World:
    """Rows: features (n by 29), the probability of a flag, and what came of it."""

    features: Numbers
    probability: Numbers
    labels: np.ndarray


def world(rows: int, seed: int, planted: dict[str, float] = PLANTED) -> World:
    """Rows that nobody has flagged yet. Without anything planted, features and labels have nothing in common."""
    rng = np.random.default_rng(seed)
    features = _features(rng, rows)
    odds = np.full(rows, BASE)
    for name, effect in planted.items():
        column = features[:, FEATURES.index(name)]
        odds += effect * (column - column.mean()) / column.std()
    probability = 1 / (1 + np.exp(-odds))
    return World(features, probability, (rng.random(rows) < probability).astype(np.int8))


def _features(rng: np.random.Generator, rows: int) -> Numbers:
    views = rng.poisson(rng.gamma(2, 8, rows))
    comments = rng.poisson(4, rows)
    recent_views, recent_comments = rng.binomial(views, 0.3), rng.binomial(comments, 0.5)
    captions = rng.integers(1, 120, rows) * (rng.random(rows) > 0.2)
    days = rng.integers(0, 7, rows)
    columns = dict.fromkeys(FEATURES, np.zeros(rows)) | {
        "time_since_upload_seconds": rng.choice(ANCHORS, rows) * 60.0,
        "hour_of_day": rng.integers(0, 24, rows),
        "day_of_week": days,
        "is_weekend": days >= 5,
        "views_5min": recent_views,
        "views_1hr": views,
        "comments_5min": recent_comments,
        "comments_1hr": comments,
        "view_velocity_per_min": recent_views / 5,
        "comment_to_view_ratio": comments / np.maximum(views, 1),
        "recent_engagement_score": recent_views + 5 * recent_comments,
        "caption_length": captions,
        "has_caption": captions > 0,
        "user_image_count": rng.integers(1, 40, rows),
        "user_age_days": rng.gamma(2, 60, rows),
    }
    category = rng.integers(0, len(ONE_HOT), rows)
    columns |= {name: category == position for position, name in enumerate(ONE_HOT)}
    return np.column_stack([np.asarray(columns[name], np.float64) for name in FEATURES])


def table(images: int, seed: int, hours: float, planted: dict[str, float] = PLANTED) -> pa.Table:
    """Training data as the lakehouse makes it: three anchors an image, uploaded evenly over so many hours.

    The label of the last day is unknown. One image in twenty has a flag from its second anchor on.
    """
    rng = np.random.default_rng([seed, 1])
    rows = world(images * len(ANCHORS), seed, planted)
    image = np.repeat(np.arange(1, images + 1), len(ANCHORS))
    anchor = np.tile(np.array(ANCHORS), images)
    uploaded = int(START.timestamp() * 1e6) + (image * (hours * HOUR / images)).astype(np.int64)
    end = uploaded.max()
    flagged = (image % 20 == 0) & (anchor > 0)
    features = rows.features.copy()
    features[:, FEATURES.index("total_flags")] = flagged
    columns = {name: features[:, position] for position, name in enumerate(FEATURES)}
    label = pa.array(rows.labels == 1, mask=uploaded > end - 24 * HOUR)
    known = {
        "image_id": image,
        "anchor_minutes": anchor,
        "as_of": uploaded + anchor * MINUTE,
        "label": label,
        "already_flagged": flagged,
        "split_time": uploaded,
        "country": np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), images)][image - 1],
        "label_confirmed": [None] * len(image),
    }
    everything = columns | known
    return pa.table({field.name: pa.array(everything[field.name]).cast(field.type) for field in SCHEMA})
