from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier

from gourmetgram.core.features import FEATURES, ONE_HOT
from gourmetgram.training.errors import NotEnough
from gourmetgram.training.fit import PRIOR, Pass, Rows, calibrate, fit, survey
from gourmetgram.training.model import CalibratedClassifier
from tests.support.training import PLANTED, World, world

SCALED = len(FEATURES) - len(ONE_HOT)
ROWS = 60_000


def in_batches(rows: World, size: int) -> Pass:
    def go_through() -> Iterator[Rows]:
        for start in range(0, len(rows.labels), size):
            yield Rows(rows.features[start : start + size].copy(), rows.labels[start : start + size])
        yield Rows(rows.features[:0], rows.labels[:0])  # a batch of which nothing is learned

    return go_through


@pytest.fixture(scope="module")
def planted() -> World:
    return world(ROWS, seed=1)


@pytest.mark.parametrize("size", [777, 16_384, ROWS])
def test_the_scaler_knows_what_all_rows_together_tell(planted: World, size: int) -> None:
    scaler = survey(in_batches(planted, size)).scaler
    varying = planted.features[:, :SCALED].std(axis=0) > 0
    assert not varying.all()  # nobody has flagged: a feature that never changes must not divide by zero
    np.testing.assert_allclose(scaler.mean_[:SCALED], planted.features[:, :SCALED].mean(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scaler.scale_[:SCALED][varying], planted.features[:, :SCALED].std(axis=0)[varying])
    scaled = scaler.transform(planted.features)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(scaled[:, SCALED:], planted.features[:, SCALED:])


def test_both_classes_weigh_the_same(planted: World) -> None:
    first = survey(in_batches(planted, 5000))
    weights = first.class_weights[planted.labels]
    assert weights.mean() == pytest.approx(1)
    assert weights[planted.labels == 1].sum() == pytest.approx(weights[planted.labels == 0].sum())


def test_planted_coefficients_are_found_with_sign_and_order(planted: World) -> None:
    go_through = in_batches(planted, 8192)
    classifier = fit(go_through, survey(go_through), passes=5, seed=3)
    found = dict(zip(FEATURES, classifier.coef_[0], strict=True))
    assert sorted(found, key=lambda name: -abs(found[name]))[:3] == sorted(PLANTED, key=lambda n: -abs(PLANTED[n]))[:3]
    for name, effect in PLANTED.items():
        assert found[name] == pytest.approx(effect, abs=0.1)
    assert max(abs(found[name]) for name in FEATURES if name not in PLANTED) < 0.15


def test_it_comes_close_to_the_best_that_a_solver_finds_with_all_rows_in_memory(planted: World) -> None:
    go_through = in_batches(planted, 8192)
    first = survey(go_through)
    weights = first.class_weights[planted.labels]
    scaled = first.scaler.transform(planted.features)
    streamed = fit(go_through, first, passes=5, seed=3)
    solved = LogisticRegression(C=1 / PRIOR, max_iter=1000).fit(scaled, planted.labels, sample_weight=weights)

    def loss(model: SGDClassifier | LogisticRegression) -> float:
        against = np.logaddexp(0, -(2.0 * planted.labels - 1) * model.decision_function(scaled))
        return float(np.average(against, weights=weights) + PRIOR / ROWS / 2 * (model.coef_**2).sum())

    best = loss(solved)
    assert best <= loss(streamed) < best * 1.002
    assert best < 0.65  # of two classes that weigh the same, a guess costs 0.69


def test_the_same_rows_and_seed_give_the_same_coefficients(planted: World) -> None:
    go_through = in_batches(planted, 4096)
    first = survey(go_through)
    one, same, other = (fit(go_through, first, passes=2, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.coef_, same.coef_)
    np.testing.assert_array_equal(one.intercept_, same.intercept_)
    assert not np.array_equal(one.coef_, other.coef_)


def test_one_pass_over_many_rows_is_enough() -> None:
    rows = world(150_000, seed=9)
    go_through = in_batches(rows, 32_768)
    classifier = fit(go_through, survey(go_through), passes=1, seed=3)
    found = dict(zip(FEATURES, classifier.coef_[0], strict=True))
    assert found["comments_1hr"] == pytest.approx(PLANTED["comments_1hr"], abs=0.1)


def test_probabilities_mean_what_they_say() -> None:
    """Of rows that get 0.3 or 0.7, as many are flagged, and as many were bound to be, although classes had weights."""
    go_through = in_batches(world(ROWS, seed=21), 8192)
    first = survey(go_through)
    classifier = fit(go_through, first, passes=3, seed=1)
    slice_, later = world(20_000, seed=22), world(200_000, seed=23)
    decisions = classifier.decision_function(first.scaler.transform(slice_.features))
    calibrated = CalibratedClassifier(classifier, calibrate(decisions, slice_.labels))
    said = calibrated.predict_proba(first.scaler.transform(later.features))
    weighted = 1 / (1 + np.exp(-classifier.decision_function(first.scaler.transform(later.features))))
    for around in (0.1, 0.3, 0.7):
        near = np.abs(said - around) < 0.05
        assert near.sum() > 200
        assert later.probability[near].mean() == pytest.approx(said[near].mean(), abs=0.03)
        assert later.labels[near].mean() == pytest.approx(said[near].mean(), abs=0.06)
    assert weighted.mean() > 2 * later.labels.mean()  # without the calibrator they would mean something else
    assert said.mean() == pytest.approx(later.labels.mean(), abs=0.01)


def test_one_class_alone_teaches_nothing(planted: World) -> None:
    nobody = World(planted.features, planted.probability, np.zeros_like(planted.labels))
    with pytest.raises(NotEnough, match="in the training, got 0 flagged rows of 60000"):
        survey(in_batches(nobody, 4096))
    with pytest.raises(NotEnough, match="in the calibration, got 3 flagged rows of 3"):
        calibrate(np.array([1.0, 2.0, 3.0]), np.ones(3, np.int8))
