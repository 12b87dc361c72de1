"""What a check is, and what is said about many of them."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypedDict

Level = Literal["error", "warning"]

ENOUGH: Final = 500
"""Rows from which on shares and distributions say something; with fewer, a failure is a warning."""


class Check(TypedDict):
    """A question about the data, and what was found; all of it is text for people."""

    name: str
    level: Level
    passed: bool
    found: str
    expected: str


class PipelineUnsound(RuntimeError):
    """Something that was checked is wrong; the message names everything that is."""


def level_for(rows: int) -> Level:
    """How bad it is when a check fails that is about distributions."""
    return "error" if rows >= ENOUGH else "warning"


def told(checks: Iterable[Check]) -> Iterator[str]:
    """A line for each check; a second one with what had been expected where it failed."""
    for one in checks:
        state = "ok" if one["passed"] else one["level"]
        yield f"{state:8} {one['name']}: {one['found']}"
        if not one["passed"]:
            yield f"{'':8} expected: {one['expected']}"


def require_sound(checks: Iterable[Check]) -> None:
    """Let warnings pass.

    Raises:
        PipelineUnsound: something else failed.
    """
    failed = [one for one in checks if not one["passed"] and one["level"] == "error"]
    if failed:
        raise PipelineUnsound("\n  ".join([f"{len(failed)} checks failed:", *told(failed)]))
