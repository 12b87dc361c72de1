"""The scorer alone: a pile of requests for moderation, then two hundred a second."""

import time
from collections.abc import Iterator
from itertools import count

from confluent_kafka import Producer

from gourmetgram.core import topics
from gourmetgram.core.broker import PRODUCER
from gourmetgram.core.moderation import encode_request
from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.prometheus import Metrics
from tests.support.database import superuser_rows
from tests.support.processes import wait_until
from tests.support.requests import asked

USERS, IMAGES = 1000, 5000
PILE = 20_000
PER_SECOND = 200
STEADY_SECONDS = 10
WARM_UP_SECONDS = 2

LEAST_RATE = 2000
MOST_P50, MOST_P99 = 1, 2

WORLD = f"""
INSERT INTO users (username, tos_version_accepted, tos_accepted_at, country_of_residence, created_at)
SELECT 'bench-' || number, 1, now(), 'IT', now() - number * interval '1 hour'
FROM generate_series(1, {USERS}) AS number;
INSERT INTO images (user_id, s3_url, source, caption, category, created_at)
SELECT 1 + number %% {USERS}, 's3://nowhere', 'user_upload', 'Soup', 'Soup', now() - number * interval '1 minute'
FROM generate_series(1, {IMAGES}) AS number;
ANALYZE users, images;
"""


def figures(stack: Stack) -> Iterator[Figure]:
    """About half a minute."""
    stack.up("topics-init", "migrate")
    with superuser_rows(stack) as rows:
        rows(WORLD)
    desk = Desk(stack.address("redpanda"))
    desk.ask(PILE)
    stack.up("risk_scoring_service")
    url = stack.url("scorer")
    yield _pile(url)
    desk.ask_steadily(WARM_UP_SECONDS)
    before = Metrics.of(url)
    desk.ask_steadily(STEADY_SECONDS)
    yield from _steady(before, Metrics.of(url))


class Desk:
    """Asks about one image after the other."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer({**PRODUCER, "bootstrap.servers": servers, "linger.ms": 0})
        self._numbers = count()

    def ask(self, number: int) -> None:
        """Put requests into their topic, and wait until they are there."""
        for _ in range(number):
            self._ask_one()
        assert self._producer.flush(30) == 0, "the broker does not take the requests"

    def ask_steadily(self, seconds: float) -> None:
        """PER_SECOND requests a second, one by one."""
        began = time.monotonic()
        for position in range(int(PER_SECOND * seconds)):
            time.sleep(max(0.0, began + position / PER_SECOND - time.monotonic()))
            self._ask_one()
            self._producer.poll(0)
        assert self._producer.flush(30) == 0, "the broker does not take the requests"

    def _ask_one(self) -> None:
        number = next(self._numbers)
        request = asked(1 + number % IMAGES, "flagged", str(number), views_5min=number % 200, total_flags=number % 3)
        self._producer.produce(topics.MODERATION_REQUESTS, encode_request(request), str(request.image_id))


def _pile(url: str) -> Figure:
    """From the first decisions to the last ones, so that the start of the service does not count."""
    samples = [(time.monotonic(), Metrics.of(url))]

    def is_done() -> bool:
        samples.append((time.monotonic(), Metrics.of(url)))
        return _decided(samples[-1][1]) >= PILE

    wait_until(is_done, "the pile is decided", seconds=120)
    began, first = next(sample for sample in samples if _decided(sample[1]) > 0)
    ended, last = samples[-1]
    size = last.values["scorer_batch_records_sum"] / last.values["scorer_batch_records_count"]
    rate = (_decided(last) - _decided(first)) / (ended - began)
    used = last.since(first, "process_cpu_seconds_total") / (_decided(last) - _decided(first))
    note = f"{size:.0f} in a transaction, {used * 1e6:.0f} µs of the scorer's processor time each"
    return Figure("scoring, from a pile", rate, "/s", LEAST_RATE, note=note)


def _decided(metrics: Metrics) -> float:
    return metrics.values.get("scorer_decisions_total", 0)


def _steady(before: Metrics, after: Metrics) -> Iterator[Figure]:
    size = after.since(before, "scorer_batch_records_sum") / after.since(before, "scorer_batch_records_count")
    what = f"scoring at {PER_SECOND}/s, request read to decision committed"
    p50, p99 = (1000 * after.quantile_since(before, "scorer_batch_seconds", share) for share in (0.5, 0.99))
    yield Figure(f"{what}: p50", p50, "ms", MOST_P50, "at most", f"{size:.1f} requests at once; includes one fsync")
    yield Figure(f"{what}: p99", p99, "ms", MOST_P99, "at most")
