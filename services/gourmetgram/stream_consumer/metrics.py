"""What the stream consumer tells Prometheus about itself."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from gourmetgram.stream_consumer.state import Outcome

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500)
BATCH_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """Counters of what was applied and what followed, and how far behind the consumer is."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.events = Counter("consumer_events", "Records read and applied", ["topic"], registry=registry)
        self.duplicates = Counter("consumer_duplicates", "Events whose id was applied before", registry=registry)
        self.repeated = Counter("consumer_repeated", "Records below the stored offset", registry=registry)
        self.late = Counter("consumer_late", "Events too old for any window; totals count them", registry=registry)
        self.skipped = Counter("consumer_skipped", "Events of test accounts or deleted images", registry=registry)
        self.dead_letters = Counter("consumer_dead_letters", "Records that are no event", registry=registry)
        self.requests = Counter("consumer_requests", "Requests for moderation", ["trigger"], registry=registry)
        self.milestones = Counter("consumer_milestones", "Milestones reached", registry=registry)
        self.failures = Counter("consumer_failures", "Times it had to start over", ["kind"], registry=registry)
        self.lag = Gauge("consumer_lag", "Records not yet applied", ["topic"], registry=registry)
        self.owed = Gauge("consumer_owed", "Requests and milestones not yet delivered", registry=registry)
        self.watermark = Gauge(
            "consumer_watermark_seconds", "Stream time of the partition furthest behind, unix time", registry=registry
        )
        self.batch_records = Histogram(
            "consumer_batch_records", "Records in a batch", buckets=BATCH_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "consumer_batch_seconds", "From records read to counts applied", buckets=BATCH_SECONDS, registry=registry
        )

    def serve(self, listen: str) -> None:
        """Answer on `host:port` from a thread of its own."""
        host, _, port = listen.rpartition(":")
        start_http_server(int(port), host, self.registry)

    def applied(self, events: Mapping[str, int], outcome: Outcome) -> None:
        """Count what a call to Redis did; `events` are records by topic."""
        for topic, number in events.items():
            self.events.labels(topic).inc(number)
        for request in outcome.requests:
            self.requests.labels(request.trigger).inc()
        self.milestones.inc(len(outcome.milestones))
        self.duplicates.inc(outcome.duplicates)
        self.repeated.inc(outcome.repeated)
        self.late.inc(outcome.late)
        self.skipped.inc(outcome.skipped)
        self.owed.set(outcome.owed)
        if outcome.watermarks:
            self.watermark.set(min(time for _, time in outcome.watermarks) / 1e6)

    def behind(self, lag: Mapping[str, int]) -> None:
        """How many records of each topic are not yet applied."""
        for topic, number in lag.items():
            self.lag.labels(topic).set(number)
