"""How far a student is: a JSON file with the result of each stage's checks."""

import json
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from labkit.alone import alone


class Result(TypedDict):
    """The last checks of a stage, and when they were made (ISO 8601, UTC)."""

    passed: int
    failed: int
    at: str


def read(file: Path) -> dict[str, Result]:
    """The result of each stage; empty before the first."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def record(file: Path, stage: str, passed: int, failed: int, at: datetime) -> None:
    """Note the result of a stage. Two notebooks may do so at once, and a reader never sees half a file."""
    with alone(file.with_suffix(".lock")):
        results = read(file) | {stage: Result(passed=passed, failed=failed, at=at.isoformat())}
        new = file.with_suffix(".new")
        new.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
        new.rename(file)
