"""Counting in windows, against a loop that looks at every event."""

from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core import windows
from gourmetgram.core.windows import HOUR, MINUTE, SECOND, count_between, count_window

TIMES = st.lists(st.integers(-5, 40) | st.integers(0, 2 * 10**15), max_size=60)
INSTANTS = st.integers(-5, 45) | st.integers(0, 2 * 10**15)
LENGTHS = st.integers(1, 20) | st.sampled_from([window.length for window in windows.WINDOWS])


def by_looking_at_each(times: list[int], start: int, end: int) -> int:
    number = 0
    for time in times:
        if start < time <= end:
            number += 1
    return number


@given(TIMES, INSTANTS, INSTANTS)
def test_a_count_equals_looking_at_each_event(times: list[int], start: int, end: int) -> None:
    """Events may arrive late, out of order and at the same instant: what is counted are their times, sorted."""
    assert count_between(sorted(times), start, end) == by_looking_at_each(times, start, end)


@given(TIMES, INSTANTS, LENGTHS)
def test_a_window_ends_at_its_instant(times: list[int], as_of: int, length: int) -> None:
    assert count_window(sorted(times), as_of, length) == by_looking_at_each(times, as_of - length, as_of)


@given(TIMES, INSTANTS, LENGTHS)
def test_windows_that_follow_each_other_count_each_event_once(times: list[int], as_of: int, length: int) -> None:
    two = count_window(sorted(times), as_of, length) + count_window(sorted(times), as_of - length, length)
    assert two == count_window(sorted(times), as_of, 2 * length)


def test_the_end_is_in_the_window_and_the_start_is_not() -> None:
    as_of, length = 10 * HOUR, 5 * MINUTE
    edges = [as_of - length - 1, as_of - length, as_of - length + 1, as_of - 1, as_of, as_of + 1]
    assert [count_window([time], as_of, length) for time in edges] == [0, 0, 1, 1, 1, 0]


def test_two_events_at_one_instant_are_two() -> None:
    assert count_between([7, 7, 7], 6, 7) == 3
    assert count_between([7, 7, 7], 7, 8) == 0


def test_a_window_that_ends_before_it_starts_is_empty() -> None:
    assert count_between([1, 2, 3], 3, 1) == 0


def test_the_six_windows_are_those_that_the_features_are_named_after() -> None:
    minutes = {"5min": 5, "1hr": 60}
    for window in windows.WINDOWS:
        kind, length = window.name.split("_")
        assert (f"{window.kind}s", window.length) == (kind, minutes[length] * 60 * SECOND)
    assert len(windows.WINDOWS) == 6


def test_what_is_kept_covers_the_longest_window() -> None:
    assert max(window.length for window in windows.WINDOWS) + 5 * MINUTE == windows.RETAINED
    assert windows.ANCHORS == (0, 5, 30)
    assert windows.MILESTONES == (10, 100, 1000)
