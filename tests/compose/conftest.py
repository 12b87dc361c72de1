"""One platform in containers, brought up by the notebooks as a student runs them, for all tests of this folder."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.runner import folders
from labkit.stack import Stack
from tests.compose import engine
from tests.lab.lab_runs import Ended, lab_run

ONLY = "2-5"
SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first waits for the notebooks; without an engine nothing here can run."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(SECONDS + 300))
    if ours and not engine.answers():
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="no Docker engine answers here (`docker info`)"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """`./lab run` of notebooks 2 to 5, which leaves the services running until these tests are over."""
    runs = tmp_path_factory.mktemp("compose") / "runs"
    arguments = ("--place", "compose", "--only", ONLY, "--keep", "-p", "traffic_seconds=20")
    try:
        yield lab_run(runs, *arguments, timeout=SECONDS)
    finally:
        for stack in folders.stacks(runs):
            stack.destroy()


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Stack:
    """The services of that run. LAB_TEST_PLATFORM names those of another: what `./lab run --keep` says of its own."""
    said = os.environ.get("LAB_TEST_PLATFORM") or request.getfixturevalue("run").output
    stack = _kept(said)
    assert stack, said
    return stack


def _kept(said: str) -> Stack | None:
    found = re.search(r"LAB_HOME=(\S+) LAB_PORT_OFFSET=(\d+)", said)
    return Stack(Path(found[1]), "compose", int(found[2])) if found else None
