"""The last pass: what a fitted classifier says to rows that it has not learned from, and which images it has seen."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from gourmetgram.core.features import Integers, Numbers
from gourmetgram.core.policy import Policy
from gourmetgram.training.errors import NotEnough
from gourmetgram.training.evaluation import Judged
from gourmetgram.training.fit import calibrate
from gourmetgram.training.model import CalibratedClassifier
from gourmetgram.training.rules import risk_scores
from gourmetgram.training.sample import Facts, Role


class Heard(NamedTuple):
    """Rows without their features: what is known of them, what the classifier says, and what the rules say."""

    facts: Facts
    decision: Numbers
    rules: Numbers


class Trial:
    """Collects what is said in one pass; a row takes a few dozen bytes, its features are let go."""

    def __init__(self, scaler: StandardScaler, classifier: SGDClassifier, policy: Policy) -> None:
        self._scaler = scaler
        self._classifier = classifier
        self._policy = policy
        self._counts = np.zeros(len(Role), np.int64)
        self._seen: list[Integers] = []
        self._heard: dict[Role, list[Heard]] = {Role.CALIBRATION: [], Role.HOLDOUT: []}

    def go_through(self, batches: Iterable[tuple[Numbers, Facts]]) -> None:
        """Hear the classifier and the rules on the rows that calibrate and on the holdout."""
        for features, facts in batches:
            self._counts += np.bincount(facts.role, minlength=len(Role))
            self._seen.append(np.unique(facts.image[facts.role >= Role.TRAINING]))
            for role, heard in self._heard.items():
                chosen = facts.role == role
                if chosen.any():
                    heard.append(self._hear(features[chosen], facts.only(chosen)))

    def _hear(self, features: Numbers, facts: Facts) -> Heard:
        decision = self._classifier.decision_function(self._scaler.transform(features))
        return Heard(facts, decision, risk_scores(self._policy, features))

    def rows(self) -> dict[str, int]:
        """How many rows there are of each role; together they are all that were read."""
        return {role.name.lower(): int(self._counts[role]) for role in Role}

    def images(self) -> Integers:
        """All images that have a row that was fitted, that calibrated or that measures."""
        return np.unique(np.concatenate(self._seen)) if self._seen else np.zeros(0, np.int64)

    def calibrated(self) -> CalibratedClassifier:
        """The classifier with its calibrator.

        Raises:
            NotEnough: the rows that calibrate are all of one class.
        """
        facts, decision, _ = self._all(Role.CALIBRATION)
        return CalibratedClassifier(self._classifier, calibrate(decision, facts.label))

    def judged(self, calibrated: CalibratedClassifier, constant: float) -> Judged:
        """The holdout, beside a guess that is the same for all.

        Raises:
            NotEnough: there is none.
        """
        facts, decision, rules = self._all(Role.HOLDOUT)
        return Judged(
            label=facts.label,
            image=facts.image,
            anchor=facts.anchor,
            country=facts.country,
            flagged=facts.flagged,
            model=calibrated.probability(decision),
            rules=rules,
            constant=np.full(len(decision), constant),
        )

    def _all(self, role: Role) -> Heard:
        heard = self._heard[role]
        if not heard:
            raise NotEnough(f"expected rows for the {role.name.lower()}, got none")
        return Heard(
            Facts.together([one.facts for one in heard]),
            np.concatenate([one.decision for one in heard]),
            np.concatenate([one.rules for one in heard]),
        )
