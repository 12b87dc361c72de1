"""When people arrive: a non-homogeneous Poisson process with a daily rhythm and a decay for each image.

Given how many arrivals there are, the times of such a process are independent draws from its normalised intensity
(Cinlar, Introduction to Stochastic Processes, 1975, theorem 4.7.6), so times come from the inverse of the cumulative
intensity, and the counts can be fixed beforehand.
"""

from dataclasses import dataclass

import numpy as np

from gourmetgram.data_generator.world.seeding import Floats

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

QUIET = 0.35
"""Intensity at night, before scaling; the meals come on top as (hour of day UTC, height, width in hours)."""
MEALS = ((8.0, 0.8, 1.2), (12.7, 1.3, 1.3), (19.5, 1.9, 2.0))

FIRST_RUSH = 0.35
"""Share of an image's views by followers who are online when it appears."""
RUSH_SECONDS = 20 * MINUTE
SURGE_SECONDS = 1.5 * HOUR
SURGE_FACTOR = 4.0


def daily_shape(times: Floats) -> Floats:
    """Activity at unix times in seconds, before scaling: quiet nights and three meals."""
    hours = times % DAY / HOUR
    shape: Floats = np.full_like(hours, QUIET)
    for hour, height, width in MEALS:
        distance = np.abs(hours - hour)
        distance = np.minimum(distance, 24 - distance)
        shape += height * np.exp(-0.5 * (distance / width) ** 2)
    return shape


MEAN_SHAPE = float(daily_shape(np.arange(0.0, DAY, MINUTE)).mean())


def rhythm(times: Floats) -> Floats:
    """Activity at unix times in seconds relative to the average over a day, which is 1."""
    scaled: Floats = daily_shape(times) / MEAN_SHAPE
    return scaled


def decay(ages: Floats, slow_seconds: float) -> Floats:
    """Density (per second) of a view at this age of an image: a first rush, then a slow fade. Integrates to 1."""
    rush = FIRST_RUSH / RUSH_SECONDS * np.exp(-ages / RUSH_SECONDS)
    fade: Floats = (1 - FIRST_RUSH) / slow_seconds * np.exp(-ages / slow_seconds)
    return rush + fade


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Expected arrivals up to each time of a grid (unix seconds, ascending)."""

    times: Floats
    cumulative: Floats

    @property
    def total(self) -> float:
        """Expected arrivals over the whole grid."""
        return float(self.cumulative[-1])

    def expected(self, start: float, end: float) -> float:
        """Expected arrivals in the half-open window (start, end]."""
        low, high = np.interp([start, end], self.times, self.cumulative)
        return float(high - low)

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """Times of `count` arrivals, in no order."""
        drawn: Floats = np.interp(rng.random(count) * self.total, self.cumulative, self.times)
        return drawn


def integrate(times: Floats, intensity: Floats) -> Arrivals:
    """Arrivals of this intensity (per second) on a grid, by the trapezoidal rule."""
    steps = (intensity[1:] + intensity[:-1]) / 2 * np.diff(times)
    return Arrivals(times, np.concatenate(([0.0], np.cumsum(steps))))


def steady(start: float, end: float) -> Arrivals:
    """Arrivals that follow the daily rhythm only, such as uploads."""
    times = np.linspace(start, end, max(2, int((end - start) / (10 * MINUTE)) + 1))
    return integrate(times, rhythm(times))


def views_of_image(uploaded: float, end: float, slow_seconds: float, surge_at: float | None = None) -> Arrivals:
    """Views of one image from its upload to `end`; a surge is what happens when a harmless image goes viral."""
    ages = age_grid(end - uploaded)
    intensity = decay(ages, slow_seconds)
    if surge_at is not None:
        since = (ages - surge_at) / SURGE_SECONDS
        rise = np.where(since > 0, since * np.exp(1 - np.maximum(since, 0.0)), 0.0)
        intensity = intensity + SURGE_FACTOR / SURGE_SECONDS / np.e * rise
    times = uploaded + ages
    return integrate(times, intensity * rhythm(times))


def age_grid(span: float) -> Floats:
    """Ages in seconds from 0 to `span`: fine in the first hour, where much happens, then every half hour."""
    ages = np.concatenate(([0.0], np.geomspace(10.0, HOUR, 40), np.arange(1.5 * HOUR, max(span, HOUR), HOUR / 2)))
    return np.append(ages[ages < span], span)
