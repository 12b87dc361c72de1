"""The hand-written rules on many rows at once."""

import numpy as np

from gourmetgram.core.features import FEATURES, Numbers, named
from gourmetgram.core.policy import Condition, Policy, Rule
from gourmetgram.training.arrays import Mask


def risk_scores(policy: Policy, features: Numbers) -> Numbers:
    """The risk score of each row (n by 29), as `Policy.judge` gives it.

    There are few combinations of rules. One row of each is judged by the policy itself; the others get its score.
    """
    fired = np.zeros(len(features), np.int64)
    for bit, rule in enumerate(policy.rules):
        fired |= _fires(rule, features).astype(np.int64) << bit
    _, first, combination = np.unique(fired, return_index=True, return_inverse=True)
    judged = [policy.judge(named(features[row])).risk_score for row in first]
    return np.array(judged, dtype=np.float64)[combination]


def _fires(rule: Rule, features: Numbers) -> Mask:
    fires: Mask = np.logical_and.reduce(
        [_holds(condition, features[:, FEATURES.index(condition.feature)]) for condition in rule.when]
    )
    return fires


def _holds(condition: Condition, values: Numbers) -> Mask:
    """As `Condition.holds`, for a whole column."""
    holds = np.ones(len(values), np.bool_)
    if condition.at_least is not None:
        holds &= values >= condition.at_least
    if condition.above is not None:
        holds &= values > condition.above
    if condition.at_most is not None:
        holds &= values <= condition.at_most
    if condition.below is not None:
        holds &= values < condition.below
    return holds
