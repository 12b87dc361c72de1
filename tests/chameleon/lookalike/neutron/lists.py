"""What lists have in common."""

from collections.abc import Iterable, Mapping
from typing import Any


def matching(shown: Iterable[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a list request asks for: every parameter that is a field must be equal."""
    return [one for one in shown if all(str(one[name]) == value for name, value in query.items() if name in one)]
