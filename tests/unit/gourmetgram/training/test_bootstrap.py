import numpy as np
import pytest

from gourmetgram.core.features import Numbers
from gourmetgram.training import bootstrap
from gourmetgram.training.bootstrap import Bootstrap, estimate

IMAGES = np.array([7, 7, 7, 3, 9, 9])


def test_each_replicate_draws_as_many_images_as_there_are_and_all_rows_of_each() -> None:
    weights = np.concatenate(list(Bootstrap(IMAGES, 500, seed=1).weights()))
    assert weights.shape == (500, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.15)


def test_the_same_seed_draws_the_same_however_many_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = np.concatenate(list(Bootstrap(IMAGES, 50, seed=1).weights()))
    monkeypatch.setattr(bootstrap, "CELLS", 20)
    few = list(Bootstrap(IMAGES, 50, seed=1).weights())
    assert {len(part) for part in few} == {3, 2}
    np.testing.assert_array_equal(np.concatenate(few), at_once)
    other = np.concatenate(list(Bootstrap(IMAGES, 50, seed=2).weights()))
    assert not np.array_equal(other, at_once)


def test_rows_of_one_image_count_as_one_observation() -> None:
    rng = np.random.default_rng(5)
    values = np.repeat(rng.normal(size=400), 9)
    images = np.repeat(np.arange(400), 9)

    def mean(weights: Numbers) -> dict[str, Numbers]:
        return {"mean": weights @ values / weights.sum(axis=1)}

    by_image = Bootstrap(images, 1000, seed=1).replicates(mean)["mean"]
    by_row = Bootstrap(np.arange(len(values)), 1000, seed=1).replicates(mean)["mean"]
    assert by_image.std() == pytest.approx(1 / np.sqrt(400), rel=0.1)
    assert by_image.std() / by_row.std() == pytest.approx(3, rel=0.1)


def test_the_interval_holds_the_middle_of_what_is_defined() -> None:
    replicates = np.concatenate([np.arange(1001) / 1000, [np.nan] * 50])
    assert estimate(0.4, replicates) == {"value": 0.4, "low": pytest.approx(0.025), "high": pytest.approx(0.975)}
    assert estimate(np.nan, replicates) == {"value": None, "low": None, "high": None}


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    truth, held, worlds = 0.3, 0, 200
    for world in range(worlds):
        per_image = rng.beta(0.3, 0.7, 150)  # images differ, their rows do not
        values = (rng.random(150) < per_image).repeat(3).astype(float)
        found = Bootstrap(np.arange(150).repeat(3), 300, seed=world).replicates(
            lambda weights, values=values: {"mean": weights @ values / weights.sum(axis=1)}  # type: ignore[misc]
        )
        interval = estimate(values.mean(), found["mean"])
        held += (interval["low"] or 0) <= truth <= (interval["high"] or 0)
    assert 0.90 <= held / worlds <= 0.99
