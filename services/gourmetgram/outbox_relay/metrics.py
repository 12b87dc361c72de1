"""What the relay tells Prometheus about itself."""

import time
from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from gourmetgram.outbox_relay.batch import OutboxRow

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500)
BATCH_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters of what was published, and how far behind the relay is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.published = Counter("relay_published", "Events published", ["topic"], registry=self.registry)
        self.dead_letters = Counter("relay_dead_letters", "Rows no broker will take", registry=self.registry)
        self.failures = Counter(
            "relay_failures", "Batches rolled back or sessions lost", ["kind"], registry=self.registry
        )
        self.leader = Gauge("relay_leader", "1 while this relay is the one that publishes", registry=self.registry)
        self.batch_rows = Histogram("relay_batch_rows", "Rows in a batch", buckets=BATCH_SIZES, registry=self.registry)
        self.batch_seconds = Histogram(
            "relay_batch_seconds", "From claim to commit of a batch", buckets=BATCH_SECONDS, registry=self.registry
        )
        lag = Gauge("relay_lag_seconds", "Age of the oldest row seen waiting, 0 when none is", registry=self.registry)
        lag.set_function(self._lag)
        self._waiting_since: float | None = None

    def serve(self, listen: str) -> None:
        """Answer on `host:port` from a thread of its own."""
        host, _, port = listen.rpartition(":")
        start_http_server(int(port), host, self.registry)

    def waiting_since(self, created_at: float | None) -> None:
        """The oldest row waiting was written at this unix time; None says that none waits."""
        self._waiting_since = created_at

    def batch_done(self, rows: Iterable[OutboxRow], dead: int, seconds: float) -> None:
        """Count a committed batch."""
        topics = Tally(row.topic for row in rows)
        for topic, number in topics.items():
            self.published.labels(topic).inc(number)
        self.dead_letters.inc(dead)
        self.batch_rows.observe(topics.total() + dead)
        self.batch_seconds.observe(seconds)

    def _lag(self) -> float:
        return 0.0 if self._waiting_since is None else max(0.0, time.time() - self._waiting_since)
