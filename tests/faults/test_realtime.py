"""Promises 2, 3 and 5: counted once, decided once, by counts that can be recomputed, whoever is killed and whenever.

What must have come of it is recounted from the topics in plain Python (`realtime_model.py`).
"""

import os
from collections import Counter

import pytest

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.incidents import Incidents
from tests.faults.realtime_model import (
    COUNTED,
    EXACT,
    MINUTE,
    RETAINED,
    WINDOWS,
    Image,
    recommendation,
    risk,
)
from tests.faults.realtime_run import Aftermath, Decision, Load, live_through

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
EVENTS = int(os.environ.get("FAULTS_EVENTS", "100000"))
WRITES = int(os.environ.get("FAULTS_API_WRITES", "6000"))
KILLS_EACH = int(os.environ.get("FAULTS_KILLS_EACH", "2"))
VICTIMS = ("stream_consumer", "risk_scoring_service", "redis", "redpanda", "outbox_relay")
TOGETHER = (
    ("redpanda", "stream_consumer"),
    ("redis", "stream_consumer", "risk_scoring_service", "outbox_relay"),
    ("time travel",),
)

Questions = set[tuple[int, str]]
"""Image and request id."""


@pytest.fixture(scope="module")
def load(new_stack: Stack) -> Load:
    incidents = Incidents.drawn(new_stack, SEED, KILLS_EACH, VICTIMS, TOGETHER)
    return live_through(new_stack, SEED, EVENTS, WRITES, incidents)


@pytest.fixture(scope="module")
def after(new_stack: Stack, load: Load) -> Aftermath:
    return Aftermath.of(new_stack)


@pytest.fixture(scope="module")
def replayed(new_stack: Stack, after: Aftermath) -> Aftermath:
    """The same again after everything in Redis was forgotten and counted anew from the topics."""
    print(new_stack.run("forget-counts"))
    new_stack.up("stream_consumer")
    return Aftermath.of(new_stack)


def test_the_load_was_what_it_claims_to_be(load: Load, after: Aftermath) -> None:
    """Otherwise the tests below would prove little."""
    written = load.sent.events + len(load.ledger.entries)
    assert written >= EVENTS
    assert after.model.distinct > 0.99 * EVENTS
    assert after.model.repeated >= load.sent.duplicates > EVENTS / 100
    killed = Counter(load.incidents.killed)
    assert all(killed[victim] >= KILLS_EACH for victim in VICTIMS)
    lost = load.incidents.lost
    assert lost >= 1000, "Redis did not go back in time"
    deleted = {image.id for image in after.model.images.values() if image.deleted}
    assert set(load.sent.deleted) <= deleted
    triggers = Counter(decision.trigger for decision in after.decisions)
    assert min(triggers[name] for name in ("upload", "anchor", "viral", "suspicious", "flagged")) >= 20, triggers


# ---- counted once


def test_everything_is_applied_and_nothing_is_owed(after: Aftermath) -> None:
    assert dict(after.redis.offsets) == dict(after.ends)


def test_totals_equal_a_recount(after: Aftermath) -> None:
    expected = {
        f"image:{image.id}:total_{kind}s": number
        for image in after.model.alive
        for kind, number in image.totals().items()
        if number
    }
    assert after.redis.totals == expected


def test_windows_hold_exactly_the_events_of_the_last_65_minutes(after: Aftermath) -> None:
    """They may still hold older ones, where nothing has happened since."""
    since = max(after.redis.watermarks.values()) - RETAINED
    everything = {
        f"image:{image.id}:{kind}s": {event.id: event.at for event in image.live(kind)}
        for image in after.model.alive
        for kind in COUNTED
    }
    recent = {key: {one: at for one, at in events.items() if at > since} for key, events in everything.items()}
    assert after.redis.recent(since) == {key: events for key, events in recent.items() if events}
    for key, events in after.redis.windows.items():
        assert events.items() <= everything[key].items(), key


def test_images_are_described_and_deleted_ones_leave_a_tombstone_only(after: Aftermath) -> None:
    described = {
        f"image:{image.id}:metadata": {
            "user_id": str(upload.content["user_id"]),
            "uploaded_at": f"{upload.at // 1_000_000}.{upload.at % 1_000_000:06}",
            "caption_length": str(upload.content["caption_length"]),
            "category": upload.content["category"],
        }
        for image in after.model.alive
        if (upload := image.upload)
    }
    assert after.redis.metadata == described
    deleted = {image.id for image in after.model.images.values() if image.deleted}
    assert after.redis.tombstones == {f"image:{number}:deleted" for number in deleted}
    assert deleted == {image.id for image in after.images.values() if image.deleted}


def test_milestones_equal_a_recount(after: Aftermath) -> None:
    """Those of images that were deleted may have come in time or not."""
    possible = {
        (image.id, number): at for image in after.model.images.values() for number, at in image.milestones().items()
    }
    deleted = {image.id for image in after.model.images.values() if image.deleted}
    certain = {key: at for key, at in possible.items() if key[0] not in deleted}
    assert certain.items() <= after.milestones.items() <= possible.items()


def test_unusable_records_are_dead_letters_with_their_reasons(load: Load, after: Aftermath) -> None:
    letters = {(one["topic"], one["partition"], one["offset"]): one["reason"] for one in after.letters}
    planted = {(one.topic, partition, offset): one.reason for one, partition, offset in load.sent.unusable}
    assert len(planted) >= 50
    assert letters.keys() == planted.keys()
    for place, reason in planted.items():
        assert reason in letters[place], place


