"""All counts can be deleted at any time, also under the hands of a consumer that counts."""

import threading
from collections import Counter

from gourmetgram.stream_consumer.state import Behind
from tests.integration.stream_consumer.redis_state import RedisState
from tests.integration.stream_consumer.streams import PARTITIONS, PLACES, Reader, Stream
from tests.support.processes import wait_until

IMAGES = 1500


def views_of_many_images() -> Stream:
    """So many keys that deleting one after the other would take a while."""
    stream = Stream()
    for position in range(4 * IMAGES):
        stream.now += 1
        stream.add("view", position % IMAGES + 1)
    return stream


class Worker(threading.Thread):
    """A consumer: after each refusal it begins anew where Redis stands; it ends when all is applied and told to."""

    def __init__(self, stream: Stream, state: RedisState) -> None:
        super().__init__()
        self._stream = stream
        self._store = state.store()
        self.may_end = threading.Event()
        self.restarts = 0
        self.steps = 0

    def run(self) -> None:
        reader = Reader(self._stream, self._store)
        while not (self.may_end.is_set() and reader.finished()):
            try:
                reader.apply(reader.step(dict.fromkeys(PLACES, 100), self._stream.now))
                self.steps += 1
            except Behind:
                self.restarts += 1
                reader = Reader(self._stream, self._store)


def test_nothing_is_lost_or_doubled_when_counts_are_forgotten_while_somebody_counts(redis_state: RedisState) -> None:
    stream = views_of_many_images()
    worker = Worker(stream, redis_state)
    worker.start()
    try:
        for _ in range(6):
            reached = worker.steps + 15
            wait_until(lambda reached=reached: worker.steps > reached, "it has counted")  # type: ignore[misc]
            redis_state.store().forget_everything()
    finally:
        worker.may_end.set()
        worker.join()
    assert worker.restarts > 0
    totals = {key: value for key, value in redis_state.everything().items() if ":total_" in key}
    expected = Counter(one.event.image_id for events in stream.topics.values() for one in events)
    assert totals == {f"image:{image}:total_views": str(number) for image, number in expected.items()}


def test_everything_is_forgotten_and_counted(redis_state: RedisState) -> None:
    stream = views_of_many_images()
    stream.add("upload", 5)
    stream.add("deletion", 7)
    Reader(stream, redis_state.store()).read_all(stream.now)
    assert redis_state.store().forget_everything() > 2 * IMAGES
    assert redis_state.everything() == {}
    assert redis_state.store().forget_everything() == 0
    assert set(redis_state.store().positions(range(PARTITIONS)).values()) == {0}
