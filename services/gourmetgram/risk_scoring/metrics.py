"""What the scorer tells Prometheus about itself."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from gourmetgram.risk_scoring.scoring import Decision
from gourmetgram.risk_scoring.serving import Serving

SECONDS = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)
SIZES = (1, 2, 5, 10, 20, 50, 100)


class Metrics:
    """Counters of decisions, and how long they take."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.decisions = Counter(
            "scorer_decisions", "Decisions committed", ["trigger", "recommendation"], registry=registry
        )
        self.unheard = Counter(
            "scorer_unheard",
            "Decisions that are not served: the model's in shadow, the rules' beside it",
            registry=registry,
        )
        self.repeated = Counter("scorer_repeated", "Requests that were decided before", registry=registry)
        self.gone = Counter("scorer_gone", "Requests about images that are deleted or unknown", registry=registry)
        self.dead_letters = Counter("scorer_dead_letters", "Records that are no request", registry=registry)
        self.failures = Counter("scorer_failures", "Times it had to start over", ["kind"], registry=registry)
        self.refusals = Counter(
            "scorer_deployment_failures", "Times that no model or mode could be taken over", registry=registry
        )
        self._serving = Gauge("scorer_serving", "Who decides", ["mode", "model_version"], registry=registry)
        self.lag = Gauge("scorer_lag", "Requests not yet decided", registry=registry)
        self.batch_records = Histogram("scorer_batch_records", "Requests at once", buckets=SIZES, registry=registry)
        self.batch_seconds = Histogram(
            "scorer_batch_seconds", "From requests read to decisions committed", buckets=SECONDS, registry=registry
        )

    def serve(self, listen: str) -> None:
        """Answer on `host:port` from a thread of its own."""
        host, _, port = listen.rpartition(":")
        start_http_server(int(port), host, self.registry)

    def serving(self, serving: Serving) -> None:
        """Say who decides from now on."""
        self._serving.clear()
        self._serving.labels(serving.mode, serving.model.version if serving.model else "").set(1)

    def decided(self, decision: Decision) -> None:
        """Count a decision."""
        self.decisions.labels(decision.request.trigger, decision.recommendation).inc()
