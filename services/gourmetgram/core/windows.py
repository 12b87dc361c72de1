"""Windows over event time: how long each is, and what counting in one means. No clock, no I/O.

A window at an instant is half-open, `(as_of - length, as_of]`: an event exactly at `as_of` is in it, one exactly at its
start is not. Times are whole microseconds since 1970, so that no rounding ever moves an event over an edge.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

SECOND: Final = 1_000_000
"""Microseconds."""
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Window(NamedTuple):
    """A count that is kept for every image: how many events of this kind in this many microseconds."""

    name: str
    kind: str
    length: int


WINDOWS: Final = (
    Window("views_5min", "view", 5 * MINUTE),
    Window("views_1hr", "view", HOUR),
    Window("comments_5min", "comment", 5 * MINUTE),
    Window("comments_1hr", "comment", HOUR),
    Window("flags_5min", "flag", 5 * MINUTE),
    Window("flags_1hr", "flag", HOUR),
)
"""The six window features, in their order among the 29."""

RETAINED: Final = 65 * MINUTE
"""How much of the past stays countable: the longest window and the five minutes that an anchor may be behind."""

ANCHORS: Final = (0, 5, 30)
"""Minutes after its upload at which an image is scored."""

LABEL_HORIZON: Final = DAY
"""A flag that comes later after the upload says nothing about the image's moderation: it is no label."""

MILESTONES: Final = (10, 100, 1000)
"""Views of an image that are written down."""


def count_between(times: Sequence[int], start: int, end: int) -> int:
    """Number of event times (ascending) in the half-open window (start, end]."""
    return max(0, bisect_right(times, end) - bisect_right(times, start))


def count_window(times: Sequence[int], as_of: int, length: int) -> int:
    """Number of event times (ascending) in the window of this length (microseconds) that ends at `as_of`."""
    return count_between(times, as_of - length, as_of)
