"""A history, and people who go on making it."""

import re

import pytest

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.faults.history_run import CHUNK, PIECE, in_one_piece
from tests.support.crowd import EVENT_TOPICS, Crowd
from tests.support.lakehouse import SERVICES, own_settings


@pytest.fixture(scope="module")
def lake(new_stack: Stack) -> Stack:
    new_stack.up(*SERVICES)
    return new_stack


@pytest.fixture
def settings(lake: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """A history that the test begins, of everything that was said in the tests before it."""
    name = re.sub("[^a-z_]", "", request.node.name)
    settings = own_settings(lake, name, land_chunk_records=CHUNK)
    if any(raw_topics.ends(lake.address("redpanda"), EVENT_TOPICS).values()):
        runs.run_once(in_one_piece(settings))
    return settings


@pytest.fixture(scope="module")
def everybody(lake: Stack) -> Crowd:
    return Crowd(lake.address("redpanda"), seed=1, images=300)


@pytest.fixture
def crowd(everybody: Crowd) -> Crowd:
    everybody.say(PIECE)
    return everybody
