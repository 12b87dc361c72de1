from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from gourmetgram.core import policy
from gourmetgram.training.evaluation import Evaluation, Judged

EVALUATION = Evaluation(policy.load("v1"), replicates=200, seed=1)
IMAGES = 300


def judged(seed: int, *, knowledge: float) -> Judged:
    """Three rows an image. The model's score knows the odds of a flag so well; the rules know nothing."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(IMAGES), 3)
    odds = np.repeat(rng.normal(-2, 1.5, IMAGES), 3)
    label = (rng.random(len(image)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    noise = rng.normal(0, 1.5, len(image))
    flagged = image % 10 == 0
    return Judged(
        label=label,
        image=image,
        anchor=np.tile(np.array([0, 5, 30], np.int32), IMAGES),
        country=np.array(["DE", "US"])[image % 2],
        flagged=flagged,
        model=1 / (1 + np.exp(-(knowledge * odds + (1 - knowledge) * noise))),
        rules=rng.choice([0.0, 0.3, 0.5], len(image)),
        constant=np.full(len(image), 0.2),
    )


def inside(estimate: dict[str, float]) -> bool:
    return estimate["low"] <= estimate["value"] <= estimate["high"]


def test_the_headline_is_about_rows_that_nobody_had_flagged_and_the_others_are_told_apart() -> None:
    rows = judged(1, knowledge=1)
    report = EVALUATION.report(rows)
    fresh = ~rows.flagged
    headline = report["headline"]
    assert (headline["rows"], headline["images"]) == (fresh.sum(), IMAGES * 0.9)
    assert headline["flagged"] == rows.label[fresh].sum()
    for judge, scores in (("model", rows.model), ("rules", rows.rules), ("constant", rows.constant)):
        expected = average_precision_score(rows.label[fresh], scores[fresh])
        assert headline["judges"][judge]["average_precision"]["value"] == pytest.approx(expected)
        assert inside(headline["judges"][judge]["average_precision"])
    apart = report["already_flagged"]
    assert (apart["rows"], apart["images"]) == (rows.flagged.sum(), IMAGES * 0.1)
    expected = average_precision_score(rows.label[rows.flagged], rows.model[rows.flagged])
    assert apart["judges"]["model"]["average_precision"]["value"] == pytest.approx(expected)


def test_groups_are_parts_of_the_headline() -> None:
    rows = judged(2, knowledge=0.5)
    report = EVALUATION.report(rows)
    assert set(report["by_anchor"]) == {"0", "5", "30"}
    assert set(report["by_country"]) == {"DE", "US"}
    for by in ("by_anchor", "by_country"):
        assert sum(part["rows"] for part in report[by].values()) == report["headline"]["rows"]
        assert sum(part["flagged"] for part in report[by].values()) == report["headline"]["flagged"]
    chosen = ~rows.flagged & (rows.anchor == 5)
    expected = average_precision_score(rows.label[chosen], rows.model[chosen])
    assert report["by_anchor"]["5"]["judges"]["model"]["average_precision"]["value"] == pytest.approx(expected)


def test_who_knows_something_gains_more_than_the_interval() -> None:
    gain = EVALUATION.report(judged(3, knowledge=1))["headline"]["gain"]
    assert gain["over_rules"]["low"] > 0.1
    assert gain["over_constant"]["low"] > 0.1


def test_who_knows_nothing_gains_nothing_in_most_worlds() -> None:
    lucky = 0
    for seed in range(20):
        gain = EVALUATION.compare(judged(seed, knowledge=0))["gain"]
        lucky += gain["over_constant"]["low"] > 0
    assert lucky <= 2  # of 20, a half is to be expected above a 95 % interval


def test_the_same_judge_twice_never_differs() -> None:
    rows = judged(4, knowledge=0.7)
    twice = Judged(**{**vars(rows), "rules": rows.model})
    assert EVALUATION.compare(twice)["gain"]["over_rules"] == {"value": 0, "low": 0, "high": 0}


def test_the_planted_truth_takes_the_place_of_the_label_where_it_is_known() -> None:
    rows = judged(5, knowledge=1)
    truth = {image: image % 4 == 0 for image in range(0, IMAGES, 2)}
    found = EVALUATION.report(rows, truth)["planted_truth"]
    known = ~rows.flagged & (rows.image % 2 == 0)
    assert found["rows"] == known.sum()
    expected = average_precision_score(rows.image[known] % 4 == 0, rows.model[known])
    assert found["judges"]["model"]["average_precision"]["value"] == pytest.approx(expected)
    assert EVALUATION.report(rows)["planted_truth"] is None


def test_the_borders_are_those_of_the_policy() -> None:
    """REVIEW begins at its border, FLAG above its own."""
    rows = judged(6, knowledge=1)
    border = EVALUATION.policy
    scores = np.resize([border.review_from, border.review_from - 1e-9, border.flag_above], len(rows.label))
    found = EVALUATION.compare(Judged(**{**vars(rows), "model": scores}))["judges"]["model"]
    assert found["review_share"]["value"] == pytest.approx(2 / 3)
    assert found["flag_share"]["value"] == 0
    assert found["flag_precision"]["value"] is None


def test_bins_tell_what_was_said_and_what_came_true() -> None:
    rows = judged(7, knowledge=1)
    bins: list[dict[str, Any]] = EVALUATION.compare(rows)["judges"]["model"]["bins"]
    assert sum(one["rows"] for one in bins) == len(rows.label)
    first = rows.model < 0.1
    assert bins[0]["rows"] == first.sum()
    assert bins[0]["predicted"] == pytest.approx(rows.model[first].mean())
    assert bins[0]["observed"]["value"] == pytest.approx(rows.label[first].mean())
    assert inside(bins[0]["observed"])


def test_no_rows_are_no_reason_to_fail() -> None:
    rows = judged(8, knowledge=1)
    nobody = rows.only(~rows.flagged)
    assert EVALUATION.report(nobody)["already_flagged"] == {
        "rows": 0, "images": 0, "flagged": 0, "judges": {}, "gain": {},
    }  # fmt: skip
