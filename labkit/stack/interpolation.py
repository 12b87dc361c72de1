"""Variables in a Compose file, as Docker Compose understands them."""

import re
from collections.abc import Mapping
from typing import Any

from labkit.stack.errors import StackError

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<operator>:-|:\?)(?P<text>[^}]*))?\})")


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """The value with `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` filled in, at any depth.

    Raises:
        StackError: a variable with `:?` is missing or empty.
    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _fill(match, variables), value)
    if isinstance(value, list):
        return [interpolate(one, variables) for one in value]
    if isinstance(value, dict):
        return {key: interpolate(one, variables) for key, one in value.items()}
    return value


def _fill(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, operator, text = match["name"], match["operator"], match["text"]
    if name is None:
        return "$"
    value = variables.get(name, "")
    if not value and operator == ":?":
        raise StackError(f"The variable {name} is not set. {text or 'It belongs into docker/.env.'}")
    return value or (text or "")
