"""The rules: what each looks at, at its border, and what a score means."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core import policy
from gourmetgram.core.features import FEATURES
from gourmetgram.core.policy import Condition, Policy, Rule

CALM = dict.fromkeys(FEATURES, 0.0) | {"user_age_days": 100.0}
VERSIONS = sorted(file.stem for file in policy.FOLDER.glob("*.yaml"))


def score(version: str, **features: float) -> float:
    return policy.load(version).judge(CALM | features).risk_score


def recommendation(version: str, **features: float) -> str:
    return policy.load(version).judge(CALM | features).recommendation


def fired(version: str, **features: float) -> list[str]:
    return [rule.name for rule in policy.load(version).judge(CALM | features).rules]


def test_a_calm_image_is_safe() -> None:
    verdict = policy.load("v1").judge(CALM)
    assert (verdict.risk_score, verdict.recommendation, verdict.rules) == (0, "SAFE", ())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("feature", "below", "border", "rule", "points"),
    [
        ("total_flags", 0, 1, "flagged", 0.4),
        ("comments_5min", 9, 10, "discussed", 0.3),
        ("views_5min", 99, 100, "viral", 0.2),
    ],
)
def test_a_rule_holds_from_its_border_on(
    version: str, feature: str, below: float, border: float, rule: str, points: float
) -> None:
    calm = {"comments_1hr": 10, "views_1hr": 100}  # so that the two rules of v2 keep quiet
    assert (fired(version, **calm, **{feature: below}), score(version, **calm, **{feature: below})) == ([], 0)
    for value in (border, border * 1000):
        assert (fired(version, **calm, **{feature: value}), score(version, **calm, **{feature: value})) == (
            [rule],
            points,
        )


def test_comments_per_view_and_bots_are_looked_at_in_v2_only() -> None:
    assert score("v2", comment_to_view_ratio=0.5) == 0
    assert score("v2", comment_to_view_ratio=0.5000001) == 0.2
    assert score("v1", comment_to_view_ratio=10) == 0
    bot = {"views_5min": 60, "comments_1hr": 0, "user_age_days": 0.999}
    assert (score("v2", **bot), score("v1", **bot)) == (0.3, 0)


@pytest.mark.parametrize("change", [{"views_5min": 59}, {"comments_1hr": 1}, {"user_age_days": 1.0}])
def test_a_rule_with_several_conditions_needs_all(change: dict[str, float]) -> None:
    bot = {"views_5min": 60, "comments_1hr": 0, "user_age_days": 0.999}
    assert fired("v2", **bot) == ["bot_like"]
    assert fired("v2", **(bot | change)) == []


@pytest.mark.parametrize(
    ("features", "expected", "meaning"),
    [
        ({"views_5min": 100}, 0.2, "SAFE"),
        ({"comments_5min": 10}, 0.3, "REVIEW"),
        ({"comments_5min": 10, "views_5min": 100}, 0.5, "REVIEW"),
        ({"total_flags": 1, "comments_5min": 10}, 0.7, "REVIEW"),  # 0.7 is not above 0.7
        ({"total_flags": 1, "views_5min": 100}, 0.6, "REVIEW"),
        ({"total_flags": 1, "comments_5min": 10, "views_5min": 100}, 0.9, "FLAG"),
    ],
)
def test_scores_of_v1_and_what_they_mean(features: dict[str, float], expected: float, meaning: str) -> None:
    assert (score("v1", **features), recommendation("v1", **features)) == (expected, meaning)


def test_a_score_is_capped_at_1() -> None:
    everything = {"total_flags": 9, "comments_5min": 99, "views_5min": 999, "comment_to_view_ratio": 9.0}
    assert score("v2", **everything) == 1  # 0.4 + 0.3 + 0.2 + 0.2


def of_points(*points: float, flag_above: float = 0.3) -> Policy:
    when = (Condition(feature="views_5min", at_least=0),)
    rules = tuple(Rule(name=str(number), when=when, points=one, reason="") for number, one in enumerate(points))
    return Policy(version="test", rules=rules, review_from=0.0, flag_above=flag_above)


def test_a_sum_does_not_exceed_a_border_by_an_error_of_floating_point() -> None:
    assert 0.1 + 0.2 > 0.3
    verdict = of_points(0.1, 0.2).judge(CALM)
    assert (verdict.risk_score, verdict.recommendation) == (0.3, "REVIEW")


@given(st.lists(st.integers(0, 100), max_size=30))
def test_a_sum_of_hundredths_is_exact(points: list[int]) -> None:
    assert of_points(*(one / 100 for one in points)).judge(CALM).risk_score == min(100, sum(points)) / 100


@given(st.floats(0, 1), st.booleans())
def test_an_image_with_a_flag_is_never_below_review(score: float, flagged: bool) -> None:
    meaning = policy.load("v1").recommend(score, flagged=flagged)
    assert (meaning == "FLAG") == (score > 0.7)
    assert (meaning == "SAFE") == (score < 0.3 and not flagged)


def test_the_flag_floor_is_applied_to_a_verdict() -> None:
    lenient = Policy(version="test", rules=(), review_from=0.3, flag_above=0.7)
    assert lenient.judge(CALM).recommendation == "SAFE"
    assert lenient.judge(CALM | {"total_flags": 1}).recommendation == "REVIEW"


@given(st.floats(0, 10), st.floats(0, 10))
def test_a_condition_compares_as_its_name_says(border: float, value: float) -> None:
    def holds(**comparison: float) -> bool:
        return Condition(feature="views_5min", **comparison).holds(value)

    assert holds(at_least=border) == (value >= border) != holds(below=border)
    assert holds(above=border) == (value > border) != holds(at_most=border)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_policy_that_we_ship_is_sound(version: str) -> None:
    shipped = policy.load(version)
    assert shipped.review_from <= shipped.flag_above
    names = [rule.name for rule in shipped.rules]
    assert len(set(names)) == len(names)
    assert all(rule.reason and rule.points > 0 for rule in shipped.rules)


def test_the_newer_policy_adds_to_the_older_one() -> None:
    older, newer = policy.load("v1"), policy.load("v2")
    assert newer.rules[: len(older.rules)] == older.rules
    assert len(newer.rules) == len(older.rules) + 2
    assert (newer.review_from, newer.flag_above) == (older.review_from, older.flag_above) == (0.3, 0.7)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of policies of the test's own."""
    monkeypatch.setattr(policy, "FOLDER", tmp_path)
    policy.load.cache_clear()
    yield tmp_path
    policy.load.cache_clear()


