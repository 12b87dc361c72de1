"""The real process while something around it is away, killed or emptied: it goes on, and counts stay right."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import redis

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults.recount import read_topics
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.stream_consumer.consumers import ConsumerProcess, Traffic, totals
from tests.integration.stream_consumer.redis_state import RedisState
from tests.support.processes import wait_until

MILESTONES = "SELECT count(*) FROM image_milestones WHERE image_id = %s"


@pytest.fixture(scope="module")
def platform(bare_stack: Stack) -> Stack:
    """Broker, PostgreSQL and Redis."""
    bare_stack.up("redis")
    return bare_stack


@pytest.fixture
def state(platform: Stack) -> Iterator[RedisState]:
    state = RedisState(platform)
    yield state
    state.close()


@pytest.fixture(scope="module")
def traffic(platform: Stack) -> Traffic:
    """One for all tests: what one of them sent is still to be there after the next."""
    return Traffic(platform)


@pytest.fixture
def consumer(platform: Stack, tmp_path: Path) -> Iterator[ConsumerProcess]:
    with ConsumerProcess(platform, tmp_path / "consumer.log") as process:
        yield process


def post_images(traffic: Traffic, outbox: OutboxRows, number: int = 6) -> list[int]:
    """New images, with some of everything happening to them."""
    images = [outbox.image() for _ in range(number)]
    for image in images:
        traffic.send("upload", image)
        traffic.send("view", image, 12)
        traffic.send("comment", image, 3)
        traffic.send("flag", image)
    return images


def requests_about(stack: Stack, images: list[int]) -> set[tuple[int, str, str]]:
    records = [one.event for one in read_topics(stack.address("redpanda"), [topics.MODERATION_REQUESTS])]
    return {(one["image_id"], one["trigger"], one["key"]) for one in records if one["image_id"] in images}


def uploads_and_flags(images: list[int]) -> set[tuple[int, str, str]]:
    return {(image, *asked) for image in images for asked in (("upload", "0"), ("flagged", "1"))}


def milestones(outbox: OutboxRows, images: list[int]) -> int:
    return sum(int(outbox.ask(MILESTONES, image)) for image in images)


def nothing_is_owed(state: RedisState) -> bool:
    return state.student.zcard("stream:owed") == 0


def test_what_follows_from_events_arrives_and_is_no_longer_owed(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    images = post_images(traffic, outbox)
    traffic.wait_until_applied(state)
    wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
    assert requests_about(platform, images) == uploads_and_flags(images)
    assert milestones(outbox, images) == len(images)
    wait_until(lambda: consumer.metric("consumer_lag") == 0, "the figure has caught up", 10)
    lines = [json.loads(line) for line in consumer.log().splitlines() if line.startswith("{")]
    told = [line["event"] for line in lines if line.get("image_id") == images[0]]
    assert f"image {images[0]} is to be scored: upload 0" in told
    assert f"image {images[0]} has 10 views" in told


def test_redis_away(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    traffic.wait_until_applied(state)
    platform.stop("redis")
    images = post_images(traffic, outbox)
    traffic.flush()
    wait_until(lambda: consumer.metric("consumer_failures_total") >= 2, "the consumer has tried several times")
    platform.up("redis")
    traffic.wait_until_applied(state)
    wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
    assert requests_about(platform, images) == uploads_and_flags(images)
    assert "Traceback" not in consumer.log()


def test_redis_killed_under_load(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    image = outbox.image()
    for _ in range(3):
        traffic.send("view", image, 700)
        platform.kill("redis")
        traffic.send("view", image, 300)
        platform.up("redis")
    traffic.wait_until_applied(state)


def test_counts_forgotten_while_the_consumer_runs_are_rebuilt(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    """Under load, so that something is counted while something else is deleted."""
    images = [outbox.image() for _ in range(40)]
    stop = threading.Event()

    def load() -> None:
        while not stop.wait(0.05):
            for image in images:
                traffic.send("view", image, 2)

    sender = threading.Thread(target=load)
    sender.start()
    try:
        for _ in range(3):
            done = consumer.metric("consumer_events_total")
            assert "keys deleted" in platform.run("forget-counts")
            wait_until(partial(counts_more_than, consumer, done), "it counts again")
    finally:
        stop.set()
        sender.join()
    traffic.wait_until_applied(state)


def test_counts_forgotten_while_the_consumer_is_stopped_are_rebuilt(
    platform: Stack, traffic: Traffic, state: RedisState, tmp_path: Path
) -> None:
    platform.run("forget-counts")
    assert state.everything() == {}
    with ConsumerProcess(platform, tmp_path / "again.log"):
        traffic.wait_until_applied(state)


def test_postgresql_away(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    image = outbox.image()
    traffic.wait_until_applied(state)
    wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
    outbox.tell("ALTER ROLE stream_consumer NOLOGIN")
    outbox.tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stream_consumer'")
    try:
        traffic.send("view", image, 120)
        traffic.wait_until_applied(state)
        wait_until(lambda: "milestones wait for PostgreSQL" in consumer.log(), "the milestones wait")
        owed = [str(member).split("/") for member in state.value("stream:owed") if "/milestone/" in member]
        assert {number for _, _, _, number, _ in owed} == {"10", "100"}
        assert milestones(outbox, [image]) == 0
    finally:
        outbox.tell("ALTER ROLE stream_consumer LOGIN")
    wait_until(lambda: milestones(outbox, [image]) == 2, "the milestones are written")
    wait_until(lambda: nothing_is_owed(state), "nothing is owed any more")


def test_broker_away(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, consumer: ConsumerProcess
) -> None:
    post_images(traffic, outbox)
    traffic.wait_until_applied(state)
    platform.stop("redpanda")
    platform.up("redpanda")
    images = post_images(traffic, outbox)
    traffic.wait_until_applied(state)
    wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
    assert requests_about(platform, images) == uploads_and_flags(images)


def test_requests_that_were_owed_are_sent_by_the_next_process(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, tmp_path: Path
) -> None:
    """Killed after Redis applied a batch and before anything was said to the broker: what a state by hand shows."""
    with ConsumerProcess(platform, tmp_path / "first.log") as first:
        (image,) = post_images(traffic, outbox, 1)
        traffic.wait_until_applied(state)
        wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
        first.kill()
    (asked,) = [key for key in state.student.scan_iter("request:*") if is_about(state, key, image, "upload")]
    frozen = state.value(asked)
    before = len(read_topics(platform.address("redpanda"), [topics.MODERATION_REQUESTS]))
    outbox.tell("DELETE FROM image_milestones WHERE image_id = %s", image)
    gone = UUID(int=5)
    partition = frozen["partition"]
    members = [f"request/{asked[8:]}", f"request/{gone}", f"milestone/{image}/10/1700000000000000"]
    state.consumer.zadd("stream:owed", {f"{partition}/{member}": 1 for member in members})
    with ConsumerProcess(platform, tmp_path / "second.log"):
        wait_until(lambda: nothing_is_owed(state), "nothing is owed any more")
    again = [one.event for one in read_topics(platform.address("redpanda"), [topics.MODERATION_REQUESTS])]
    assert len(again) == before + 1  # that of a deleted image is not sent: there is nothing to send
    (sent, *_) = [one for one in reversed(again) if one["request_id"] == asked[8:]]
    assert sent["counts"] == {name: int(frozen[name]) for name in sent["counts"]}
    assert sent["offsets"] == {name: int(frozen[f"offset:{name}"]) for name in sent["offsets"]}
    assert f"{sent['as_of'] / 1e6:.6f}" == frozen["as_of"]
    assert milestones(outbox, [image]) == 1


def counts_more_than(consumer: ConsumerProcess, number: float) -> bool:
    return consumer.metric("consumer_events_total") > number


def is_about(state: RedisState, key: str, image: int, trigger: str) -> bool:
    return state.student.hmget(key, "image_id", "trigger") == [str(image), trigger]


def test_two_consumers_share_the_partitions_and_one_takes_over(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, tmp_path: Path
) -> None:
    group = {"CONSUMER_GROUP": "of-two"}
    first = ConsumerProcess(platform, tmp_path / "first.log", **group)
    second = ConsumerProcess(platform, tmp_path / "second.log", CONSUMER_INSTANCE="2", **group)
    with first, second:
        wait_until(lambda: len(partitions(first)) == len(partitions(second)) == 3, "each reads three partitions")
        assert partitions(first) | partitions(second) == set(range(6))
        images = post_images(traffic, outbox, 30)
        traffic.wait_until_applied(state)
        assert first.metric("consumer_events_total") > 0
        assert second.metric("consumer_events_total") > 0
        first.kill()
        images += post_images(traffic, outbox, 30)
        wait_until(lambda: partitions(second) == set(range(6)), "the other has taken over", 60)
        traffic.wait_until_applied(state)
        wait_until(lambda: nothing_is_owed(state), "everything owed has arrived")
    assert requests_about(platform, images) == uploads_and_flags(images)


def partitions(process: ConsumerProcess) -> set[int]:
    """What a process has last said that it reads."""
    lines = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    said = [line["partitions"] for line in lines if line["event"] == "reading"]
    return set(said[-1]) if said else set()


@pytest.mark.parametrize("away", [(), ("redis",), ("redpanda",), ("redis", "redpanda")])
def test_it_ends_soon_when_asked(platform: Stack, traffic: Traffic, tmp_path: Path, away: tuple[str, ...]) -> None:
    """Compose kills what has not ended after ten seconds."""
    with ConsumerProcess(platform, tmp_path / "consumer.log") as consumer:
        wait_until(lambda: partitions(consumer) == set(range(6)), "it reads")
        for service in away:
            platform.stop(service)
        try:
            if away:
                wait_until(lambda: "trying again" in consumer.log() or "redis" not in away, "it has noticed")
            assert consumer.stop(8) == 0
        finally:
            platform.up("redis", "redpanda")


def test_topics_that_are_shorter_than_what_was_applied_are_refused(
    platform: Stack, traffic: Traffic, state: RedisState, tmp_path: Path
) -> None:
    """The topics were made anew. Its counts belong to others: it does not mix them, and says what to do."""
    place, end = max(traffic.ends.items(), key=lambda item: item[1])
    state.consumer.hset("stream:offsets", place, end + 1000)
    before = totals(state)
    with ConsumerProcess(platform, tmp_path / "consumer.log") as consumer:
        expected = f"{place} ends at offset {end}, but {end + 1000} were applied"
        wait_until(lambda: expected in consumer.log(), "it has refused")
        assert "run forget-counts" in consumer.log()
        assert totals(state) == before
        assert consumer.stop() == 0
    platform.run("forget-counts")
    with ConsumerProcess(platform, tmp_path / "again.log"):
        traffic.wait_until_applied(state)


def test_counts_of_another_version_are_refused_and_nothing_is_counted(
    platform: Stack, traffic: Traffic, state: RedisState, outbox: OutboxRows, tmp_path: Path
) -> None:
    state.consumer.set("stream:layout", 99)
    traffic.send("view", outbox.image(), 5)
    before = totals(state)
    with ConsumerProcess(platform, tmp_path / "consumer.log") as consumer:
        wait_until(lambda: "The counts in Redis are of layout 99" in consumer.log(), "it has refused")
        assert "run forget-counts" in consumer.log()
        assert totals(state) == before
        platform.run("forget-counts")  # it waits, and goes on by itself
        traffic.wait_until_applied(state)


def test_a_redis_that_refuses_the_password_is_waited_for(platform: Stack, tmp_path: Path) -> None:
    wrong = f"redis://stream_consumer:wrong@{platform.address('redis')}/0"
    with ConsumerProcess(platform, tmp_path / "consumer.log", REDIS_URL=wrong) as consumer:
        wait_until(lambda: "AuthenticationError" in consumer.log(), "it says so")
        assert consumer.runs
        assert "wrong" not in consumer.log().replace("invalid username-password pair", "")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(wrong).ping()
