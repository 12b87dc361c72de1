"""Identifiers sort by the time they were made."""

import time
from uuid import UUID

from gourmetgram.core.ids import uuid7


def test_it_is_a_version_7_uuid_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert isinstance(made, UUID)
    assert made.version == 7
    assert before <= made.int >> 80 <= after


def test_many_are_different_and_their_times_ascend() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    times = [one.int >> 80 for one in made]
    assert times == sorted(times)
