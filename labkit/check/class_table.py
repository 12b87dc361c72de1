"""How far a class is: one row for each student's progress file."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from labkit.check import progress

_EXERCISE = re.compile(r"exercise-(\d+)-(\d+)")

PASSED, FAILED, MISSING = "✓", "✗", "."


@dataclass(frozen=True)
class Student:
    """What a progress file says; `problem` is why it could not be read, empty when it could."""

    name: str
    stages: dict[str, str]
    solved: tuple[str, ...] = ()
    last: str = ""
    problem: str = ""


@dataclass(frozen=True)
class ClassTable:
    """Students beside the `stages` and the `exercises` that there are."""

    stages: Sequence[str]
    exercises: Sequence[str]
    students: Sequence[Student]

    def header(self) -> list[str]:
        """Titles of the columns."""
        return ["student", *self.stages, "exercises", "last check (UTC)"]

    def rows(self) -> Iterator[list[str]]:
        """A row for each student; one whose file cannot be read has the reason in place of the date."""
        for one in self.students:
            states = [one.stages.get(stage, MISSING) for stage in self.stages]
            solved = len(set(one.solved) & set(self.exercises))
            yield [one.name, *states, f"{solved} of {len(self.exercises)}", one.problem or one.last or MISSING]

    def write_csv(self, file: TextIO) -> None:
        """The table for a spreadsheet."""
        writer = csv.writer(file)
        writer.writerow(self.header())
        writer.writerows(self.rows())


def collect(folder: Path) -> list[Student]:
    """The students of a folder, by name: of `ana/progress.json` and of `ana.json` it is ana.

    Raises:
        FileNotFoundError: there is no such folder, or nothing of the kind in it.
    """
    files = sorted(file for file in folder.rglob("*.json") if ".ipynb_checkpoints" not in file.parts)
    if not files:
        raise FileNotFoundError(f"expected files such as ana.json or ana/progress.json in {folder}, found none")
    return sorted((_student(file) for file in files), key=lambda one: one.name)


def exercises_in(notebooks: Iterable[Path]) -> list[str]:
    """The names of all exercises, such as 2.1, in the order of the notebooks."""
    found = []
    for file in notebooks:
        identifiers = [cell.get("id", "") for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]]
        found += [f"{match[1]}.{match[2]}" for one in identifiers if (match := _EXERCISE.fullmatch(one))]
    return found


def _student(file: Path) -> Student:
    name = file.parent.name if file.stem == "progress" else file.stem
    try:
        stages, exercises = progress.read(file), progress.read_exercises(file)
        states = {stage: FAILED if result["failed"] else PASSED for stage, result in stages.items()}
        solved = tuple(exercise for exercise, tried in exercises.items() if tried["solved"])
        times = [one["at"] for one in (*stages.values(), *exercises.values())]
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        return Student(name, {}, problem=f"not a progress file: {type(error).__name__}")
    return Student(name, states, solved, max(times, default="")[:16].replace("T", " "))
