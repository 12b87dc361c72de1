"""PostgreSQL, object storage and broker for each module of these tests, and a history of its own.

Within a module the topics are the same: what a test puts into them, those after it read too, and recount.
"""

import pytest

from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.support.lakehouse import SERVICES, own_settings


@pytest.fixture(scope="module")
def lake_stack(new_stack: Stack) -> Stack:
    """The servers that the lakehouse needs, and nothing else."""
    new_stack.up(*SERVICES)
    return new_stack


@pytest.fixture(scope="module")
def lakehouse(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """Settings of an empty history: its catalog and its warehouse have the name of the module."""
    return own_settings(lake_stack, request.module.__name__.rsplit(".", 1)[-1])
