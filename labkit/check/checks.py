"""Single checks, and the checks of a stage."""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from labkit.check import progress


class CheckFailed(AssertionError):
    """Something is not as it should be; the message says what, and what to do."""


def check(what: str, condition: object, remedy: str) -> None:
    """Print that something is true.

    Raises:
        CheckFailed: it is not.
    """
    if not condition:
        raise CheckFailed(f"✗ {what}\n  What to do: {remedy}")
    print(f"✓ {what}")


class Stage:
    """The checks of a stage: all of them are made, then the stage passes or fails as a whole.

    Used as `with Stage(…) as stage: stage.check(…)`. The result is kept in a progress file, also when an error of
    another kind ends the block.
    """

    def __init__(self, name: str, progress_file: Path) -> None:
        self.name = name
        self.passed = 0
        self.failures: list[str] = []
        self._progress_file = progress_file

    def check(self, what: str, condition: object, remedy: str) -> None:
        """Print whether something is true; what is not fails the stage at its end."""
        try:
            check(what, condition, remedy)
        except CheckFailed as failure:
            print(f"✗ {what}")
            self.failures.append(str(failure))
        else:
            self.passed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = len(self.failures) + (error is not None)
        progress.record(self._progress_file, self.name, self.passed, failed, datetime.now(UTC))
        if error is None and not self.passed and not failed:
            raise CheckFailed(f"The stage {self.name} made no checks at all.")
        if error is None and failed:
            raise CheckFailed(f"{failed} of {self.passed + failed} checks failed:\n" + "\n".join(self.failures))
