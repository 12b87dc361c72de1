"""Counts that another version of the lab has made are not misread: the consumer says what to do, and waits."""

import pytest

from gourmetgram.stream_consumer import state
from gourmetgram.stream_consumer.state import AnotherLayout
from tests.integration.stream_consumer.redis_state import RedisState
from tests.integration.stream_consumer.streams import Reader, Stream

MARK = "stream:layout"


def count_a_view(redis_state: RedisState) -> None:
    stream = Stream()
    stream.add("view", 1)
    Reader(stream, redis_state.store()).read_all(stream.now)


def test_counts_are_marked(redis_state: RedisState) -> None:
    redis_state.store().require_layout()
    assert redis_state.everything() == {MARK: str(state.LAYOUT)}
    count_a_view(redis_state)
    redis_state.store().require_layout()


def test_counts_of_another_layout_are_refused_until_they_are_forgotten(redis_state: RedisState) -> None:
    redis_state.consumer.set(MARK, state.LAYOUT + 1)
    with pytest.raises(AnotherLayout, match=r"of layout 2, expected 1: .* run forget-counts"):
        redis_state.store().require_layout()
    redis_state.store().forget_everything()
    redis_state.store().require_layout()


def test_counts_without_a_mark_are_of_the_first_layout(
    redis_state: RedisState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "LAYOUT", 2)
    count_a_view(redis_state)
    with pytest.raises(AnotherLayout, match="of layout 1, expected 2"):
        redis_state.store().require_layout()
