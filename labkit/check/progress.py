"""How far a student is: a JSON file with the result of each stage's checks, and of each exercise."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from labkit.alone import alone

EXERCISES = "exercises"
"""Beside the names of the stages: what holds the exercises."""


class Result(TypedDict):
    """The last checks of a stage, and when they were made (ISO 8601, UTC)."""

    passed: int
    failed: int
    at: str


class Tried(TypedDict):
    """Whether an exercise was ever solved, how often it was tried, and when last (ISO 8601, UTC)."""

    solved: bool
    tries: int
    at: str


def read(file: Path) -> dict[str, Result]:
    """The result of each stage; empty before the first."""
    return {name: result for name, result in _read(file).items() if name != EXERCISES}


def read_exercises(file: Path) -> dict[str, Tried]:
    """What came of each exercise that was tried."""
    return dict(_read(file).get(EXERCISES, {}))


def record(file: Path, stage: str, passed: int, failed: int, at: datetime) -> None:
    """Note the result of a stage. Two notebooks may do so at once, and a reader never sees half a file."""
    with alone(file.with_suffix(".lock")):
        _write(file, _read(file) | {stage: Result(passed=passed, failed=failed, at=at.isoformat())})


def record_exercise(file: Path, name: str, solved: bool, at: datetime) -> None:
    """Note a try at an exercise. What was solved once stays solved."""
    with alone(file.with_suffix(".lock")):
        everything = _read(file)
        before = everything.get(EXERCISES, {}).get(name, Tried(solved=False, tries=0, at=""))
        tried = Tried(solved=before["solved"] or solved, tries=before["tries"] + 1, at=at.isoformat())
        _write(file, everything | {EXERCISES: everything.get(EXERCISES, {}) | {name: tried}})


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _write(file: Path, everything: Mapping[str, Any]) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(everything, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    new.rename(file)
