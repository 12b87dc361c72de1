"""The scorer's loop: read requests, look up the facts, decide, commit, and only then go on."""

import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing

import msgspec
import psycopg2
import structlog
from confluent_kafka import KafkaException

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.moderation import ModerationRequest, decode_request
from gourmetgram.core.policy import Policy
from gourmetgram.risk_scoring.database import Database
from gourmetgram.risk_scoring.metrics import Metrics
from gourmetgram.risk_scoring.requests import DeadLetters, Raw, RequestLog
from gourmetgram.risk_scoring.scoring import Decision, Subject, decide
from gourmetgram.risk_scoring.serving import Serving

log = structlog.get_logger("risk_scoring")

POLL_SECONDS = 0.2
LAG_SECONDS = 1.0


class Scorer:
    """Decides each request once, through failures of everything around it, until told to stop."""

    def __init__(
        self,
        *,
        open_log: Callable[[], RequestLog],
        open_database: Callable[[], Database],
        dead_letters: DeadLetters,
        policy: Policy,
        serving: Callable[[], Serving],
        metrics: Metrics,
        backoff: Backoff,
        batch_limit: int,
    ) -> None:
        self._open_log = open_log
        self._open_database = open_database
        self._dead_letters = dead_letters
        self._policy = policy
        self._serving = serving
        self._metrics = metrics
        self._backoff = backoff
        self._batch_limit = batch_limit
        self._stopping = threading.Event()
        self._lag_at = 0.0

    def stop(self) -> None:
        """End `run` after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Score until stopped. There is no limit on attempts: the requests wait in their topic."""
        while not self._stopping.is_set():
            try:
                with closing(self._open_database()) as database, closing(self._open_log()) as requests:
                    log.info("scoring", policy=self._policy.version)
                    self._serve(requests, database)
            except (psycopg2.Error, BrokerUnavailable, KafkaException) as failure:
                self._rest_after(failure)

    def _serve(self, requests: RequestLog, database: Database) -> None:
        while not self._stopping.is_set():
            records = requests.poll(self._batch_limit, POLL_SECONDS)
            began = time.monotonic()
            if records:
                decided = self._decide(records, database)
                self._metrics.batch_records.observe(len(records))
                self._metrics.batch_seconds.observe(time.monotonic() - began)
                self._report(*decided)
                requests.done(records)
            self._backoff.reset()
            if began - self._lag_at >= LAG_SECONDS:
                self._lag_at = began
                self._metrics.lag.set(requests.lag())

    def _decide(self, records: Sequence[Raw], database: Database) -> tuple[list[Decision], set[str]]:
        """Commit the decisions; return them, and the ids of the requests that had none that is served before."""
        requests = self._readable(records)
        subjects, seen = database.subjects(requests) if requests else ([], None)
        decisions = decide(self._known(requests, subjects), self._policy, self._serving())
        return decisions, database.store(decisions, seen) if decisions else set()

    def _report(self, decisions: Sequence[Decision], new: Collection[str]) -> None:
        for decision in decisions:
            if not decision.served:
                self._metrics.unheard.inc()
            elif str(decision.request.request_id) in new:
                self._metrics.decided(decision)
                _tell(decision)
            else:
                self._metrics.repeated.inc()

    def _readable(self, records: Sequence[Raw]) -> list[ModerationRequest]:
        """The requests of a batch, each id once. What is none gets a dead letter."""
        requests: dict[object, ModerationRequest] = {}
        for record in records:
            try:
                request = decode_request(record.value)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.error("dead letter", partition=record.partition, offset=record.offset, reason=str(error))
                self._dead_letters.bury(record, f"not a request: {error}")
                self._metrics.dead_letters.inc()
                continue
            requests.setdefault(request.request_id, request)
        return list(requests.values())

    def _known(
        self, requests: Sequence[ModerationRequest], subjects: Sequence[Subject | None]
    ) -> list[tuple[ModerationRequest, Subject]]:
        known = []
        for request, subject in zip(requests, subjects, strict=True):
            if subject:
                known.append((request, subject))
            else:
                self._metrics.gone.inc()
                log.info(
                    f"image {request.image_id} is gone, nothing to decide",
                    image_id=request.image_id,
                    request_id=str(request.request_id),
                )
        return known

    def _rest_after(self, failure: Exception) -> None:
        seconds = self._backoff.after_failure(random.random())  # noqa: S311 - spreads retries, not a secret
        kind = type(failure).__name__
        self._metrics.failures.labels(kind).inc()
        log.warning("trying again", kind=kind, reason=str(failure).strip(), wait_seconds=round(seconds, 2))
        self._stopping.wait(seconds)


def _tell(decision: Decision) -> None:
    """What a person who reads the log wants to see."""
    request = decision.request
    log.info(
        f"{decision.recommendation} image {request.image_id}, risk {decision.risk_score:.2f} ({request.trigger}): "
        f"{decision.why}",
        image_id=request.image_id,
        request_id=str(request.request_id),
        trigger=request.trigger,
        risk_score=decision.risk_score,
        recommendation=decision.recommendation,
    )
