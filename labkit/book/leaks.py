"""Passwords must not get into text that others will see."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from labkit.book.errors import SnippetError

SHORTEST_SECRET = 8
"""Shorter values are words that may stand anywhere."""

_NAMES = ("_USER", "_USERNAME", "_HOST", "_REGION")
"""Settings that end so hold names, which the lab text may mention."""

_MACHINE = "LAB_"
"""Settings that begin so say what this machine is."""


def secret_settings(settings: Mapping[str, str], published: Mapping[str, str]) -> dict[str, str]:
    """Those of docker/.env that nobody may see: not the ones `published` in the template with the same value."""
    return {
        name: value
        for name, value in settings.items()
        if len(value) >= SHORTEST_SECRET
        and not (name.endswith(_NAMES) or name.startswith(_MACHINE))
        and published.get(name) != value
    }


def refuse(texts: Iterable[tuple[Path, str]], secrets: Mapping[str, str]) -> None:
    """Stop when a text holds a secret, as it is or escaped as in JSON.

    Raises:
        SnippetError: naming file and setting, never the value.
    """
    found = [
        f"{file.name} contains the value of {name} from docker/.env"
        for file, text in texts
        for name, value in secrets.items()
        if value in text or json.dumps(value)[1:-1] in text or json.dumps(value, ensure_ascii=False)[1:-1] in text
    ]
    if found:
        raise SnippetError(
            "; ".join(found) + ". Read it with lab.setting(…) instead, and build again. Was it published? Change it."
        )
