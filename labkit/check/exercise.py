"""Exercises: an answer of the student's, graded by checks against the running platform."""

import dis
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType, FunctionType
from typing import Any, Literal

from labkit.check import progress
from labkit.check.checks import CheckFailed, check

State = Literal["open", "wrong", "solved"]

Condition = Callable[[Any], object]
"""Takes the answer, and returns a value that is true or false."""


@dataclass
class Exercise:
    """The checks of an exercise as they are made.

    As long as nobody has given one, `answer` is `...`, or a function whose body is `...`.
    """

    name: str
    answer: Any
    passed: int = 0
    failed: int = 0

    @property
    def state(self) -> State:
        """`open` without an answer, else `wrong` or `solved`."""
        if isinstance(self.answer, EllipsisType) or _is_empty(self.answer):
            return "open"
        return "solved" if self.passed and not self.failed else "wrong"

    def check(self, what: str, condition: Condition, advice: str) -> None:
        """Print whether something is true of the answer, and if not, what to think about; nothing while it is open.

        After a check that has failed the others are not made: an answer has one thing wrong at a time.
        """
        if self.state == "open" or self.failed:
            return
        try:
            check(what, lambda: condition(self.answer), advice, lead="think about")
        except CheckFailed as failure:
            print(failure)
            self.failed += 1
        else:
            self.passed += 1


@contextmanager
def exercise(name: str, answer: object, progress_file: Path) -> Iterator[Exercise]:
    """A block that grades an answer, each part of it with `check` of the object it is given.

    A wrong answer is no error: it is said what is wrong with it, and the notebook goes on. What came of it is kept in
    `progress_file`.
    """
    graded = Exercise(name, answer)
    yield graded
    print(_VERDICTS[graded.state].format(name=name))
    if graded.state != "open":
        progress.record_exercise(progress_file, name, graded.state == "solved", datetime.now(UTC))


def _is_empty(answer: object) -> bool:
    """Whether this is a function that does nothing, such as `def answer(): ...`."""
    if not isinstance(answer, FunctionType):
        return False
    does = list(dis.get_instructions(answer))
    return {one.opname for one in does} <= _NOTHING and all(one.argval is None for one in does if "CONST" in one.opname)


_NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}

_VERDICTS = {
    "open": "○ Exercise {name} is open: put your answer in place of the ... above, run that cell, then this one.",
    "wrong": "✗ Exercise {name}: not yet. Change your answer, and run both cells again.",
    "solved": "✓ Exercise {name} is solved.",
}