# ---- decided once


def asked(after: Aftermath) -> Questions:
    return {(one["image_id"], one["request_id"]) for one in after.requests}


def test_requests_equal_a_recount(after: Aftermath) -> None:
    """Those about images that were deleted may have come in time or not."""
    certain = {(image.id, question) for image in after.model.alive for question in after.questions[image.id]}
    possible = {(image, question) for image, questions in after.questions.items() for question in questions}
    assert certain - asked(after) == set()
    assert asked(after) - possible == set()


def test_anchors_that_are_not_due_wait(after: Aftermath) -> None:
    waiting = {
        f"{image.id}/{minutes}": upload.at + minutes * MINUTE
        for image in after.model.alive
        for upload in image.live("upload")
        for minutes in (5, 30)
        if upload.at + minutes * MINUTE > after.redis.watermarks[upload.partition]
    }
    assert after.redis.due == waiting
    assert waiting


def test_no_request_is_decided_twice_and_none_is_missing(after: Aftermath) -> None:
    decided = Counter(decision.request_id for decision in after.decisions)
    assert set(decided.values()) == {1}
    assert all(decision.served for decision in after.decisions)
    wanted = {question for image, question in asked(after) if not after.images[image].deleted}
    assert wanted - decided.keys() == set()
    assert decided.keys() - {question for _, question in asked(after)} == set()


def test_a_decision_is_as_of_the_instant_that_its_question_is_about(after: Aftermath) -> None:
    """Unless that is too long ago for its windows to be known: then it is as of the earliest instant that is."""
    moved = 0
    for decision in after.decisions:
        image = after.model.images[decision.image_id]
        instant = after.questions[image.id][decision.request_id]
        if decision.as_of != instant:
            moved += 1
            assert not is_young(image, decision), decision
            assert instant < decision.as_of <= decision.decided_at - EXACT, decision
    assert moved < len(after.decisions) / 2


def is_young(image: Image, decision: Decision) -> bool:
    """Whether the consumer knew that nothing of the image was old enough to have been forgotten."""
    upload = image.upload
    return (
        upload is not None and upload.offset < decision.applied["upload"] and upload.at > decision.decided_at - RETAINED
    )


# ---- the same features online and offline


def test_counts_of_every_decision_equal_a_recount_below_its_offsets(after: Aftermath) -> None:
    different = []
    for decision in after.decisions:
        expected = after.model.images[decision.image_id].counts(decision.as_of, decision.applied)
        counted = {name: decision.features[name] for name in (*WINDOWS, "total_flags")}
        if counted != expected:
            different.append((decision.image_id, decision.trigger, decision.as_of, counted, expected))
    assert not different, f"{len(different)} of {len(after.decisions)}: {different[:5]}"


def test_facts_of_every_decision_are_those_of_its_instant(after: Aftermath) -> None:
    posted: dict[int, list[int]] = {}
    for stored in after.images.values():
        posted.setdefault(stored.user_id, []).append(stored.created_at)
    for decision in after.decisions:
        stored = after.images[decision.image_id]
        features = decision.features
        assert features["time_since_upload_seconds"] == pytest.approx((decision.as_of - stored.created_at) / 1e6)
        assert stored.deleted or features["caption_length"] == stored.caption_length  # texts are deleted with the image
        assert features["user_image_count"] == sum(at <= decision.as_of for at in posted[stored.user_id])


def test_every_decision_follows_from_its_features_by_the_rules(after: Aftermath) -> None:
    for decision in after.decisions:
        score, rules = risk(decision.features)
        assert decision.risk_score == score, decision
        assert [rule["name"] for rule in decision.rationale["rules"]] == rules, decision
        assert decision.recommendation == recommendation(score, decision.features["total_flags"] > 0), decision


def test_every_decision_says_which_partition_it_is_from(after: Aftermath) -> None:
    for decision in after.decisions:
        image = after.model.images[decision.image_id]
        assert {event.partition for events in image.events.values() for event in events} == {decision.partition}
        assert decision.offsets.keys() == set(topics.EVENT_TOPICS.values())


# ---- counted anew from the topics


def test_a_replay_gives_the_same_counts(after: Aftermath, replayed: Aftermath) -> None:
    since = max(replayed.redis.watermarks.values()) - RETAINED
    assert replayed.redis.totals == after.redis.totals
    assert replayed.redis.recent(since) == after.redis.recent(since)
    assert replayed.redis.metadata == after.redis.metadata
    assert replayed.redis.tombstones == after.redis.tombstones
    assert replayed.redis.offsets == after.redis.offsets


def test_a_replay_asks_nothing_new_and_decides_nothing_again(after: Aftermath, replayed: Aftermath) -> None:
    """But for anchors that have come due since."""
    alive = {image.id for image in after.model.alive}
    questions = {(image.id, one) for image in replayed.model.alive for one in replayed.questions[image.id]}
    came_due = questions - asked(after)
    assert {question for question in asked(replayed) - asked(after) if question[0] in alive} == came_due
    assert replayed.decisions[: len(after.decisions)] == after.decisions
    new = {decision.request_id for decision in replayed.decisions[len(after.decisions) :]}
    assert new == {question for _, question in came_due}
    assert {key for key in replayed.milestones.items() - after.milestones.items() if key[0][0] in alive} == set()
    assert after.milestones.items() <= replayed.milestones.items()
