"""Which images wait for a person, the riskiest first.

An image waits while a flag on it, or on a comment below it, is open; and while its newest served decision (by `as_of`)
says REVIEW or FLAG and nobody has decided about the image since, or it was a milder decision that they had seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from gourmetgram.api.database import Database
from gourmetgram.api.moderation.versions import Seen, newest
from gourmetgram.core.moderation import NEWEST_FIRST, Trigger

Recommended = Literal["FLAG", "REVIEW", "SAFE", "NONE"]
"""What the newest decision recommends; NONE where there is no decision."""

KEY_PATTERN: Final = r"^(0|1|0\.[0-9]{1,20}|[1-9](\.[0-9]{1,20})?e-[0-9]{1,3}):[0-9]{1,18}$"
# As precise as numbers are: a score between 0 and 1 as Python writes it, and an id.

_WAITING: Final = f"""
WITH open AS (
    SELECT i.id, count(*) AS flags
    FROM flags f LEFT JOIN comments c ON c.id = f.comment_id JOIN images i ON i.id = coalesce(f.image_id, c.image_id)
    WHERE f.review_status = 'pending'
      AND (f.image_id IS NOT NULL OR (c.deleted_at IS NULL AND NOT i.moderator_hidden))
    GROUP BY i.id
), candidate AS (
    SELECT id FROM open
    UNION
    SELECT target_id FROM moderation WHERE served AND target_type = 'image' AND recommendation <> 'SAFE'
), waiting AS (
    SELECT i.id, coalesce(d.risk_score, 0) AS risk, coalesce(open.flags, 0) AS open_flags, d.id AS decision_id,
           d.risk_score, d.recommendation, d.trigger_type, d.as_of
    FROM candidate JOIN images i USING (id) LEFT JOIN open USING (id)
    LEFT JOIN LATERAL (
        SELECT id, risk_score, recommendation, trigger_type, as_of FROM moderation
        WHERE target_type = 'image' AND target_id = i.id AND served ORDER BY {NEWEST_FIRST} LIMIT 1
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT s.recommendation FROM moderation_actions a LEFT JOIN moderation s ON s.id = a.decision_id
        WHERE a.image_id = i.id AND a.target_type = 'image' ORDER BY a.id DESC LIMIT 1
    ) seen ON true
    WHERE i.deleted_at IS NULL AND (
        open.flags > 0
        OR (NOT i.moderator_hidden
            AND array_position(ARRAY['SAFE', 'REVIEW', 'FLAG'], d.recommendation)
                > greatest(1, array_position(ARRAY['SAFE', 'REVIEW', 'FLAG'], seen.recommendation))))
      AND ($1::text IS NULL OR coalesce(d.recommendation, 'NONE') = $1)
      AND ($2::text IS NULL OR d.trigger_type = $2)
)
"""  # noqa: S608 - our own text

_PAGE: Final = f"""{_WAITING}
SELECT page.*, i.user_id, i.caption, i.category, i.created_at, i.views, i.moderator_hidden,
       (SELECT count(*) FROM waiting) AS all_waiting,
       {newest("page.id")}
FROM (
    SELECT * FROM waiting WHERE $3::float8 IS NULL OR risk < $3 OR (risk = $3 AND id > $4)
    ORDER BY risk DESC, id LIMIT $5
) page JOIN images i USING (id)
ORDER BY risk DESC, id
"""  # noqa: S608 - our own text

_COUNT: Final = f"{_WAITING} SELECT count(*) AS waiting FROM waiting"  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the queue is asked for; None: everything."""

    recommendation: Recommended | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A place in the queue: behind the item of this risk and id."""

    risk: float
    id: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reverse of `str()`.

        Raises:
            ValueError: it is not of that form.
        """
        if not re.fullmatch(KEY_PATTERN, text, re.ASCII):
            raise ValueError(f"expected a place in the queue, such as 0.7:12, got {text!r}")
        risk, identifier = text.split(":")
        return cls(float(risk), int(identifier))

    def __str__(self) -> str:
        return f"{repr(float(self.risk)).removesuffix('.0')}:{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what waits, and how many wait in all; `rows` are the facts of one image each."""

    rows: Sequence[Mapping[str, Any]]
    waiting: int
    next: Key | None


def key_of(row: Mapping[str, Any]) -> Key:
    """Where this row is in the queue."""
    return Key(row["risk"], row["id"])


def seen_of(row: Mapping[str, Any]) -> Seen:
    """What somebody who is shown this row has seen."""
    return Seen(row["newest_action"], row["newest_flag"], row["decision_id"] or 0)


async def page_of(database: Database, filters: Filters, after: Key | None, limit: int) -> Page:
    """The next items behind a place in the queue. The key is the place, so nothing is skipped when items leave."""
    place = (after.risk, after.id) if after else (None, None)
    rows = await database.rows(_PAGE, filters.recommendation, filters.trigger, *place, limit + 1)
    if not rows:
        return Page([], await _count(database, filters), None)
    page = rows[:limit]
    return Page(page, rows[0]["all_waiting"], key_of(page[-1]) if len(rows) > limit else None)


async def _count(database: Database, filters: Filters) -> int:
    row = await database.row(_COUNT, filters.recommendation, filters.trigger)
    assert row is not None  # noqa: S101 - an aggregate is one row
    return int(row["waiting"])
