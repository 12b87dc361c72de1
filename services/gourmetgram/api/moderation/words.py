"""Times and places as the pages write them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import urlencode

from gourmetgram.api.moderation.queue import Filters, Recommended
from gourmetgram.core.moderation import TRIGGERS

RECOMMENDED: tuple[str, ...] = get_args(Recommended)

TRIGGER_WORDS: Mapping[str, str] = {
    "upload": "it was posted",
    "anchor": "it reached an age",
    "viral": "it got many views at once",
    "suspicious": "it got many comments at once",
    "flagged": "people flagged it",
}
"""Why an image was scored, for people."""


def moment(at: datetime) -> str:
    """An instant to the minute."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def number_of(text: str | None) -> int | None:
    """The id in a parameter; None when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None


def filters_of(parameters: Mapping[str, str]) -> Filters:
    """The filters in the parameters of a page; what is empty or unknown filters nothing."""
    recommendation = next((one for one in get_args(Recommended) if one == parameters.get("recommendation")), None)
    trigger = next((one for one in TRIGGERS if one == parameters.get("trigger")), None)
    return Filters(recommendation, trigger)


def address(path: str, filters: Filters, **parameters: object) -> str:
    """The address of a page, which keeps the filters and adds what is not None."""
    named = {"recommendation": filters.recommendation, "trigger": filters.trigger} | parameters
    query = urlencode({name: value for name, value in named.items() if value is not None})
    return f"{path}?{query}" if query else path
