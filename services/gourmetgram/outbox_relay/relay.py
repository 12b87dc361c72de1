"""The relay's loop: lead, then claim, publish and commit one batch after the other; on any failure start over."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing

import psycopg2
import structlog

from gourmetgram.core import topics
from gourmetgram.core.backoff import Backoff
from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.outbox_relay.batch import OutboxRow, dead_letter, divide, oldest, record, views_by_image
from gourmetgram.outbox_relay.metrics import Metrics
from gourmetgram.outbox_relay.outbox import Outbox
from gourmetgram.outbox_relay.pace import Pace
from gourmetgram.outbox_relay.publisher import Publisher

log = structlog.get_logger("outbox_relay")


class Relay:
    """Publishes what is in the outbox for as long as it leads, through failures of both sides, until told to stop."""

    def __init__(
        self,
        *,
        open_outbox: Callable[[], Outbox],
        open_publisher: Callable[[], Publisher],
        metrics: Metrics,
        pace: Pace,
        backoff: Backoff,
        poll_seconds: float,
    ) -> None:
        self._open_outbox = open_outbox
        self._open_publisher = open_publisher
        self._metrics = metrics
        self._pace = pace
        self._backoff = backoff
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End `run` after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until stopped. There is no limit on attempts: the rows wait in PostgreSQL however long it takes."""
        while not self._stopping.is_set():
            try:
                self._serve()
            except (psycopg2.Error, BrokerUnavailable) as failure:
                self._rest_after(failure)

    def _serve(self) -> None:
        with closing(self._open_outbox()) as outbox:
            if not self._await_leadership(outbox):
                return
            publisher = self._open_publisher()
            try:
                self._lead(outbox, publisher)
            finally:
                publisher.discard()
                self._metrics.leader.set(0)

    def _await_leadership(self, outbox: Outbox) -> bool:
        while not outbox.lead():
            self._metrics.waiting_since(None)  # what waits is the leader's lag, not ours
            self._backoff.reset()
            if self._stopping.wait(self._poll_seconds * (0.5 + random.random())):  # noqa: S311 - not a secret
                return False
        log.info("leading")
        return True

    def _lead(self, outbox: Outbox, publisher: Publisher) -> None:
        self._metrics.leader.set(1)
        self._metrics.waiting_since(outbox.oldest())
        publisher.require_topics(topics.ALL)
        while not self._stopping.is_set():
            started = time.monotonic()
            rows = outbox.claim(self._pace.batch_limit)
            self._metrics.waiting_since(oldest(rows))
            if rows:
                self._publish(outbox, publisher, rows, started)
            self._backoff.reset()
            if rows:
                self._stopping.wait(self._pace.rest_after(len(rows), time.monotonic() - started))
            else:
                outbox.wait(self._poll_seconds)

    def _publish(self, outbox: Outbox, publisher: Publisher, rows: Sequence[OutboxRow], started: float) -> None:
        good, bad = divide(rows, topics.ALL)
        refused = publisher.publish([record(row) for row in good])
        bad += [(good[position], reason) for position, reason in refused.items()]
        if bad:
            self._bury(publisher, bad)
        outbox.commit(views_by_image(rows, topics.VIEWS))
        sent = [row for position, row in enumerate(good) if position not in refused]
        self._metrics.batch_done(sent, len(bad), time.monotonic() - started)

    def _bury(self, publisher: Publisher, bad: Sequence[tuple[OutboxRow, str]]) -> None:
        for row, reason in bad:
            log.error("dead letter", outbox_id=row.id, topic=row.topic, key=row.key, reason=reason)
        refused = publisher.publish([dead_letter(row, reason, topics.DEAD_LETTERS) for row, reason in bad])
        if refused:
            raise BrokerUnavailable(f"{topics.DEAD_LETTERS} does not take dead letters: {next(iter(refused.values()))}")

    def _rest_after(self, failure: Exception) -> None:
        kind = "broker" if isinstance(failure, BrokerUnavailable) else "postgres"
        seconds = self._backoff.after_failure(random.random())  # noqa: S311 - spreads retries, not a secret
        self._metrics.failures.labels(kind).inc()
        log.warning("trying again", kind=kind, reason=str(failure).strip(), wait_seconds=round(seconds, 2))
        self._stopping.wait(seconds)
