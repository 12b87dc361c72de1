"""Single checks, and the checks of a stage."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from labkit.check import progress
from labkit.paths import BUILD

Condition = object | Callable[[], object]
"""A value that is true or false, or a function without arguments that returns one."""


class CheckFailed(AssertionError):
    """Something is not as it should be; the message says what, and what to do."""


def check(what: str, condition: Condition, remedy: str, lead: str = "what to do") -> None:
    """Print that something is true; `lead` stands before the remedy when it is not.

    Raises:
        CheckFailed: it is not, or `condition` is a function and raised; the message holds the remedy.
    """
    try:
        holds = condition() if callable(condition) else condition
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip()
        raise CheckFailed(f"✗ {what}\n  it could not be checked: {reason}\n  {lead}: {remedy}") from error
    if not holds:
        raise CheckFailed(f"✗ {what}\n  {lead}: {remedy}")
    print(f"✓ {what}")


@dataclass
class Stage:
    """The checks of a stage as they are made: all of them, then the stage passes or fails as a whole."""

    name: str
    passed: int = 0
    failures: list[CheckFailed] = field(default_factory=list)

    def check(self, what: str, condition: Condition, remedy: str) -> None:
        """Print whether something is true; what is not fails the stage at its end."""
        try:
            check(what, condition, remedy)
        except CheckFailed as failure:
            print(failure)
            self.failures.append(failure)
        else:
            self.passed += 1


@contextmanager
def stage(name: str, progress_file: Path | None = None) -> Iterator[Stage]:
    """A block that makes all checks of a stage, each with `check` of the object it is given, before any of them fails.

    The result is kept in `progress_file` (default: what LAB_PROGRESS names, else build/progress.json), also when an
    error ends the block; that error then counts as one failure.

    Raises:
        CheckFailed: at the end of the block, with all that failed and what to do, or because nothing was checked.
    """
    file = progress_file or Path(os.environ.get("LAB_PROGRESS", BUILD / "progress.json"))
    checks = Stage(name)
    try:
        yield checks
    except BaseException:
        _record(file, checks, len(checks.failures) + 1)
        raise
    nothing = not checks.passed and not checks.failures
    _record(file, checks, len(checks.failures) or int(nothing))
    if nothing:
        raise CheckFailed(f"✗ {name}\n  what to do: this stage checked nothing; put its checks inside the with block")
    if checks.failures:
        total = checks.passed + len(checks.failures)
        listed = "\n".join(map(str, checks.failures))
        # The functions' own tracebacks say nothing to a student; the messages hold what matters of them.
        raise CheckFailed(f"{len(checks.failures)} of {total} checks of {name} failed:\n{listed}") from None


def _record(file: Path, checks: Stage, failed: int) -> None:
    progress.record(file, checks.name, checks.passed, failed, datetime.now(UTC))
