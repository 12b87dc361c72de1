"""PostgreSQL, object storage and broker for these tests, and for each module a history of its own.

The topics are the same for all modules: what a test puts into them, others read too, and recount.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.support.lakehouse import SERVICES, own_settings


@pytest.fixture(scope="session")
def lake_stack(short_folder: Path) -> Iterator[Stack]:
    """The servers that the lakehouse needs, and nothing else."""
    stack = Stack.free(short_folder / "lake")
    try:
        stack.up(*SERVICES)
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="module")
def lakehouse(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """Settings of an empty history: its catalog and its warehouse have the name of the module."""
    return own_settings(lake_stack, request.module.__name__.rsplit(".", 1)[-1])
