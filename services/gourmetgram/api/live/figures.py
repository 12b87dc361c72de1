"""A service's Prometheus page, and how fast its counters move. Nothing here asks a clock or a network."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

WINDOW_SECONDS = 5.0
"""Rates are averages over this long: over one second, three events in ten seconds would only flicker."""


class Page:
    """The samples of one scrape."""

    def __init__(self, samples: Mapping[str, list[tuple[Mapping[str, str], float]]]) -> None:
        self._samples = samples

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read Prometheus' text format.

        Raises:
            ValueError: the text is something else.
        """
        samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name].append((sample.labels, sample.value))
        return cls(samples)

    def value(self, name: str) -> float | None:
        """A figure without labels; None when the page has none of this name."""
        found = self._samples.get(name)
        return found[0][1] if found else None

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """A figure added up by these labels."""
        sums: dict[tuple[str, ...], float] = defaultdict(float)
        for own, value in self._samples.get(name, ()):
            sums[tuple(own.get(label, "") for label in labels)] += value
        return dict(sums)

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """A figure added up by one label."""
        return {key: value for (key,), value in self.by(name, label).items()}


def increases(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """How far each counter moved between two scrapes. One that fell was restarted, and counts from 0."""
    return {key: value - before.get(key, 0.0) if value >= before.get(key, 0.0) else value for key, value in now.items()}


class _Step(NamedTuple):
    at: float
    counters: Mapping[str, float]
    moved: Mapping[str, float]


class Rates:
    """Counters of one service, seen again and again; times are seconds of any one clock."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._steps: deque[_Step] = deque()

    def saw(self, counters: Mapping[str, float], at: float) -> None:
        """The counters stood like this at this time. A counter that is missing stands at 0."""
        if self._steps and at <= self._steps[-1].at:  # the clock was set back: start again
            self._steps.clear()
        moved = increases(self._steps[-1].counters, counters) if self._steps else {}
        self._steps.append(_Step(at, counters, moved))
        while len(self._steps) > 2 and self._steps[1].at <= at - self._window:  # noqa: PLR2004 - a rate takes two
            self._steps.popleft()

    def forget(self) -> None:
        """The service went away: what it counts when it is back is compared with nothing from before."""
        self._steps.clear()

    def per_second(self) -> dict[str, float] | None:
        """Average per second over the window; None until there are two scrapes to compare."""
        if len(self._steps) <= 1:
            return None
        first, *rest = self._steps
        sums: dict[str, float] = defaultdict(float)
        for step in rest:
            for key, moved in step.moved.items():
                sums[key] += moved
        return {key: total / (rest[-1].at - first.at) for key, total in sums.items()}
