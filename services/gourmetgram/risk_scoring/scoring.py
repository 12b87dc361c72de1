"""From requests and facts to decisions. Values in, values out: no clock, no broker, no database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import Facts, Numbers, compute, named
from gourmetgram.core.moderation import COUNT_NAMES, ModerationRequest
from gourmetgram.core.policy import Policy, Recommendation, Rule
from gourmetgram.risk_scoring.serving import RULES_ALONE, Model, Serving


class Subject(NamedTuple):
    """What PostgreSQL knows about an image and its uploader at the request's instant; times in unix microseconds.

    `user_image_count` counts the uploader's images up to that instant, those deleted later among them.
    """

    uploaded_at: int
    caption_length: int
    category: str
    user_image_count: int
    user_created_at: int


class Decision(NamedTuple):
    """One row of the table `moderation`. `rationale` is for people: which rules, or which features, led here."""

    request: ModerationRequest
    features: Mapping[str, float]
    inference_mode: Literal["heuristic", "model"]
    model_version: str
    policy_version: str
    risk_score: float
    recommendation: Recommendation
    rationale: Mapping[str, Any]
    served: bool

    @property
    def why(self) -> str:
        """The rationale in a line."""
        if self.inference_mode == "model":
            names = ", ".join(reason["feature"] for reason in self.rationale["features"])
            floor = "; never below REVIEW, since it was flagged" if "floor" in self.rationale else ""
            return f"model {self.model_version}, above all by {names}{floor}"
        return ", ".join(rule["reason"] for rule in self.rationale["rules"]) or "no rule applies"


def decide(
    asked: Sequence[tuple[ModerationRequest, Subject]], policy: Policy, serving: Serving = RULES_ALONE
) -> list[Decision]:
    """Decisions from the counts that each request froze and the facts about its subject.

    Each request gets one that is served. Where a model is asked, the rules' decision and the model's are both there.
    """
    if not asked:
        return []
    matrix = compute(_facts(asked))
    vectors = [named(row) for row in matrix]
    requests = [request for request, _ in asked]
    decisions = list(_by_rules(requests, vectors, policy, served=not serving.is_model_heard))
    if model := serving.asked_model:
        decisions += _by_model(requests, matrix, vectors, policy, model, served=serving.is_model_heard)
    return decisions


def _by_rules(
    requests: Sequence[ModerationRequest], vectors: Sequence[Mapping[str, float]], policy: Policy, *, served: bool
) -> Iterator[Decision]:
    for request, vector in zip(requests, vectors, strict=True):
        verdict = policy.judge(vector)
        rationale = {"policy": policy.version, "rules": [_told(rule) for rule in verdict.rules]}
        yield Decision(
            request,
            vector,
            "heuristic",
            "",
            policy.version,
            verdict.risk_score,
            verdict.recommendation,
            rationale,
            served,
        )


def _by_model(
    requests: Sequence[ModerationRequest],
    matrix: Numbers,
    vectors: Sequence[Mapping[str, float]],
    policy: Policy,
    model: Model,
    *,
    served: bool,
) -> Iterator[Decision]:
    """The policy says what a score means; the rules themselves are not asked."""
    scores = model.score(matrix).tolist()
    for request, row, vector, score in zip(requests, matrix, vectors, scores, strict=True):
        recommendation = policy.recommend(score, flagged=vector["total_flags"] > 0)
        rationale = {"model": model.version, "features": model.reasons(row)}
        if recommendation != policy.recommend(score, flagged=False):
            rationale["floor"] = "flagged"
        yield Decision(
            request, vector, "model", model.version, policy.version, score, recommendation, rationale, served
        )


def _facts(asked: Sequence[tuple[ModerationRequest, Subject]]) -> Facts:
    rows = [
        (  # in the order of Facts: one array for all columns is made faster than one for each
            request.as_of,
            subject.uploaded_at,
            *(getattr(request.counts, name) for name in COUNT_NAMES),
            subject.caption_length,
            CATEGORIES.index(subject.category),
            subject.user_image_count,
            subject.user_created_at,
        )
        for request, subject in asked
    ]
    return Facts(*np.array(rows, dtype=np.int64).T)


def _told(rule: Rule) -> dict[str, Any]:
    return {"name": rule.name, "points": rule.points, "reason": rule.reason}
