"""How good scores are, computed for many weightings of the rows at once.

Every function takes `weights` (weightings by rows) and returns one number for each weighting; it is NaN where it is not
defined. Ones give the plain metric, and how often a resample of the bootstrap has drawn each row gives its replicate.
"""

from typing import Final, NamedTuple

import numpy as np

from gourmetgram.core.features import Numbers
from gourmetgram.training.arrays import Labels, Mask

BINS: Final = 10
"""Bins of equal width, from 0 to 1, in which probabilities are compared with what came true."""


class Ranking(NamedTuple):
    """How much weight of each label there is at each distinct score, from the highest score down."""

    positives: Numbers
    negatives: Numbers

    @classmethod
    def of(cls, labels: Labels, scores: Numbers, weights: Numbers) -> "Ranking":
        """Weightings by distinct scores."""
        order = np.argsort(-scores, kind="stable")
        starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
        ordered = weights[:, order]
        positives = np.add.reduceat(ordered * labels[order], starts, axis=1)
        return cls(positives, np.add.reduceat(ordered, starts, axis=1) - positives)

    def average_precision(self) -> Numbers:
        """Sum over the scores of precision times the gain of recall, without interpolation, as scikit-learn does."""
        found = self.positives.cumsum(axis=1)
        precision = _share(found, found + self.negatives.cumsum(axis=1))
        return _share((np.nan_to_num(precision) * self.positives).sum(axis=1), found[:, -1])

    def roc_auc(self) -> Numbers:
        """How often a flagged row scores higher than another; equal scores count half."""
        above = self.positives.cumsum(axis=1) - self.positives / 2
        pairs = self.positives.sum(axis=1) * self.negatives.sum(axis=1)
        return _share((above * self.negatives).sum(axis=1), pairs)


class AtThreshold(NamedTuple):
    """What happens if all rows that reach a threshold are chosen."""

    share: Numbers
    precision: Numbers
    recall: Numbers

    @classmethod
    def of(cls, labels: Labels, chosen: Mask, weights: Numbers) -> "AtThreshold":
        """Share of the rows chosen; of those, share that were flagged; of the flagged, share that was chosen."""
        picked, positives = weights @ chosen, weights @ labels
        found = weights @ (chosen & (labels == 1))
        return cls(_share(picked, weights.sum(axis=1)), _share(found, picked), _share(found, positives))


def brier(labels: Labels, probabilities: Numbers, weights: Numbers) -> Numbers:
    """Mean squared distance of probabilities from what came true."""
    return _share(weights @ (probabilities - labels) ** 2, weights.sum(axis=1))


class Reliability(NamedTuple):
    """In each bin (weightings by BINS): the weight of its rows, their mean probability, their share of flagged ones."""

    rows: Numbers
    predicted: Numbers
    observed: Numbers

    @classmethod
    def of(cls, labels: Labels, probabilities: Numbers, weights: Numbers) -> "Reliability":
        """Row by row a probability belongs to one bin; 1 belongs to the last one."""
        bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
        inside = (bins[:, np.newaxis] == np.arange(BINS)).astype(np.float64)
        rows = weights @ inside
        predicted = weights @ (inside * probabilities[:, np.newaxis])
        observed = weights @ (inside * labels[:, np.newaxis])
        return cls(rows, _share(predicted, rows), _share(observed, rows))

    def calibration_error(self) -> Numbers:
        """Mean distance of predicted from observed over the bins, weighted by their rows (ECE; Naeini et al., 2015)."""
        distance = np.nan_to_num(np.abs(self.predicted - self.observed))
        return _share((self.rows * distance).sum(axis=1), self.rows.sum(axis=1))


def _share(part: Numbers, whole: Numbers) -> Numbers:
    """Part of the whole; NaN of nothing."""
    shares: Numbers = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return shares
