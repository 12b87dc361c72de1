"""Fixtures for all layers."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.support.database import Rows, superuser, superuser_rows


def pytest_configure() -> None:
    """SIGTERM ends the tests as Ctrl-C does, so that fixtures still clean up.

    And Ctrl-C does, even when they were started in the background, where shells let programs ignore it: what the tests
    start would ignore it, too.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _stacks_end_with_the_tests() -> None:
    """A stack that a test starts ends with this process, even when it is killed."""
    os.environ["LAB_OWNER_PID"] = str(os.getpid())


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path is short and that every user can enter, for the data of a stack."""
    folder = Path(tempfile.mkdtemp(prefix="lab-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(short_folder: Path) -> Iterator[Stack]:
    """PostgreSQL with its schema, object storage with its buckets, and the broker with its topics."""
    stack = Stack.free(short_folder / "stack")
    try:
        stack.up("migrate", "minio-init", "topics-init")
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="module")
def new_stack(short_folder: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack for one module of tests alone, with nothing started and nothing in it."""
    stack = Stack.free(short_folder / request.module.__name__.rsplit(".", 1)[-1])
    try:
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="module")
def bare_stack(new_stack: Stack) -> Stack:
    """PostgreSQL with the tables, the broker with the topics, and nobody else at work; for one module alone."""
    new_stack.up("migrate", "topics-init")
    return new_stack


@pytest.fixture
def outbox(bare_stack: Stack) -> Iterator[OutboxRows]:
    """The empty outbox of the bare stack."""
    with superuser(bare_stack) as connection:
        rows = OutboxRows(connection)
        rows.tell("TRUNCATE outbox")  # what a failed test left
        yield rows


@pytest.fixture
def rows(stack: Stack) -> Iterator[Rows]:
    """Rows of the session's stack by SQL, as the superuser."""
    with superuser_rows(stack) as select:
        yield select
