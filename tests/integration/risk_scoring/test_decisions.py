"""Each request becomes one row in `moderation`, with everything that led to it."""

from datetime import UTC, datetime, timedelta

import pytest

from gourmetgram.core import topics
from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES
from gourmetgram.core.moderation import TRIGGERS, Trigger
from tests.integration.risk_scoring.desk import Desk, instant, microseconds
from tests.integration.risk_scoring.scorers import ScorerProcess
from tests.support.requests import asked

SATURDAY = datetime(2026, 11, 21, 15, 59, 59, 123457, tzinfo=UTC)
OFFSETS = {topic: 10 + number for number, topic in enumerate(topics.EVENT_TOPICS.values())}

pytestmark = pytest.mark.usefixtures("scorer")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_request_becomes_one_row_with_all_its_columns(desk: Desk, trigger: Trigger) -> None:
    user = desk.user(SATURDAY - timedelta(days=2))
    image = desk.image(user, SATURDAY - timedelta(minutes=5, microseconds=1), "Crème brûlée 🍮", "Dessert")
    request = asked(
        image,
        trigger,
        "5",
        as_of=microseconds(SATURDAY),
        views_5min=120,
        views_1hr=200,
        comments_5min=3,
        comments_1hr=50,
        flags_5min=1,
        flags_1hr=2,
        total_flags=4,
        partition=3,
        offsets=OFFSETS,
    )
    before = datetime.now(UTC)
    row = desk.answer(request)
    assert before < row.pop("created_at") < datetime.now(UTC)
    assert row.pop("features") == {
        "time_since_upload_seconds": 300.000001,
        "hour_of_day": 15,
        "day_of_week": 5,
        "is_weekend": 1,
        "views_5min": 120,
        "views_1hr": 200,
        "comments_5min": 3,
        "comments_1hr": 50,
        "flags_5min": 1,
        "flags_1hr": 2,
        "total_flags": 4,
        "view_velocity_per_min": 24,
        "comment_to_view_ratio": 0.25,
        "recent_engagement_score": 135,
        "caption_length": 14,
        "has_caption": 1,
        "user_image_count": 1,
        "user_age_days": 2,
        **{f"category_{name}": int(name == "Dessert") for name in CATEGORIES},
    }
    rules = [
        {"name": "flagged", "points": 0.4, "reason": "somebody flagged it"},
        {"name": "viral", "points": 0.2, "reason": "100 or more views in 5 minutes"},
    ]
    assert row == {
        "request_id": str(request.request_id),
        "target_type": "image",
        "target_id": image,
        "inference_mode": "heuristic",
        "model_version": "",
        "risk_score": 0.6,
        "recommendation": "REVIEW",
        "served": True,
        "trigger_type": trigger,
        "as_of": SATURDAY,
        "policy_version": "v1",
        "rationale": {"policy": "v1", "rules": rules},
        "partition": 3,
        "offsets": OFFSETS,
    }


def test_an_instant_is_kept_to_the_microsecond(desk: Desk) -> None:
    image, noon = desk.some_image(), microseconds(SATURDAY)
    requests = [asked(image, "anchor", str(shift), as_of=noon + shift) for shift in range(-3, 1000, 7)]
    desk.ask(*requests)
    times = {row["request_id"]: row["as_of"] for row in desk.answers(requests)}
    assert times == {str(one.request_id): instant(one.as_of) for one in requests}


def test_a_repeated_request_is_decided_once_by_what_it_said_first(desk: Desk) -> None:
    image = desk.some_image()
    first = asked(image, views_5min=1)
    desk.ask(first, first, asked(image, views_5min=2))
    desk.answers([first])
    desk.ask(first, asked(image, views_5min=3, as_of=5), last := asked(image, "viral"))
    desk.answers([last])
    (decision,) = desk.decisions(first)
    assert decision["features"]["views_5min"] == 1


def test_the_facts_about_the_uploader_are_those_of_the_instant(desk: Desk) -> None:
    """Images posted later do not count; those posted before do, deleted since or not, and nobody else's."""
    user, other = desk.user(SATURDAY - timedelta(hours=36)), desk.user(SATURDAY)
    tick = timedelta(microseconds=1)
    image = desk.image(user, SATURDAY - timedelta(hours=1))
    desk.image(user, SATURDAY)
    desk.image(user, SATURDAY - timedelta(days=1), deleted_at=SATURDAY - timedelta(hours=20))
    desk.image(user, SATURDAY - timedelta(days=1), deleted_at=SATURDAY + timedelta(hours=20))
    desk.image(user, SATURDAY + tick)
    desk.image(other, SATURDAY - tick)
    features = desk.answer(asked(image, as_of=microseconds(SATURDAY)))["features"]
    assert (features["user_image_count"], features["user_age_days"]) == (4, 1.5)
    later = desk.answer(asked(image, "anchor", "5", as_of=microseconds(SATURDAY + tick)))["features"]
    assert later["user_image_count"] == 5


def test_images_that_are_deleted_or_unknown_are_passed_over(desk: Desk, scorer: ScorerProcess) -> None:
    now = datetime.now(UTC)
    gone = desk.image(desk.user(now), now, deleted_at=now)
    nothing = [asked(gone), asked(gone, "viral", "x"), asked(2**53 - 1)]
    passed = scorer.metric("scorer_gone_total")
    image = desk.some_image()
    desk.ask(asked(image), *nothing, asked(image, "viral"))
    desk.answers([asked(image), asked(image, "viral")])
    assert desk.decisions(*nothing) == []
    assert scorer.metric("scorer_gone_total") == passed + 3


def test_features_are_stored_in_their_order_and_no_others(desk: Desk) -> None:
    features = desk.answer(asked(desk.some_image()))["features"]
    assert set(features) == set(FEATURES)
    assert len(features) == 29
