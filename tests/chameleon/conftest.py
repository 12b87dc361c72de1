"""Fixtures for the tests of the look-alike."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.chameleon import student as students
from tests.chameleon.small_cloud import SmallCloud


@pytest.fixture
def small(tmp_path: Path) -> SmallCloud:
    """A populated cloud, in which the student has nothing yet."""
    return SmallCloud(tmp_path)


@pytest.fixture
async def student(small: SmallCloud) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the cloud as the student."""
    async with small.asked_by() as client:
        yield client


@pytest.fixture(scope="session")
def me(tmp_path_factory: pytest.TempPathFactory) -> Iterator[students.Student]:
    """A student with a copy of the lab, in Chameleon's Jupyter."""
    with students.student(tmp_path_factory.mktemp("student")) as made:
        yield made
