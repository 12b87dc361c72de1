"""Decisions in words."""

from typing import Any

import pytest

from gourmetgram.api.signals import FLOOR, Ground, decided_by, duration, grounds_of, number, signals_of
from gourmetgram.core.features import FEATURES


def test_every_signal_is_a_feature_and_carries_its_own_value() -> None:
    vector = {name: float(position) for position, name in enumerate(FEATURES)}
    found = signals_of(vector)
    assert len({signal.words for signal in found}) == len(found) == 12
    by_name = {signal.feature: signal.value for signal in found}
    assert set(by_name) < set(FEATURES)
    assert by_name["total_flags"] == str(FEATURES.index("total_flags"))
    assert by_name["user_age_days"] == f"{FEATURES.index('user_age_days')} days"


def test_what_is_missing_or_no_number_is_left_out() -> None:
    found = signals_of({"total_flags": 3, "views_5min": "many", "views_1hr": None})
    assert [(signal.words, signal.value) for signal in found] == [("Flags in all", "3")]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (3600, "1 h"),
        (86_400, "1 day"),
        (3_568_320, "41.3 days"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (1234, "1,234"), (22.4, "22.4"), (0.0583, "0.06"), (100, "100"), (0.001, "0")]
)
def test_numbers(value: float, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("rationale", "expected"),
    [
        (
            {"policy": "v1", "rules": [{"name": "viral", "points": 0.2, "reason": "many views"}]},
            [Ground("viral", 0.2, "many views")],
        ),
        (
            {
                "model": "m1",
                "features": [
                    {"feature": "user_age_days", "log_odds": -1.5, "value": 2},
                    {"feature": "category_Soup", "log_odds": 0.25, "value": 1.0},
                ],
            },
            [Ground("Age of the account", -1.5, "was 2 days"), Ground("Category soup", 0.25, "was 1")],
        ),
        ({"features": [{"feature": 3}], "rules": None}, [Ground("3", None, "")]),
        ({"policy": "v1", "rules": []}, []),
        ({"model": "m", "features": [], "floor": "flagged"}, [FLOOR]),
        ({"floor": ["flagged"]}, []),
        ({"rules": ["viral", 3, None]}, []),
        ({"rules": [{"points": "many"}]}, [Ground("", None, "")]),
        (["viral"], []),
        (None, []),
        ("text", []),
    ],
)
def test_reasons_are_found_in_any_rationale(rationale: Any, expected: list[Ground]) -> None:
    assert grounds_of(rationale) == expected


def test_every_feature_has_words() -> None:
    """Those of the one-hot encoding are made of their names."""
    reasons = [{"feature": name, "value": 1.0, "log_odds": 0.1} for name in FEATURES]
    names = [ground.name for ground in grounds_of({"features": reasons})]
    assert len(set(names)) == len(FEATURES)
    assert not [name for name in names if "_" in name]
    untold = [name for name in FEATURES if name.replace("_", " ").capitalize() in names]
    assert untold == [name for name in FEATURES if name.startswith("category_")]


def test_who_decided() -> None:
    rules = {"inference_mode": "heuristic", "model_version": "", "policy_version": "v1"}
    assert decided_by(rules) == "rules, policy v1"
    told = decided_by({"inference_mode": "model", "model_version": "m7", "policy_version": "v1"})
    assert told.startswith("model m7")
