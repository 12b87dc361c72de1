from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.data_generator.world.rates import DAY, HOUR, decay, rhythm, steady, views_of_image

MIDNIGHT = 20_000 * DAY
moments = st.floats(MIDNIGHT, MIDNIGHT + 30 * DAY)
spans = st.floats(60.0, 10 * DAY)


def test_rhythm_averages_to_one_over_a_day_and_peaks_at_dinner() -> None:
    hours = rhythm(MIDNIGHT + np.arange(0, DAY, 30.0)).reshape(24, -1).mean(axis=1)
    assert hours.mean() == pytest.approx(1.0, abs=1e-6)
    assert hours.argmax() == 19
    assert hours.argmin() in range(6)


def test_decay_integrates_to_one() -> None:
    ages = np.linspace(0, 60 * DAY, 2_000_001)
    assert np.trapezoid(decay(ages, 9 * HOUR), ages) == pytest.approx(1.0, abs=1e-3)


@given(moments, spans, st.floats(0.01, 0.99))
def test_expected_arrivals_of_two_windows_add_up(uploaded: float, span: float, share: float) -> None:
    arrivals = views_of_image(uploaded, uploaded + span, 9 * HOUR)
    cut = uploaded + share * span
    parts = arrivals.expected(uploaded, cut) + arrivals.expected(cut, uploaded + span)
    assert parts == pytest.approx(arrivals.total)
    assert np.all(np.diff(arrivals.cumulative) >= 0)


@settings(max_examples=25)
@given(st.integers(0, 2**32), moments, spans, st.booleans())
def test_drawn_counts_are_those_expected(seed: int, uploaded: float, span: float, surges: bool) -> None:
    end, count = uploaded + span, 20_000
    arrivals = views_of_image(uploaded, end, 9 * HOUR, surge_at=span / 3 if surges else None)
    times = arrivals.draw(np.random.default_rng(seed), count)
    assert times.min() >= uploaded
    assert times.max() <= end
    edges = np.linspace(uploaded, end, 6)
    for start, stop in pairwise(edges):
        share = arrivals.expected(start, stop) / arrivals.total
        seen = np.count_nonzero((times > start) & (times <= stop))
        assert abs(seen - count * share) <= 6 * np.sqrt(count * share * (1 - share)) + 5


def test_uploads_follow_the_rhythm() -> None:
    times = steady(MIDNIGHT, MIDNIGHT + 7 * DAY).draw(np.random.default_rng(1), 50_000)
    per_hour = np.bincount((times % DAY // HOUR).astype(int), minlength=24)
    assert per_hour[19] > 4 * per_hour[3]
