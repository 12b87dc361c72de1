"""Promise 4: tables move all or nothing, whoever is killed and whenever; afterwards they equal a recount of the topics.

A run is a process of its own here. It is killed behind every one of its commits, and at any other time.
"""

import os
import random
import time

import pytest

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.faults.history_run import SEED, Commits, check_at_any_time, finish, run, say_more
from tests.support.crowd import Crowd

KILLS = int(os.environ.get("FAULTS_HISTORY_KILLS", "12"))

pytestmark = pytest.mark.timeout(900)


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
            began = time.monotonic()
            process.join(chance.uniform(0, usual))
            if process.is_alive():
                killed += 1
            else:  # nobody else is at work any more
                usual = time.monotonic() - began
        check_at_any_time(lake, settings)
    assert killed > KILLS / 3
    finish(lake, settings)
