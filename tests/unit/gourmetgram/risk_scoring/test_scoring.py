"""From requests and facts to decisions: every column reaches its feature, and the reasons say which rules held."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES
from gourmetgram.core.moderation import COUNT_NAMES, ModerationRequest
from gourmetgram.core.policy import load
from gourmetgram.risk_scoring.scoring import Subject, decide
from tests.support.requests import NOON, asked

SECOND = 1_000_000
DAY = 86_400 * SECOND
PLAIN = Subject(NOON, 0, "Bread", 1, NOON)


def test_every_column_reaches_its_feature() -> None:
    """All values differ, so that no two of them can be mixed up."""
    request = asked(
        as_of=NOON + 4 * DAY + 3 * 3600 * SECOND,  # a Saturday, 15:00
        views_5min=40,
        views_1hr=50,
        comments_5min=6,
        comments_1hr=7,
        flags_5min=2,
        flags_1hr=3,
        total_flags=9,
    )
    subject = Subject(
        uploaded_at=request.as_of - 1_234_500_000,
        caption_length=21,
        category="Rice",
        user_image_count=12,
        user_created_at=request.as_of - 36 * 3600 * SECOND,
    )
    (decision,) = decide([(request, subject)], load("v1"))
    expected = {
        "time_since_upload_seconds": 1234.5,
        "hour_of_day": 15,
        "day_of_week": 5,
        "is_weekend": 1,
        "views_5min": 40,
        "views_1hr": 50,
        "comments_5min": 6,
        "comments_1hr": 7,
        "flags_5min": 2,
        "flags_1hr": 3,
        "total_flags": 9,
        "view_velocity_per_min": 8,
        "comment_to_view_ratio": 0.14,
        "recent_engagement_score": 70,
        "caption_length": 21,
        "has_caption": 1,
        "user_image_count": 12,
        "user_age_days": 1.5,
    } | {f"category_{name}": int(name == "Rice") for name in CATEGORIES}
    assert decision.features == expected
    assert list(decision.features) == list(FEATURES)
    assert len(expected) == 29
    assert decision.request is request
    assert decision.policy_version == "v1"


@pytest.mark.parametrize(
    ("counts", "score", "recommendation", "rules"),
    [
        ({}, 0, "SAFE", []),
        ({"views_5min": 100}, 0.2, "SAFE", ["viral"]),
        ({"comments_5min": 10}, 0.3, "REVIEW", ["discussed"]),
        ({"total_flags": 1}, 0.4, "REVIEW", ["flagged"]),
        ({"total_flags": 1, "comments_5min": 10}, 0.7, "REVIEW", ["flagged", "discussed"]),
        ({"total_flags": 1, "comments_5min": 10, "views_5min": 100}, 0.9, "FLAG", ["flagged", "discussed", "viral"]),
    ],
)
def test_the_rationale_names_the_rules_that_held(
    counts: dict[str, Any], score: float, recommendation: str, rules: list[str]
) -> None:
    (decision,) = decide([(asked(**counts), PLAIN)], load("v1"))
    assert decision.risk_score == score
    assert decision.recommendation == recommendation
    assert decision.rationale["policy"] == "v1"
    assert [rule["name"] for rule in decision.rationale["rules"]] == rules
    assert sum(rule["points"] for rule in decision.rationale["rules"]) == pytest.approx(score)
    assert all(rule["reason"] for rule in decision.rationale["rules"])


def test_the_policy_decides_which_rules_there_are() -> None:
    request = asked(comments_1hr=2, views_1hr=3)
    (first,), (second,) = (decide([(request, PLAIN)], load(version)) for version in ("v1", "v2"))
    assert (first.rationale, first.risk_score) == ({"policy": "v1", "rules": []}, 0)
    assert [rule["name"] for rule in second.rationale["rules"]] == ["controversial"]
    assert (second.policy_version, second.risk_score) == ("v2", 0.2)


REQUESTS = st.builds(
    asked,
    st.integers(1, 2**53 - 1),
    as_of=st.integers(NOON, NOON + DAY),
    **{name: st.integers(0, 200) for name in COUNT_NAMES},
)
SUBJECTS = st.builds(
    Subject,
    st.integers(NOON - DAY, NOON),
    st.integers(0, 2000),
    st.sampled_from(CATEGORIES),
    st.integers(1, 1000),
    st.integers(0, NOON),
)


@given(st.lists(st.tuples(REQUESTS, SUBJECTS), max_size=8))
def test_a_batch_equals_one_by_one(batch: list[tuple[ModerationRequest, Subject]]) -> None:
    policy = load("v2")
    assert decide(batch, policy) == [decision for one in batch for decision in decide([one], policy)]
