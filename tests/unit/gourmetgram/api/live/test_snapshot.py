"""What the page is told, from what was seen of each source."""

import json
from datetime import UTC, datetime
from typing import Any

from gourmetgram.api.live.figures import Page
from gourmetgram.api.live.snapshot import CONSUMER, RELAY, SCORER, Board, Service, decision_of
from gourmetgram.api.metrics import Waiting
from gourmetgram.core.topics import EVENT_TOPICS, VIEWS


def relay(published: int, lag: float = 0.0) -> Page:
    return Page.parse(
        f'# TYPE relay_published counter\nrelay_published_total{{topic="{VIEWS}"}} {published}\n'
        f"# TYPE relay_lag_seconds gauge\nrelay_lag_seconds {lag}\n"
    )


def consumer(applied: int, lag: int = 0, watermark: float = 0.0) -> Page:
    return Page.parse(
        f'# TYPE consumer_events counter\nconsumer_events_total{{topic="{VIEWS}"}} {applied}\n'
        f'# TYPE consumer_lag gauge\nconsumer_lag{{topic="{VIEWS}"}} {lag}\n'
        f"# TYPE consumer_owed gauge\nconsumer_owed 2\n"
        f"# TYPE consumer_watermark_seconds gauge\nconsumer_watermark_seconds {watermark}\n"
        '# TYPE consumer_requests counter\nconsumer_requests_total{trigger="viral"} 4\n'
        'consumer_requests_total{trigger="brand_new"} 1\n'
    )


SCORES = Page.parse(
    "# TYPE scorer_lag gauge\nscorer_lag 5\n# TYPE scorer_decisions counter\n"
    'scorer_decisions_total{trigger="viral",recommendation="FLAG"} 3\n'
)


def test_a_service_that_is_first_seen_down_was_down_then_or_earlier() -> None:
    service = Service("x").seen("down", 10)
    assert (service.state, service.since, service.since_first_look) == ("down", 10, True)


def test_since_when_is_the_first_of_many_looks_alike() -> None:
    service = Service("x").seen("up", 10).seen("up", 11).seen("down", 12).seen("down", 13).seen("down", 14)
    assert (service.state, service.since, service.since_first_look) == ("down", 12, False)
    assert service.seen("up", 15).since == 15
    assert service.seen("up", 15).seen("down", 16).since == 16


def test_nothing_is_known_before_anything_was_asked() -> None:
    shown = Board().snapshot(5)
    assert {one.state for one in shown.services} == {"unknown"}
    assert [topic.name for topic in shown.topics] == list(EVENT_TOPICS.values())
    assert {topic.published_per_second for topic in shown.topics} == {None}
    assert {(one.requests, one.decisions) for one in shown.triggers} == {(None, None)}
    assert shown.lags.outbox_rows is None


def test_rates_and_lags_of_a_topic() -> None:
    board = Board()
    for second in (1, 2, 3):
        board.scraped(RELAY, relay(10 * second, lag=0.5), second)
        board.scraped(CONSUMER, consumer(4 * second, lag=6 * second, watermark=second - 1), second)
    board.outbox = Waiting(7, 1.5)
    shown = board.snapshot(3.5)
    (views,) = (topic for topic in shown.topics if topic.name == VIEWS)
    assert (views.published_per_second, views.applied_per_second, views.applied, views.lag) == (10, 4, 12, 18)
    lags = shown.lags
    assert (lags.outbox_rows, lags.outbox_seconds, lags.relay_seconds) == (7, 1.5, 0.5)
    assert (lags.consumer_owed, lags.stream_seconds, lags.scorer_requests) == (2, 1.5, None)


def test_a_service_that_is_down_takes_its_figures_along_and_comes_back_without_a_jump() -> None:
    board = Board()
    board.scraped(RELAY, relay(1000), 1)
    board.scraped(RELAY, relay(1000), 2)
    board.scraped(RELAY, None, 3)
    shown = board.snapshot(3)
    assert {topic.published_per_second for topic in shown.topics} == {None}
    assert shown.lags.relay_seconds is None
    board.scraped(RELAY, relay(5), 60)
    board.scraped(RELAY, relay(8), 61)
    (views,) = (topic for topic in board.snapshot(61).topics if topic.name == VIEWS)
    assert views.published_per_second == 3
    (state,) = (one for one in board.snapshot(61).services if one.name == RELAY)
    assert (state.state, state.since) == ("up", 60)


def test_requests_and_decisions_meet_by_trigger_also_one_that_is_new_to_the_page() -> None:
    board = Board()
    board.scraped(CONSUMER, consumer(0), 1)
    board.scraped(SCORER, SCORES, 1)
    found = {one.trigger: (one.requests, one.decisions) for one in board.snapshot(1).triggers}
    assert list(found) == ["upload", "anchor", "viral", "suspicious", "flagged", "brand_new"]
    assert (found["viral"], found["brand_new"], found["upload"]) == ((4, {"FLAG": 3}), (1, {}), (0, {}))


def test_a_snapshot_is_one_line_of_json() -> None:
    row: dict[str, Any] = {
        "id": 1, "created_at": datetime(2026, 1, 2, tzinfo=UTC), "target_id": 9, "trigger_type": "viral",
        "risk_score": 0.2, "recommendation": "SAFE",
        "inference_mode": "heuristic", "model_version": "", "policy_version": "v1",
        "rationale": '{"rules": [{"name": "viral", "points": 0.2, "reason": "two\\nlines"}]}',
    }  # fmt: skip
    board = Board()
    board.decisions = [decision_of(row)]
    text = board.snapshot(1).encode()
    assert "\n" not in text
    (decision,) = json.loads(text)["decisions"]
    assert decision["at"] == 1767312000
    assert decision["grounds"] == [{"name": "viral", "points": 0.2, "reason": "two\nlines"}]
    assert decision["by"] == "rules, policy v1"


def test_of_a_models_reasons_the_weightiest_are_shown() -> None:
    names = ["comments_5min", "views_1hr", "caption_length", "is_weekend", "user_age_days"]
    features = [{"feature": name, "value": 2.0, "log_odds": 3.0 - at} for at, name in enumerate(names)]
    row = {
        "id": 1, "created_at": datetime(2026, 1, 2, tzinfo=UTC), "target_id": 9, "trigger_type": "viral",
        "risk_score": 0.2, "recommendation": "SAFE", "inference_mode": "model", "model_version": "m",
        "policy_version": "v1", "rationale": json.dumps({"model": "m", "features": features}),
    }  # fmt: skip
    decision = decision_of(row)
    assert [ground.points for ground in decision.grounds] == [3.0, 2.0, 1.0]
    assert decision.by == "model m, with the borders of policy v1"
