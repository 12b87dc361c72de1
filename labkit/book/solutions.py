"""Solutions of the exercises, and typical mistakes: kept in solutions/, out of what students get, and run by the tests.

A solution is a cell of `solutions/<stage>.md` with the id of the cell in the snippet in whose place it stands. With the
tag `wrong` it is a mistake that the check must refuse.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.book.errors import SnippetError, in_file
from labkit.book.identifiers import identifiers
from labkit.book.snippets import Cell, Snippet, read

_GRADING = re.compile(r"check-\d+-\d+")
_EXERCISE = re.compile(r"exercise-(?P<number>\d+-\d+)")


@dataclass(frozen=True)
class Answers:
    """What can be put in place of one exercise's cell: the right answer, and mistakes."""

    right: Cell
    wrong: Sequence[Cell]


def read_answers(folder: Path, snippet: Snippet) -> Mapping[str, Answers]:
    """The answers to the exercises of a stage, by the number of each, such as `2-1`.

    Raises:
        SnippetError: an exercise has no check, no solution or no mistake, or a solution has no exercise.
    """
    exercises = exercises_of(snippet)
    file = folder / f"{snippet.name}.md"
    cells = [part for part in read(file).parts if isinstance(part, Cell)] if file.exists() else []
    with in_file(f"{folder.name}/{file.name}"):
        found = {number: _answers(number, cells) for number in exercises}
        for cell in cells:
            if (cell.identifier or "").removeprefix("exercise-") not in exercises:
                raise SnippetError(f"snippets/{file.name} has no exercise {cell.identifier}", cell.line)
    return found


def is_grading(cell: Cell) -> bool:
    """Whether a cell grades the answer to an exercise."""
    return _GRADING.fullmatch(cell.identifier or "") is not None


def exercises_of(snippet: Snippet) -> list[str]:
    """The numbers of a stage's exercises.

    Raises:
        SnippetError: an exercise has no cell that checks it.
    """
    names = identifiers(snippet)
    numbers = [match["number"] for match in map(_EXERCISE.fullmatch, names) if match]
    for number in numbers:
        if f"check-{number}" not in names:
            raise SnippetError(f"the exercise exercise-{number} needs a cell with the id check-{number}")
    return numbers


def _answers(number: str, cells: Sequence[Cell]) -> Answers:
    own = [cell for cell in cells if cell.identifier == f"exercise-{number}"]
    right = [cell for cell in own if "wrong" not in cell.tags]
    wrong = [cell for cell in own if "wrong" in cell.tags]
    if len(right) != 1 or not wrong:
        raise SnippetError(
            f"expected one solution of exercise-{number} and at least one mistake with the tag wrong,"
            f" got {len(right)} and {len(wrong)}"
        )
    return Answers(right[0], wrong)


def trials(number: str, check: Cell, answers: Answers) -> Iterator[tuple[str, str]]:
    """The cells that show that the check of an exercise tells right from wrong: a name and the code of each.

    They come after the check itself, which has met no answer so far.
    """
    yield f"open-{number}", _expecting("open")
    for count, mistake in enumerate(answers.wrong, 1):
        yield f"wrong-{number}-{count}", mistake.source
        yield f"check-{number}-wrong-{count}", check.source
        yield f"refused-{number}-{count}", _expecting("wrong")
    yield f"right-{number}", answers.right.source
    yield f"check-{number}-right", check.source
    yield f"solved-{number}", _expecting("solved")


def _expecting(state: str) -> str:
    return (
        f'assert exercise.state == "{state}", f"expected {state}, but exercise {{exercise.name}} is {{exercise.state}}"'
    )
