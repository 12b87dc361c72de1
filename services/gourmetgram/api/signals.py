"""A decision in words: what was counted, and why that came out. Values in, words out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Signal:
    """One feature for people: its name in the vector, what it is, and its value as text."""

    feature: str
    words: str
    value: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason for a score: what added how much (points of a rule, log odds of a model), and why, if it is known."""

    name: str
    points: float | None
    reason: str


FLOOR: Final = Ground("Flagged", None, "so it is never below REVIEW, however low its score")


def duration(seconds: float) -> str:
    """A length of time in the largest unit that fits, such as "5 min"."""
    for size, unit in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            amount = number(round(seconds / size, 1))
            return f"{amount} {'day' if (amount, unit) == ('1', 'days') else unit}"
    return f"{number(round(seconds))} s"


def number(value: float) -> str:
    """A number without needless digits."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0").rstrip(".")


def _days(value: float) -> str:
    return duration(value * DAY)


_TOLD: Final[tuple[tuple[str, str, Callable[[float], str]], ...]] = (
    ("total_flags", "Flags in all", number),
    ("flags_5min", "Flags in the last 5 minutes", number),
    ("flags_1hr", "Flags in the last hour", number),
    ("comments_5min", "Comments in the last 5 minutes", number),
    ("comments_1hr", "Comments in the last hour", number),
    ("views_5min", "Views in the last 5 minutes", number),
    ("views_1hr", "Views in the last hour", number),
    ("view_velocity_per_min", "Views per minute", number),
    ("comment_to_view_ratio", "Comments per view, last hour", number),
    ("time_since_upload_seconds", "Age of the post", duration),
    ("user_image_count", "Posts by this user", number),
    ("user_age_days", "Age of the account", _days),
)


_WEIGHED: Final[tuple[tuple[str, str, Callable[[float], str]], ...]] = (
    *_TOLD,
    ("caption_length", "Characters in the caption", number),
    ("has_caption", "Has a caption (1) or none (0)", number),
    ("hour_of_day", "Hour of the day, UTC", number),
    ("day_of_week", "Day of the week, Monday is 0", number),
    ("is_weekend", "Weekend (1) or not (0)", number),
    ("recent_engagement_score", "Views and comments, last 5 minutes", number),
)
_WORDS: Final = {name: (words, told) for name, words, told in _WEIGHED}


def signals_of(features: Mapping[str, Any]) -> list[Signal]:
    """The features that mean something to people, in the order in which they matter; what is no number is left out."""
    return [
        Signal(name, words, told(float(features[name])))
        for name, words, told in _TOLD
        if isinstance(features.get(name), int | float)
    ]


def grounds_of(rationale: Any) -> list[Ground]:
    """The reasons in a rationale: rules that fired, or features that moved a model's score the farthest.

    What is neither is left out: its shape belongs to the scorer, and a page about a photo must not fail on it.
    """
    if not isinstance(rationale, dict):
        return []
    floor = [FLOOR] if rationale.get("floor") == "flagged" else []
    return [*floor, *_entries(rationale, "rules", _fired), *_entries(rationale, "features", _moved)]


def _entries(rationale: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], Ground]) -> list[Ground]:
    entries = rationale.get(name)
    return [read(one) for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def _fired(rule: Mapping[str, Any]) -> Ground:
    return Ground(str(rule.get("name", "")), _float(rule.get("points")), str(rule.get("reason", "")))


def _moved(reason: Mapping[str, Any]) -> Ground:
    name, value = str(reason.get("feature", "")), _float(reason.get("value"))
    words, told = _WORDS.get(name, (name.replace("_", " ").capitalize(), number))
    return Ground(words, _float(reason.get("log_odds")), "" if value is None else f"was {told(value)}")


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def decided_by(decision: Mapping[str, Any]) -> str:
    """Who decided: the rules or a model, and which version."""
    if decision["inference_mode"] == "model":
        return f"model {decision['model_version']}, with the borders of policy {decision['policy_version']}"
    return f"rules, policy {decision['policy_version']}"
