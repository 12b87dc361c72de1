"""Makes the last lines of a log readable for a person: JSON becomes a sentence, repetition a count."""

import json
import re
from itertools import groupby
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ASIDE = frozenset({"event", "level", "timestamp", "exception", "request_id", "logger"})
"""Fields of a log line that are shown in another way, or say nothing to a person who reads the end of a log."""


def readable(text: str) -> str:
    """The text without colours, each line that is a JSON log entry as a sentence, equal neighbours as one."""
    lines = [_sentence(line.rstrip()) for line in ANSI.sub("", text).splitlines()]
    return "\n".join(_counted(line, len(list(same))) for line, same in groupby(lines))


def _sentence(line: str) -> str:
    entry = _entry(line)
    if entry is None:
        return line
    level = f"{entry['level']}: " if "level" in entry else ""
    more = " ".join(f"{name}={value}" for name, value in entry.items() if name not in ASIDE)
    # Of a traceback the last line says what happened; the rest is in the log.
    reason = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    return level + "; ".join(part for part in (str(entry["event"]).strip(), reason, more) if part)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def _counted(line: str, times: int) -> str:
    return f"{line} ({times} times)" if times > 1 and line else line
