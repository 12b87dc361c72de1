"""Fitting, batch by batch: what is in memory does not grow with the data."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import StandardScaler

from gourmetgram.core.features import FEATURES, ONE_HOT, Numbers
from gourmetgram.training.arrays import Labels
from gourmetgram.training.errors import NotEnough

AS_THEY_ARE: Final = [FEATURES.index(name) for name in ONE_HOT]
"""Columns that are not scaled: 0 and 1 say it all, and their coefficients can be compared."""

STEP: Final = 0.01
"""Length of the classifier's steps, always the same; the mean of all positions on the way is what counts (Polyak and
Juditsky, 1992). scikit-learn's default starts with steps a thousand times as long and is nowhere near the optimum after
a few passes over ten thousand rows."""


PRIOR: Final = 50.0
"""How strongly coefficients are held near 0: as many rows as this weigh against them, however many there are (the
precision of a normal prior; the inverse of scikit-learn's C). Ninety flagged images say little about 29 features. This
one was chosen on worlds of other seeds than the lab's, where anything from 10 to 300 does about as well."""


class Rows(NamedTuple):
    """Rows to learn from: features (n by 29), and labels 0 or 1."""

    features: Numbers
    labels: Labels


Pass = Callable[[], Iterator[Rows]]
"""Goes through all rows once, in batches; each time the same rows in the same order."""


class Survey(NamedTuple):
    """What the first pass finds out."""

    scaler: StandardScaler
    negatives: int
    positives: int

    @property
    def flagged_share(self) -> float:
        """The share of flagged rows: the best guess of who knows nothing else."""
        return self.positives / (self.positives + self.negatives)

    @property
    def class_weights(self) -> Numbers:
        """The weight of a row by its label, so that both classes count the same, and a row counts 1 on average."""
        counts = np.array([self.negatives, self.positives])
        weights: Numbers = counts.sum() / (2.0 * counts)
        return weights


def survey(go_through: Pass) -> Survey:
    """The first pass: mean and deviation of each feature, and how many rows there are of each class.

    Raises:
        NotEnough: one of the classes is missing.
    """
    scaler = StandardScaler()
    rows = positives = 0
    for features, labels in go_through():
        if len(labels):
            scaler.partial_fit(features)
            rows += len(labels)
            positives += int(np.count_nonzero(labels))
    require_both("training", rows, positives)
    return Survey(_leaving_one_hot(scaler), rows - positives, positives)


def require_both(part: str, rows: int, positives: int) -> None:
    """Raise NotEnough if the rows of a part are all of one class."""
    if not 0 < positives < rows:
        raise NotEnough(f"expected flagged and other images in the {part}, got {positives} flagged rows of {rows}")


def _leaving_one_hot(scaler: StandardScaler) -> StandardScaler:
    scaler.mean_[AS_THEY_ARE] = 0.0
    scaler.var_[AS_THEY_ARE] = 1.0
    scaler.scale_[AS_THEY_ARE] = 1.0
    return scaler


# <fit>
def fit(go_through: Pass, first: Survey, *, passes: int, seed: int) -> SGDClassifier:
    """Logistic regression by stochastic gradient descent.

    Rows are shuffled within each batch. The mean is taken from the second pass on, if there is one.
    """
    rows = first.negatives + first.positives
    classifier = SGDClassifier(
        loss="log_loss",
        alpha=PRIOR / rows,
        learning_rate="constant",
        eta0=STEP,
        average=rows if passes > 1 else True,
        random_state=seed,
    )
    weights = first.class_weights
    for _ in range(passes):
        for features, labels in go_through():
            if len(labels):
                scaled = first.scaler.transform(features)
                classifier.partial_fit(scaled, labels, classes=[0, 1], sample_weight=weights[labels])
    return classifier


# </fit>


def calibrate(decisions: Numbers, labels: Labels) -> LogisticRegression:
    """A sigmoid from the classifier's scores to probabilities (Platt, 1999), from rows that it has not seen.

    Rows have no weights here. So this also takes back the class weights, which make scores too high.

    Raises:
        NotEnough: one of the classes is missing.
    """
    require_both("calibration", len(labels), int(np.count_nonzero(labels)))
    return LogisticRegression(C=np.inf).fit(decisions[:, np.newaxis], labels)
