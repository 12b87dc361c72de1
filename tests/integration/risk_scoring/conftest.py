"""A scorer at work, and a desk to ask it from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess


@pytest.fixture
def desk(stack: Stack) -> Iterator[Desk]:
    with Desk.at(stack) as desk:
        yield desk


@pytest.fixture(scope="module")
def scorer(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScorerProcess]:
    with ScorerProcess(stack, tmp_path_factory.mktemp("scorer") / "scorer.log") as process:
        yield process


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "scorer.log"
