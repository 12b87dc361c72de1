"""What a trained model is: a scaler, and a classifier whose scores are turned into probabilities."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import Numbers


@dataclass(frozen=True)
class CalibratedClassifier:
    """A linear classifier, and a sigmoid that says what its scores mean."""

    classifier: SGDClassifier
    calibrator: LogisticRegression

    def predict_proba(self, scaled: Numbers) -> Numbers:
        """P(flag within a day of the upload) for each row of scaled features (n by 29)."""
        return self.probability(self.classifier.decision_function(scaled))

    def probability(self, decisions: Numbers) -> Numbers:
        """The same from the classifier's own scores, which may be any numbers."""
        calibrated: Numbers = self.calibrator.predict_proba(decisions[:, np.newaxis])[:, 1]
        return calibrated


class Model(NamedTuple):
    """A model as it is loaded: what it says about itself, and all its parts."""

    metadata: dict[str, Any]
    scaler: StandardScaler
    calibrated: CalibratedClassifier
    encoder: OneHotEncoder

    @property
    def version(self) -> str:
        """The name of the model."""
        return str(self.metadata["version"])

    def score(self, features: Numbers) -> Numbers:
        """P(flag within a day of the upload) for each row of features (n by 29, in the order of FEATURES)."""
        return self.calibrated.predict_proba(self.scaler.transform(features))


def category_encoder() -> OneHotEncoder:
    """Turns the name of a category into the last eleven features; there is nothing in it to learn."""
    encoder = OneHotEncoder(categories=[list(CATEGORIES)], sparse_output=False)
    return encoder.fit([[category] for category in CATEGORIES])
