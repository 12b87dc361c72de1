"""Intervals by the bootstrap, resampled by image: rows of one image know of each other, images do not."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypedDict

import numpy as np

from gourmetgram.core.features import Integers, Numbers

Statistics = Callable[[Numbers], Mapping[str, Numbers]]
"""From weights (weightings by rows) to named numbers, whose first axis are the weightings."""

CELLS: Final = 2_000_000
"""Weights in memory at a time."""

LEVEL: Final = 0.95


class Estimate(TypedDict):
    """A number with the interval that 95 % of the replicates are in; null where nothing can be said."""

    value: float | None
    low: float | None
    high: float | None


class Bootstrap:
    """Draws as many images as there are, with replacement, again and again, and takes all rows of each."""

    def __init__(self, images: Integers, replicates: int, seed: int) -> None:
        """`images` is the image of each row. The same seed draws the same, so that replicates may be subtracted."""
        found, self._image_of_row = np.unique(images, return_inverse=True)
        self._images = len(found)
        self._replicates = replicates
        self._seed = seed

    def weights(self) -> Iterator[Numbers]:
        """How often each replicate has drawn each row, a bounded number of replicates at a time."""
        rng = np.random.default_rng(self._seed)
        at_once = max(1, CELLS // max(1, len(self._image_of_row)))
        for done in range(0, self._replicates, at_once):
            count = min(at_once, self._replicates - done)
            drawn = np.stack([self._draw(rng) for _ in range(count)])
            yield drawn[:, self._image_of_row].astype(np.float64)

    def _draw(self, rng: np.random.Generator) -> Integers:
        return np.bincount(rng.integers(0, self._images, self._images), minlength=self._images)

    def replicates(self, statistics: Statistics) -> dict[str, Numbers]:
        """The statistics of all replicates."""
        parts = [statistics(weights) for weights in self.weights()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def estimate(value: float, replicates: Numbers) -> Estimate:
    """The number and the middle 95 % of its replicates; those for which it is not defined do not count."""
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or not len(defined):
        return Estimate(value=None, low=None, high=None)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value=float(value), low=float(low), high=float(high))
