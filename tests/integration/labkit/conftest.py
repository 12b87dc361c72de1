"""A stack of a test's own, in a folder that every user can enter."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.labkit.processes import processes_of


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lab-place-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_stack(home: Path) -> Iterator[Stack]:
    stack = Stack.free(home / "stack")
    yield stack
    stack.destroy()
    assert not processes_of(stack.home)
