"""Who decides: the rules, or a model, or both of them while only one is heard. Values in, values out: no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np

from gourmetgram.core.features import FEATURES, Numbers
from gourmetgram.core.moderation import Mode

TOLD: Final = 5
"""Features named as the reasons of a model's score."""


class Trained(Protocol):
    """A model as the training makes it, see training/model.py."""

    @property
    def version(self) -> str:
        """Its name."""

    @property
    def scaler(self) -> Any:
        """A fitted StandardScaler."""

    @property
    def calibrated(self) -> Any:
        """The classifier, a linear one, and the calibrator of its scores."""

    def score(self, features: Numbers) -> Numbers:
        """P(flag) for each row."""


class Model(NamedTuple):
    """A calibrated linear model in one step: P(flag) = 1 / (1 + exp(-(features · weights + offset))).

    Scaling, classifier and calibrator are linear one after the other, so together they are one line of numbers: a
    single row is scored in microseconds, where scikit-learn's checks of its arguments take half a millisecond.
    """

    version: str
    weights: Numbers
    offset: float
    centre: Numbers
    """Mean of each feature in the training: what a contribution is counted from."""

    @classmethod
    def of(cls, trained: Trained) -> Self:
        """The same model.

        Raises:
            ValueError: the two do not give the same scores, so this one is not a model of that kind.
        """
        scaler, classifier = trained.scaler, trained.calibrated.classifier
        calibrator = trained.calibrated.calibrator
        slope = float(calibrator.coef_[0, 0])
        weights = slope * classifier.coef_[0] / scaler.scale_
        offset = slope * float(classifier.intercept_[0]) + float(calibrator.intercept_[0]) - weights @ scaler.mean_
        model = cls(trained.version, weights, float(offset), np.asarray(scaler.mean_))
        probes = scaler.mean_ + scaler.scale_ * np.linspace(-3, 3, 13)[:, np.newaxis]
        if not np.allclose(model.score(probes), trained.score(probes), rtol=1e-9, atol=1e-12):
            raise ValueError(f"model {trained.version} is not linear in its features, which is what can be served here")
        return model

    def score(self, features: Numbers) -> Numbers:
        """P(flag) for each row of features (n x 29)."""
        logits = features @ self.weights + self.offset
        probabilities: Numbers = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        return probabilities

    def reasons(self, row: Numbers) -> list[dict[str, Any]]:
        """The features that move the score of a row the farthest from that of an average one, in log odds."""
        moves = self.weights * (row - self.centre)
        farthest = np.argsort(-np.abs(moves))[:TOLD]
        return [
            {"feature": FEATURES[number], "value": float(row[number]), "log_odds": round(float(moves[number]), 4)}
            for number in farthest
        ]


@dataclass(frozen=True, slots=True)
class Serving:
    """Who is asked, and who is heard."""

    mode: Mode = "heuristic"
    model: Model | None = None

    @property
    def asked_model(self) -> Model | None:
        """The model, if it is to score the requests; none is asked by rules alone."""
        return None if self.mode == "heuristic" else self.model

    @property
    def is_model_heard(self) -> bool:
        """Whether the model's decision counts. Without a model that can be used, the rules' one does."""
        return self.mode == "model" and self.model is not None

    def told(self) -> Mapping[str, str]:
        """For logs."""
        return {"mode": self.mode, "model": self.model.version if self.model else "none"}


RULES_ALONE: Final = Serving()
