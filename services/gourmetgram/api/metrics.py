"""Counters and times of the API, added up over its workers, and what waits in the outbox."""

import os
from collections.abc import Iterable
from typing import Final, NamedTuple

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter("api_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("api_request_seconds", "Time to answer, in seconds", ["method", "route"], buckets=BUCKETS)


class Waiting(NamedTuple):
    """Events in the outbox that the relay has not published yet, and the age of the oldest in seconds (0 without)."""

    rows: int
    seconds: float


class _Outbox(Collector):
    """The outbox at this moment. No Gauge, because that would be kept per worker and added up."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Both figures."""
        rows, seconds = self._waiting
        yield GaugeMetricFamily("api_outbox_rows", "Events waiting in the outbox", rows)
        yield GaugeMetricFamily("api_outbox_oldest_seconds", "Age of the oldest of them, 0 when none waits", seconds)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)


def render(waiting: Waiting | None) -> Response:
    """The figures of all workers in Prometheus' text format; None leaves out those of the outbox."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REQUESTS)
        registry.register(SECONDS)
    if waiting is not None:
        registry.register(_Outbox(waiting))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
