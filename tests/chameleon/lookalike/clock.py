"""What time it is for the cloud."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in unix seconds."""

    def now(self) -> float:
        """Unix seconds."""

    def move(self, seconds: float) -> None:
        """Let time pass at once."""


class SystemClock:
    """The machine's time, and what was added to it."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._ahead

    def move(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead += seconds


class FakeClock:
    """Time that stands still until it is moved."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self._now = float(now)

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


def utc(seconds: float, form: str) -> str:
    """A time as text, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def iso(seconds: float) -> str:
    """Such as 2026-11-22T09:30:00Z, as Nova and Keystone write it."""
    return utc(seconds, "%Y-%m-%dT%H:%M:%SZ")
