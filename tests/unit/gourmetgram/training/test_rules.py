import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.core import policy
from gourmetgram.core.features import FEATURES, named
from gourmetgram.training.rules import risk_scores

VERSIONS = ("v1", "v2")
COLUMNS = tuple(sorted({one.feature for name in VERSIONS for rule in policy.load(name).rules for one in rule.when}))
EDGES = (0, 0.5, 0.5000001, 1, 9, 10, 11, 59, 60, 99, 100, 101)
"""Values on, above and below everything that the rules compare with."""

rows = st.lists(st.tuples(*(st.sampled_from(EDGES) for _ in COLUMNS)), min_size=1, max_size=50)


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None, max_examples=40)
@given(rows)
def test_every_row_gets_the_score_that_the_policy_gives_it(version: str, chosen: list[tuple[float, ...]]) -> None:
    rules = policy.load(version)
    features = np.full((len(chosen), len(FEATURES)), 3.0)
    for position, name in enumerate(COLUMNS):
        features[:, FEATURES.index(name)] = [row[position] for row in chosen]
    one_by_one = [rules.judge(named(row)).risk_score for row in features]
    assert risk_scores(rules, features).tolist() == one_by_one


def test_no_rows_have_no_scores() -> None:
    assert risk_scores(policy.load("v1"), np.zeros((0, len(FEATURES)))).tolist() == []
