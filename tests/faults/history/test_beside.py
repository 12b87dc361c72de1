"""Promise 4: tables move all or nothing, whoever is killed and whenever; afterwards they equal a recount of the topics.

A run is a process of its own here. It is doubled, frozen until another one has passed it, and deprived of the servers
that it needs.
"""

import random
import time

import pytest

from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.faults.history_run import SEED, Commits, check_at_any_time, end, finish, freeze, run, say_more, thaw
from tests.support.crowd import Crowd
from tests.support.lakehouse import SERVICES, snapshots
from tests.support.processes import wait_until

pytestmark = pytest.mark.timeout(900)


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