GOOD = """
version: mine
rules: [{name: a, when: [{feature: views_5min, at_least: 1}], points: 0.1, reason: b}]
review_from: 0.3
flag_above: 0.7
"""


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("version: mine", "version: other", "expected version 'mine', got 'other'"),
        ("views_5min", "views_5_min", "one of the 29 features, got 'views_5_min'"),
        (", at_least: 1", "", "the condition on views_5min compares with nothing"),
        ("at_least: 1", "at_least: many", "at_least"),
        ("at_least", "atleast", "atleast"),
        ("points: 0.1", "points: 1.1", "points"),
        ("points: 0.1", "points: -0.1", "points"),
        ("[{feature: views_5min, at_least: 1}]", "[]", "when"),
        ("reason: b", "", "reason"),
        ("flag_above: 0.7", "flag_above: 7", "flag_above"),
        ("review_from: 0.3", "review_frm: 0.3", "review_frm"),
        ("review_from: 0.3", "", "review_from"),
        ("review_from: 0.3", "review_from: 0.8", "review_from"),
        ("rules: [", "rules: [[", "mine.yaml"),
    ],
)
def test_a_broken_policy_says_what_is_wrong(folder: Path, wrong: str, right: str, message: str) -> None:
    broken = GOOD.replace(wrong, right, 1)
    assert broken != GOOD
    (folder / "mine.yaml").write_text(broken)
    with pytest.raises(ValueError, match=message) as caught:
        policy.load("mine")
    assert str(folder / "mine.yaml") in str(caught.value)


def test_a_policy_of_ones_own_is_loaded(folder: Path) -> None:
    (folder / "mine.yaml").write_text(GOOD)
    assert policy.load("mine").judge(CALM | {"views_5min": 1}).risk_score == 0.1


def test_a_policy_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="expected a policy out of v1, v2, got 'v3'"):
        policy.load("v3")


@pytest.mark.parametrize("version", ["../v1", "v1.yaml", ""])
def test_a_version_is_a_name_and_no_path(version: str) -> None:
    with pytest.raises(ValueError, match="expected a policy out of"):
        policy.load(version)
