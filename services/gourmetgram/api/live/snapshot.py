"""What /live shows at one instant, put together from what was seen last of each source.

Nothing here asks a clock or a network: times are unix seconds, and come in as arguments.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
import orjson

from gourmetgram.api.live.figures import Page, Rates
from gourmetgram.api.metrics import Waiting
from gourmetgram.api.signals import Ground, decided_by, grounds_of
from gourmetgram.core.moderation import TRIGGERS
from gourmetgram.core.topics import EVENT_TOPICS

State = Literal["up", "down", "off", "unknown"]
"""`off`: not part of this stack; `unknown`: not yet asked."""

API, POSTGRES, STORAGE, KAFKA = "API", "PostgreSQL", "object storage", "Kafka"
RELAY, CONSUMER, SCORER = "outbox_relay", "stream_consumer", "risk_scoring_service"
SERVICES: Final = (API, POSTGRES, STORAGE, KAFKA, RELAY, CONSUMER, SCORER)

MOST_GROUNDS: Final = 3
"""Reasons shown of a decision, the weightiest first; the review queue shows all."""


class Service(msgspec.Struct, frozen=True):
    """A service, its state, and when that began; it may have begun before the first look at it."""

    name: str
    state: State = "unknown"
    since: float | None = None
    since_first_look: bool = False

    def seen(self, state: State, at: float) -> "Service":
        """The same service after it was found in this state."""
        if state == self.state:
            return self
        return Service(self.name, state, at, since_first_look=self.state == "unknown")


class Topic(msgspec.Struct, frozen=True):
    """Events of one topic; None where the service that would know does not answer."""

    name: str
    published_per_second: float | None
    applied_per_second: float | None
    applied: int | None
    lag: int | None


class Lags(msgspec.Struct, frozen=True):
    """What waits, and for how long; None where the service that would know does not answer."""

    outbox_rows: int | None
    outbox_seconds: float | None
    relay_seconds: float | None
    consumer_owed: int | None
    stream_seconds: float | None
    scorer_requests: int | None


class TriggerCount(msgspec.Struct, frozen=True):
    """Requests for moderation of one trigger, and what was decided, since the services that count were started."""

    trigger: str
    requests: int | None
    decisions: Mapping[str, int] | None


class Decision(msgspec.Struct, frozen=True):
    """A row of the table `moderation`."""

    id: int
    at: float
    image_id: int
    trigger: str
    score: float
    recommendation: str
    by: str
    grounds: Sequence[Ground]


class Snapshot(msgspec.Struct, frozen=True):
    """All that /live shows."""

    at: float
    services: Sequence[Service]
    topics: Sequence[Topic]
    lags: Lags
    triggers: Sequence[TriggerCount]
    decisions: Sequence[Decision]

    def encode(self) -> str:
        """JSON on one line."""
        return msgspec.json.encode(self).decode()


def decision_of(row: Mapping[str, Any]) -> Decision:
    """A row of `moderation` as it is shown."""
    return Decision(
        id=row["id"],
        at=row["created_at"].timestamp(),
        image_id=row["target_id"],
        trigger=row["trigger_type"],
        score=row["risk_score"],
        recommendation=row["recommendation"],
        by=decided_by(row),
        grounds=grounds_of(orjson.loads(row["rationale"]))[:MOST_GROUNDS],
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


class Board:
    """What was seen last of every source."""

    def __init__(self) -> None:
        self.services = {name: Service(name) for name in SERVICES}
        self.decisions: Sequence[Decision] = ()
        self.outbox: Waiting | None = None
        self._pages: dict[str, Page] = {}
        self._published, self._applied = Rates(), Rates()

    def saw(self, name: str, state: State, at: float) -> None:
        """A service was found in this state."""
        self.services[name] = self.services[name].seen(state, at)

    def scraped(self, name: str, page: Page | None, at: float) -> None:
        """A service's figures; None when it did not give them, which is what `down` means here."""
        self.saw(name, "up" if page else "down", at)
        rates = {RELAY: (self._published, "relay_published_total"), CONSUMER: (self._applied, "consumer_events_total")}
        counted, figure = rates.get(name, (None, ""))
        if page is None:
            self._pages.pop(name, None)
            if counted:
                counted.forget()
            return
        self._pages[name] = page
        if counted:
            counted.saw(page.by_label(figure, "topic"), at)

    def snapshot(self, at: float) -> Snapshot:
        """All of it."""
        return Snapshot(
            at=at,
            services=tuple(self.services.values()),
            topics=[self._topic(name) for name in EVENT_TOPICS.values()],
            lags=self._lags(at),
            triggers=self._triggers(),
            decisions=self.decisions,
        )

    def _topic(self, name: str) -> Topic:
        published, applied = self._published.per_second(), self._applied.per_second()
        consumer = self._pages.get(CONSUMER)
        lag = consumer.by_label("consumer_lag", "topic").get(name) if consumer else None
        total = consumer.by_label("consumer_events_total", "topic").get(name, 0) if consumer else None
        return Topic(
            name,
            None if published is None else published.get(name, 0.0),
            None if applied is None else applied.get(name, 0.0),
            _whole(total),
            _whole(lag),
        )

    def _value(self, service: str, figure: str) -> float | None:
        page = self._pages.get(service)
        return page.value(figure) if page else None

    def _lags(self, at: float) -> Lags:
        watermark = self._value(CONSUMER, "consumer_watermark_seconds")
        return Lags(
            outbox_rows=self.outbox.rows if self.outbox else None,
            outbox_seconds=self.outbox.seconds if self.outbox else None,
            relay_seconds=self._value(RELAY, "relay_lag_seconds"),
            consumer_owed=_whole(self._value(CONSUMER, "consumer_owed")),
            stream_seconds=max(0.0, at - watermark) if watermark else None,  # 0: nothing was ever applied
            scorer_requests=_whole(self._value(SCORER, "scorer_lag")),
        )

    def _triggers(self) -> list[TriggerCount]:
        consumer, scorer = self._pages.get(CONSUMER), self._pages.get(SCORER)
        requests = consumer.by_label("consumer_requests_total", "trigger") if consumer else {}
        decided = scorer.by("scorer_decisions_total", "trigger", "recommendation") if scorer else {}
        unheard = sorted({*requests, *(trigger for trigger, _ in decided)} - {*TRIGGERS})
        return [
            TriggerCount(
                trigger,
                int(requests.get(trigger, 0)) if consumer else None,
                {what: int(n) for (why, what), n in decided.items() if why == trigger} if scorer else None,
            )
            for trigger in (*TRIGGERS, *unheard)
        ]
