"""From requests and facts to decisions. Values in, values out: no clock, no broker, no database."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import Facts, compute, named
from gourmetgram.core.moderation import COUNT_NAMES, ModerationRequest
from gourmetgram.core.policy import Policy, Rule, Verdict


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
    """One row of the table `moderation`."""

    request: ModerationRequest
    verdict: Verdict
    policy_version: str
    features: Mapping[str, float]

    @property
    def rationale(self) -> dict[str, Any]:
        """Which rules of which policy led here, for people."""
        return {"policy": self.policy_version, "rules": [_told(rule) for rule in self.verdict.rules]}


def decide(asked: Sequence[tuple[ModerationRequest, Subject]], policy: Policy) -> list[Decision]:
    """One decision per request, from the counts that the request froze and the facts about its subject."""
    if not asked:
        return []
    vectors = [named(row) for row in compute(_facts(asked))]
    return [
        Decision(request, policy.judge(vector), policy.version, vector)
        for (request, _), vector in zip(asked, vectors, strict=True)
    ]


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
