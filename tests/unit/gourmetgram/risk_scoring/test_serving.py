"""Rules and a model on the same requests: what is stored, what is heard, and that a served model scores as trained."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from gourmetgram.core.features import FEATURES
from gourmetgram.core.policy import load
from gourmetgram.risk_scoring.scoring import Subject, decide
from gourmetgram.risk_scoring.serving import Model, Serving
from gourmetgram.training.model import Model as Trained
from labkit.paths import ROOT
from tests.support.models import trained
from tests.support.requests import NOON, asked

POLICY = load("v1")
PLAIN = Subject(NOON, 0, "Bread", 1, NOON)


def test_a_served_model_scores_as_the_trained_one() -> None:
    model, original = Model.of(trained()), trained()
    rows = np.random.default_rng(2).uniform(-50, 500, (1000, len(FEATURES)))
    assert model.score(rows) == pytest.approx(original.score(rows), rel=1e-9, abs=1e-12)
    assert model.version == "v7"


def test_another_kind_of_model_is_refused() -> None:
    class Bent(Trained):
        def score(self, features: "np.ndarray") -> "np.ndarray":
            return np.asarray(super().score(features) ** 2)

    with pytest.raises(ValueError, match="v7 is not linear"):
        Model.of(Bent(*trained()))


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        (Serving("heuristic"), [("heuristic", True)]),
        (Serving("heuristic", Model.of(trained())), [("heuristic", True)]),
        (Serving("shadow", Model.of(trained())), [("heuristic", True), ("model", False)]),
        (Serving("model", Model.of(trained())), [("heuristic", False), ("model", True)]),
        (Serving("shadow"), [("heuristic", True)]),
        (Serving("model"), [("heuristic", True)]),
    ],
)
def test_exactly_one_decision_of_a_request_is_heard(serving: Serving, expected: list[tuple[str, bool]]) -> None:
    decisions = decide([(asked(views_5min=120), PLAIN)], POLICY, serving)
    assert [(one.inference_mode, one.served) for one in decisions] == expected
    assert len({id(one.request) for one in decisions}) == 1


def test_rules_and_model_judge_the_same_vector() -> None:
    rules, model = decide([(asked(views_5min=120), PLAIN)], POLICY, Serving("shadow", Model.of(trained())))
    assert rules.features == model.features
    row = np.array([list(model.features.values())])
    assert model.risk_score == pytest.approx(trained().score(row)[0], rel=1e-9)
    assert (rules.risk_score, rules.model_version, model.model_version) == (0.2, "", "v7")


def test_a_flagged_image_is_never_below_review_whatever_the_model_says() -> None:
    harmless = Model("v0", np.zeros(len(FEATURES)), -9.0, np.zeros(len(FEATURES)))
    (_, flagged), (_, other) = (
        decide([(asked(total_flags=flags), PLAIN)], POLICY, Serving("model", harmless)) for flags in (1, 0)
    )
    assert (flagged.recommendation, other.recommendation) == ("REVIEW", "SAFE")
    assert flagged.risk_score < 0.001
    assert flagged.rationale["floor"] == "flagged"
    assert "floor" not in other.rationale
    assert flagged.why.endswith("; never below REVIEW, since it was flagged")


def test_the_reasons_are_the_features_that_move_the_score() -> None:
    weights = np.zeros(len(FEATURES))
    weights[FEATURES.index("views_5min")], weights[FEATURES.index("comments_5min")] = 0.5, -2.0
    model = Model("v0", weights, 0.0, np.zeros(len(FEATURES)))
    _, decision = decide([(asked(views_5min=8, comments_5min=3), PLAIN)], POLICY, Serving("shadow", model))
    first, second = decision.rationale["features"][:2]
    assert first == {"feature": "comments_5min", "value": 3, "log_odds": -6}
    assert second == {"feature": "views_5min", "value": 8, "log_odds": 4}
    assert decision.risk_score == pytest.approx(1 / (1 + np.exp(2)))
    assert "comments_5min, views_5min" in decision.why


def imported_by(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"gourmetgram"}


def test_the_lock_of_the_services_has_what_a_model_needs_to_be_loaded() -> None:
    """It is imported only once a model is deployed, so a missing package would be noticed late."""
    folder = ROOT / "services/gourmetgram/training"
    imported = imported_by(folder / "artifacts.py") | imported_by(folder / "model.py")
    needed = {"scikit-learn" if name == "sklearn" else name for name in imported}
    locked = {line.split("==")[0] for line in (ROOT / "locks/services.txt").read_text().splitlines() if "==" in line}
    assert needed >= {"scikit-learn", "joblib"}
    assert needed <= locked
