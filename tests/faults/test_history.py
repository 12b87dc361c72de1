"""Promise 4: tables move all or nothing, whoever is killed and whenever; afterwards they equal a recount of the topics.

A run is a process of its own here. It is killed behind every one of its commits and at any other time, doubled, frozen
until another one has passed it, and deprived of the servers that it needs.
"""

import os
import random
import re
import time

import pytest

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.faults.history_run import Commits, check_at_any_time, end, freeze, run, thaw
from tests.support.crowd import EVENT_TOPICS, Crowd
from tests.support.history_check import check
from tests.support.lakehouse import SERVICES, own_settings, snapshots
from tests.support.processes import wait_until

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
KILLS = int(os.environ.get("FAULTS_HISTORY_KILLS", "12"))
CHUNK = 200
PIECE = 1000
"""Events between two incidents: about ten commits."""

pytestmark = pytest.mark.timeout(900)


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


def in_one_piece(settings: LakehouseSettings) -> LakehouseSettings:
    """For a run that is to be quick."""
    return settings.model_copy(update={"land_chunk_records": 100_000})


@pytest.fixture(scope="module")
def everybody(lake: Stack) -> Crowd:
    return Crowd(lake.address("redpanda"), seed=1, images=300)


@pytest.fixture
def crowd(everybody: Crowd) -> Crowd:
    everybody.say(PIECE)
    return everybody


def say_more(crowd: Crowd) -> None:
    """New events, late ones among them, and a deletion in their middle."""
    crowd.say(PIECE // 2)
    crowd.say(1, ("deletion",))
    crowd.babble()
    crowd.say(PIECE // 2)


def finish(lake: Stack, settings: LakehouseSettings) -> None:
    """One clean run, and then everything is right; one more, and nothing has changed."""
    runs.run_once(in_one_piece(settings))
    expected = check(lake, settings)
    assert expected.repeated > PIECE / 20
    present = snapshots(settings)
    runs.run_once(settings)
    assert snapshots(settings) == present


def test_killed_behind_every_commit(lake: Stack, settings: LakehouseSettings, crowd: Crowd) -> None:
    """Behind the first, the second, ... until a run has no more commits than that."""
    commits = Commits(lake, settings)
    chance = random.Random(SEED)
    number, is_all_new = 1, True
    while True:
        with run(settings) as process:
            seen = commits.wait_for(number, process)
            time.sleep(chance.choice([0, 0, 0.01]))
        check_at_any_time(lake, settings)
        if seen == number:
            number, is_all_new = number + 1, False
        elif is_all_new:
            break
        else:  # the last part of what there was
            say_more(crowd)
            is_all_new = True
    assert number > 8, "there were fewer commits than the test is about"
    finish(lake, settings)


def test_killed_at_any_time(lake: Stack, settings: LakehouseSettings, crowd: Crowd) -> None:
    """Also while files are written, and before the first commit."""
    chance = random.Random(SEED)
    started = time.monotonic()
    runs.run_once(settings)
    usual = time.monotonic() - started
    killed = 0
    for _ in range(KILLS):
        say_more(crowd)
        with run(settings) as process:
            process.join(chance.uniform(0, usual))
            killed += process.is_alive()
        check_at_any_time(lake, settings)
    assert killed > KILLS / 3
    finish(lake, settings)


def test_several_runs_at_once(lake: Stack, settings: LakehouseSettings, crowd: Crowd) -> None:
    statuses = []
    for _ in range(4):
        with run(settings) as one, run(settings) as two, run(settings) as three:
            statuses += [end(process) for process in (one, two, three)]
        check_at_any_time(lake, settings)
        say_more(crowd)
    assert 0 in statuses
    assert 1 in statuses, "no run was refused, so none was beside another one"
    finish(lake, settings)


def test_a_run_that_goes_on_after_another_has_passed_it(lake: Stack, settings: LakehouseSettings, crowd: Crowd) -> None:
    """As the orphan of a task does that Airflow has given up."""
    chance, commits = random.Random(SEED), Commits(lake, settings)
    refused = 0
    for number in range(6):
        say_more(crowd)
        with run(settings) as orphan:
            commits.wait_for(number, orphan)
            time.sleep(chance.uniform(0, 0.2))
            freeze(orphan)
            with run(settings) as successor:
                assert end(successor) == 0
            present = snapshots(settings)
            thaw(orphan)
            refused += end(orphan)
        assert snapshots(settings) == present
        check_at_any_time(lake, settings)
    assert refused >= 2, "the orphans had nothing left to do"
    finish(lake, settings)


@pytest.mark.parametrize("server", ["redpanda", "minio", "postgres"])
def test_a_server_is_away_for_a_moment(lake: Stack, settings: LakehouseSettings, crowd: Crowd, server: str) -> None:
    """The run may fail, or wait and go on; it does not hang, and nothing is lost."""
    chance, commits = random.Random(SEED), Commits(lake, settings)
    failed = 0
    for number in range(3):
        say_more(crowd)
        with run(settings) as process:
            commits.wait_for(number, process)
            time.sleep(chance.uniform(0, 0.3))
            lake.kill(server)
            failed += end(process) != 0
        lake.up(*SERVICES)
        wait_until(lambda: is_ready(settings), f"{server} is back", 60)
        check_at_any_time(lake, settings)
    finish(lake, settings)
    print(f"{failed} of 3 runs failed without {server}")


def is_ready(settings: LakehouseSettings) -> bool:
    """Whether a run that begins now finds everything."""
    with run(settings) as process:
        return end(process) == 0
