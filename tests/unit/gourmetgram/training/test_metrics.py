from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.calibration import calibration_curve

from gourmetgram.training.metrics import AtThreshold, Ranking, Reliability, brier

SCORES = (0.0, 0.05, 0.1, 0.3, 0.31, 0.7, 0.71, 0.95, 1.0)
"""Few of them, so that many rows have the same one."""


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of both classes, scores, and weights of two weightings, of which each has rows of both classes."""
    size = draw(st.integers(2, 40))
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))], np.int8)
    scores = np.array([draw(st.sampled_from(SCORES)) for _ in labels])
    weights = np.array([[draw(st.integers(0, 3)) for _ in labels] for _ in range(2)], np.float64)
    weights[:, :2] += 1
    return labels, scores, weights


@settings(deadline=None, max_examples=40)
@given(samples())
def test_everything_equals_scikit_learn_for_each_weighting(sample: Any) -> None:
    labels, scores, weights = sample
    ranking = Ranking.of(labels, scores, weights)
    chosen = scores > 0.3
    at = AtThreshold.of(labels, chosen, weights)
    squared = brier(labels, scores, weights)
    for row, weight in enumerate(weights):
        options: dict[str, Any] = {"sample_weight": weight}
        precision = theirs.precision_score(labels, chosen, zero_division=np.nan, **options)
        assert ranking.average_precision()[row] == pytest.approx(
            theirs.average_precision_score(labels, scores, **options)
        )
        assert ranking.roc_auc()[row] == pytest.approx(theirs.roc_auc_score(labels, scores, **options))
        assert at.precision[row] == pytest.approx(precision, nan_ok=True)
        assert at.recall[row] == pytest.approx(theirs.recall_score(labels, chosen, **options))
        assert at.share[row] == pytest.approx(weight[chosen].sum() / weight.sum())
        assert squared[row] == pytest.approx(theirs.brier_score_loss(labels, scores, **options))


@settings(deadline=None, max_examples=40)
@given(samples())
def test_a_weight_is_how_often_a_row_is_there(sample: Any) -> None:
    labels, scores, weights = sample
    weighted = Ranking.of(labels, scores, weights)
    for row, weight in enumerate(weights.astype(int)):
        repeated = Ranking.of(np.repeat(labels, weight), np.repeat(scores, weight), np.ones((1, weight.sum())))
        assert weighted.average_precision()[row] == pytest.approx(repeated.average_precision()[0])
        assert weighted.roc_auc()[row] == pytest.approx(repeated.roc_auc()[0])


def test_bins_equal_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.random(5000), [0.0, 1.0]])
    labels = (rng.random(len(scores)) < scores**1.5).astype(np.int8)
    found = Reliability.of(labels, scores, np.ones((1, len(labels))))
    observed, predicted = calibration_curve(labels, scores, n_bins=10)
    np.testing.assert_allclose(found.observed[0], observed)
    np.testing.assert_allclose(found.predicted[0], predicted)
    by_hand = sum(
        abs(scores[inside].mean() - labels[inside].mean()) * inside.sum() / len(labels)
        for low in range(10)
        if (inside := np.minimum(np.floor(scores * 10), 9) == low).any()
    )
    assert found.calibration_error()[0] == pytest.approx(by_hand)


def test_what_is_not_defined_is_no_number() -> None:
    labels, scores, weights = np.zeros(3, np.int8), np.array([0.1, 0.2, 0.3]), np.ones((1, 3))
    ranking = Ranking.of(labels, scores, weights)
    assert np.isnan([ranking.average_precision()[0], ranking.roc_auc()[0]]).all()
    at = AtThreshold.of(labels, scores > 0.5, weights)
    assert np.isnan([at.precision[0], at.recall[0]]).all()
    assert at.share[0] == 0
