"""A decision in words: what was counted, and why that came out. Values in, words out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MINUTE, HOUR, DAY = 60, 3600, 86_400
LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Signal:
    """One feature for people: its name in the vector, what it is, and its value as text."""

    feature: str
    words: str
    value: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason for a score: what added how much, and a sentence if there is one."""

    name: str
    points: float | None
    reason: str


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


def signals_of(features: Mapping[str, Any]) -> list[Signal]:
    """The features that mean something to people, in the order in which they matter; what is no number is left out."""
    return [
        Signal(name, words, told(float(features[name])))
        for name, words, told in _TOLD
        if isinstance(features.get(name), int | float)
    ]


def grounds_of(rationale: Any) -> list[Ground]:
    """The reasons in a rationale: rules that fired, or features that weighed in a model.

    Its shape depends on who decided. Lists of objects are read with the words that they bring along, and whatever is
    neither is shown as it is.
    """
    if not isinstance(rationale, dict):
        return []
    lists = [value for value in rationale.values() if isinstance(value, list)]
    return [_ground(entry) for entries in lists for entry in entries if isinstance(entry, dict)]


def _ground(entry: Mapping[str, Any]) -> Ground:
    name = next((str(entry[key]) for key in ("name", "feature") if key in entry), "")
    keys = ("points", "contribution", "weight", "share")
    points = next((float(entry[key]) for key in keys if isinstance(entry.get(key), int | float)), None)
    reason = str(entry.get("reason", ""))
    if not reason and isinstance(entry.get("value"), int | float):
        reason = f"its value was {number(float(entry['value']))}"
    return Ground(name, points, reason[:LONGEST_REASON])


def decided_by(decision: Mapping[str, Any]) -> str:
    """Who decided: the rules or a model, and which version."""
    if decision["inference_mode"] == "model":
        return f"model {decision['model_version']}, with the borders of policy {decision['policy_version']}"
    return f"rules, policy {decision['policy_version']}"
