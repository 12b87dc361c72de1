import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labkit.check import exercise
from labkit.check.progress import read, read_exercises, record

PROGRESS_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(name="progress")
def progress_file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "progress.json"


def graded(progress: Path, answer: object, name: str = "2.1") -> str:
    """The state after a check that wants the answer 42."""
    with exercise(name, answer, progress) as one:
        one.check("it is 42", lambda it: it == 42, "How much is six times seven?")
    return one.state


def nothing(a: int, b: int = 1) -> None:
    """Says what it should do."""
    ...


def bare() -> None: ...


def does_something() -> None:
    print("x")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (..., "open"),
        (nothing, "open"),
        (bare, "open"),
        (None, "wrong"),
        (41, "wrong"),
        (42, "solved"),
        (does_something, "wrong"),
    ],
)
def test_an_answer_has_a_state(progress: Path, answer: object, state: str) -> None:
    assert graded(progress, answer) == state


def test_an_open_exercise_says_what_to_do_and_checks_nothing(
    progress: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with exercise("2.1", ..., progress) as one:
        one.check("it is 42", lambda _: pytest.fail("checked"), "no advice")
    assert capsys.readouterr().out.startswith("○ Exercise 2.1 is open: put your answer")
    assert not progress.exists()


def test_a_wrong_answer_is_told_what_to_think_about_and_the_notebook_goes_on(
    progress: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graded(progress, 41) == "wrong"
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["✗ it is 42", "  think about: How much is six times seven?"]
    assert said[2].startswith("✗ Exercise 2.1: not yet")


def test_an_answer_that_breaks_a_check_is_wrong(progress: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exercise("2.1", "text", progress) as one:
        one.check("it has a mean", lambda it: it.mean(), "A text has none.")
    assert one.state == "wrong"
    assert "AttributeError" in capsys.readouterr().out


def test_after_a_failed_check_no_other_is_made(progress: Path) -> None:
    made: list[str] = []

    def check(name: str, holds: bool) -> Callable[[Any], object]:
        def condition(_: Any) -> bool:
            made.append(name)
            return holds

        return condition

    with exercise("2.1", 1, progress) as one:
        for name, holds in (("first", True), ("second", False), ("third", True)):
            one.check(name, check(name, holds), "advice")
    assert made == ["first", "second"]
    assert one.state == "wrong"


def test_an_answer_without_any_check_is_not_solved(progress: Path) -> None:
    with exercise("2.1", 42, progress) as one:
        pass
    assert one.state == "wrong"


def test_tries_are_counted_and_what_was_solved_stays_solved(progress: Path) -> None:
    for answer in (41, 42, 43):
        graded(progress, answer)
    found = read_exercises(progress)["2.1"]
    assert (found["solved"], found["tries"]) == (True, 3)


def test_stages_and_exercises_are_kept_side_by_side(progress: Path) -> None:
    record(progress, "2_application", 6, 0, PROGRESS_AT)
    graded(progress, 42)
    record(progress, "3_endpoints", 6, 1, PROGRESS_AT)
    graded(progress, 41, "3.1")
    assert set(read(progress)) == {"2_application", "3_endpoints"}
    assert {name: one["solved"] for name, one in read_exercises(progress).items()} == {"2.1": True, "3.1": False}
    assert set(json.loads(progress.read_text())) == {"2_application", "3_endpoints", "exercises"}
