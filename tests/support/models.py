"""Models that need no training data."""

import numpy as np
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import StandardScaler

from gourmetgram.core.features import FEATURES
from gourmetgram.training.model import CalibratedClassifier, Model, category_encoder


def trained(seed: int = 1, version: str = "v7") -> Model:
    """A model of noise, but for views in five minutes."""
    chance = np.random.default_rng(seed)
    features = chance.normal(3, 2, (4000, len(FEATURES)))
    labels = (features[:, FEATURES.index("views_5min")] + chance.normal(0, 1, 4000) > 4).astype(int)
    scaler = StandardScaler().fit(features)
    classifier = SGDClassifier(loss="log_loss", random_state=seed).fit(scaler.transform(features), labels)
    decisions = classifier.decision_function(scaler.transform(features))
    calibrator = LogisticRegression(C=np.inf).fit(decisions[:, np.newaxis], labels)
    return Model({"version": version}, scaler, CalibratedClassifier(classifier, calibrator), category_encoder())
