"""A week on GourmetGram as events: photos that people look at while they are new, and then forget.

Events come in the order of their time, about as many in every minute, so that a tenth of the pile looks like all of it
to whoever keeps windows.
"""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from confluent_kafka import Producer

from gourmetgram.core.broker import PRODUCER
from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.events import Comment, Event, Flag, Upload, View, encode

SPAN = timedelta(days=7)
EVENTS_PER_IMAGE = 1000
FRESH_IMAGES = 2000
"""Only so many of the latest images are looked at, the newer the more."""
VIEWS, COMMENTS = 0.85, 0.145
"""Shares of the events about an image; what is left are flags."""
FLUSH_SECONDS = 60


def history(number: int, ends: datetime, seed: int = 7) -> Iterator[Event]:
    """So many events over SPAN; each image is posted before anything else happens to it."""
    chance = random.Random(seed)
    step, begins, images = SPAN / number, ends - SPAN, 0
    for position in range(number):
        at = begins + step * position
        if images < FRESH_IMAGES or position % EVENTS_PER_IMAGE == 0:
            images += 1
            yield _upload(images, at, chance)
        else:
            age = int(min(images, FRESH_IMAGES) * chance.random() ** 2)
            yield _engagement(images - age, position, at, chance)


def _engagement(image: int, position: int, at: datetime, chance: random.Random) -> Event:
    kind = chance.random()
    identity, user = _event_id(at, chance), chance.randrange(1, 5000)
    if kind < VIEWS:
        return View(event_id=identity, occurred_at=at, image_id=image, user_id=user, is_test=False)
    number = position + 1
    if kind < VIEWS + COMMENTS:
        return Comment(
            event_id=identity, occurred_at=at, image_id=image, user_id=user, is_test=False, comment_id=number
        )
    return Flag(
        event_id=identity, occurred_at=at, image_id=image, user_id=user, is_test=False, flag_id=number, reason="spam"
    )


def _upload(image: int, at: datetime, chance: random.Random) -> Event:
    return Upload(
        event_id=_event_id(at, chance),
        occurred_at=at,
        image_id=image,
        user_id=chance.randrange(1, 5000),
        is_test=False,
        caption_length=chance.randrange(120),
        category=chance.choice(CATEGORIES),
    )


def _event_id(at: datetime, chance: random.Random) -> UUID:
    """A UUID of version 7 with the event's time, as the API makes them."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | chance.getrandbits(62))


class Pile:
    """Events that are put into their topics piece by piece."""

    def __init__(self, servers: str, number: int) -> None:
        self.number = number
        self.produced = 0
        self._events = history(number, datetime.now(UTC))
        self._producer = Producer(
            {
                **PRODUCER,
                "bootstrap.servers": servers,
                "linger.ms": 20,
                "queue.buffering.max.messages": 200_000,
            }
        )

    def add(self, number: int) -> None:
        """Put so many more events into their topics, or what is left, and wait until they are there.

        Raises:
            TimeoutError: the broker does not take them.
        """
        for event in islice(self._events, number):
            self._put(event)
            self.produced += 1
        if self._producer.flush(FLUSH_SECONDS):
            raise TimeoutError(f"the broker left {len(self._producer)} events unacknowledged for {FLUSH_SECONDS} s")

    def _put(self, event: Event) -> None:
        deadline = time.monotonic() + FLUSH_SECONDS
        while time.monotonic() < deadline:
            try:
                self._producer.produce(event.topic, encode(event), str(event.image_id))
            except BufferError:
                self._producer.poll(0.1)
            else:
                return
        raise TimeoutError(f"the broker took nothing for {FLUSH_SECONDS} s")
