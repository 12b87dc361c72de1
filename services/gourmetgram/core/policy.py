"""Hand-written rules: which signs add how much risk, and what a score means. Rules are data, in `policies/`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gourmetgram.core.features import FEATURES

FOLDER = Path(__file__).parent / "policies"

Recommendation = Literal["SAFE", "REVIEW", "FLAG"]

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feature compared with numbers; those that are given must all hold."""

    feature: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if self.feature not in FEATURES:
            raise ValueError(f"expected one of the {len(FEATURES)} features, got {self.feature!r}")
        if {self.at_least, self.above, self.at_most, self.below} == {None}:
            raise ValueError(f"the condition on {self.feature} compares with nothing")

    def holds(self, value: float) -> bool:
        """Whether this value of the feature satisfies the condition."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points for a sign of risk, given when all its conditions hold; `reason` is for people."""

    name: str
    when: Annotated[tuple[Condition, ...], msgspec.Meta(min_length=1)]
    points: Share
    reason: str


class Verdict(msgspec.Struct, frozen=True):
    """A risk score between 0 and 1, what to do about it, and the rules that led there."""

    risk_score: float
    recommendation: Recommendation
    rules: tuple[Rule, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules and the two borders: REVIEW from `review_from` on, FLAG above `flag_above`."""

    version: str
    rules: tuple[Rule, ...]
    review_from: Share
    flag_above: Share

    def __post_init__(self) -> None:
        if self.review_from > self.flag_above:
            raise ValueError(f"expected review_from up to flag_above, got {self.review_from} and {self.flag_above}")

    def judge(self, features: Mapping[str, float]) -> Verdict:
        """Add up the points of the rules that hold, capped at 1."""
        fired = tuple(
            rule for rule in self.rules if all(condition.holds(features[condition.feature]) for condition in rule.when)
        )
        score = min(1.0, round(sum(rule.points for rule in fired), 6))  # 0.1 + 0.2 must not exceed 0.3
        return Verdict(score, self.recommend(score, flagged=features["total_flags"] > 0), fired)

    def recommend(self, score: float, *, flagged: bool) -> Recommendation:
        """What a score means. An image that somebody has flagged is never below REVIEW, whoever computed the score."""
        if score > self.flag_above:
            return "FLAG"
        return "REVIEW" if flagged or score >= self.review_from else "SAFE"


@cache
def load(version: str) -> Policy:
    """The policy of this version.

    Raises:
        ValueError: there is none, or its file is not a policy; the message names what is wrong.
    """
    path = FOLDER / f"{version}.yaml"
    known = sorted(file.stem for file in FOLDER.glob("*.yaml"))
    if version not in known:
        raise ValueError(f"expected a policy out of {', '.join(known)}, got {version!r}")
    try:
        policy = msgspec.yaml.decode(path.read_bytes(), type=Policy)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    if policy.version != version:
        raise ValueError(f"{path}: expected version {version!r}, got {policy.version!r}")
    return policy
