"""The training data is replaced all or nothing, whoever is killed and whenever, and however many run at once."""

import copy
import itertools
import json
import os
import random
import time
from datetime import UTC, datetime

import pytest

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.catalog import open_storage
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.training_data import raw, steps
from gourmetgram.lakehouse.training_data.properties import LINEAGE
from labkit.stack import Stack
from tests.faults.history_run import Commits, end
from tests.faults.training_run import training
from tests.support.database import superuser_rows
from tests.support.lakehouse import SERVICES, microseconds, own_settings
from tests.support.training_check import check, said, training_table
from tests.support.training_planted import livable, plant, tell
from tests.support.training_recount import DAY, Happening, World
from tests.support.training_worlds import big_world

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
KILLS = int(os.environ.get("FAULTS_TRAINING_KILLS", "8"))
NOW = microseconds(datetime.now(UTC))

pytestmark = pytest.mark.timeout(600)


class Lake:
    """A history that goes on, and of each published set what the training data made from it must come to."""

    def __init__(self, stack: Stack, world: World) -> None:
        self.settings = own_settings(stack, "killed", training_chunk_rows=100)
        self.stack = stack
        self.world = world
        self._worlds: dict[str, World] = {}
        self._numbers = itertools.count()
        self.go_on([])

    def go_on(self, more: list[Happening]) -> None:
        """More happens, lands and is published."""
        tell(more, self.stack.address("redpanda"))
        self.world.events += more
        published = runs.run_once(self.settings)["run_id"]
        self._worlds[published] = copy.copy(self.world)
        self._worlds[published].events = list(self.world.events)

    def new_id(self) -> str:
        """Of a run."""
        return f"run {next(self._numbers)}"

    def check(self) -> str | None:
        """The table is empty, or a recount of what it was made from; returns which run has made it."""
        if training_table(self.settings).current_snapshot() is None:
            return None
        lineage = json.loads(said(self.settings)[LINEAGE])
        assert check(self.settings, self._worlds[lineage["history_run"]]) > 100
        return said(self.settings)[RUN]

    def finish(self) -> None:
        """One clean run, and the table is made from all there is."""
        run_id = self.new_id()
        steps.run_once(self.settings, run_id)
        assert self.check() == run_id
        assert json.loads(said(self.settings)[LINEAGE])["history_run"] == list(self._worlds)[-1]
        (mine,) = [one for one in raw.finished(self.settings, open_storage(self.settings)) if one.run_id == run_id]
        inside = open_storage(self.settings).get_file_info(f"{mine.folder}/{raw.STAGED}/rows.parquet")
        assert inside.type.name == "NotFound", "what was staged is left over"


@pytest.fixture(scope="module")
def lake(new_stack: Stack) -> Lake:
    new_stack.up(*SERVICES, "migrate")
    world = livable(big_world(random.Random(SEED), 300, around=NOW - 3 * DAY), 0, NOW)
    with superuser_rows(new_stack) as rows:
        plant(world, rows, new_stack.address("redpanda"))
    return Lake(new_stack, world)


def more(lake: Lake, chance: random.Random) -> list[Happening]:
    """Flags on some of the images, an hour ago or earlier."""
    chosen = chance.sample(lake.world.images, 20)
    return [Happening("flag", image.id, chance.randint(image.created_at, NOW)) for image in chosen]


def test_killed_at_any_time(lake: Lake) -> None:
    chance = random.Random(SEED)
    started = time.monotonic()
    lake.finish()
    usual = time.monotonic() - started
    killed = 0
    for number in range(KILLS):
        if number % 4 == 0:
            lake.go_on(more(lake, chance))
        with training(lake.settings, lake.new_id()) as process:
            began = time.monotonic()
            process.join(chance.uniform(0.1, 1) * usual)
            if process.is_alive():
                killed += 1
            else:  # nobody else is at work any more, or less was to do
                usual = time.monotonic() - began
        lake.check()
    assert killed > KILLS / 3
    lake.finish()


def test_killed_behind_its_commit_and_repeated(lake: Lake) -> None:
    """The same run once more, as Airflow tries again: it goes on, and nothing is there twice."""
    chance, commits = random.Random(SEED), Commits(lake.stack, lake.settings)
    behind = 0
    for wait in (0, 0.005, 0.02):
        run_id = lake.new_id()
        with training(lake.settings, run_id) as process:
            assert commits.wait_for(1, process) == 1
            time.sleep(wait)
            behind += process.is_alive()
        assert lake.check() == run_id
        with training(lake.settings, run_id) as process:
            assert end(process) == 0
        assert lake.check() == run_id
    assert behind, "all of them had ended already"
    lake.go_on(more(lake, chance))
    lake.finish()


def test_several_at_once(lake: Lake) -> None:
    """Two different runs, and one that is there twice."""
    chance = random.Random(SEED)
    statuses = []
    for _ in range(2):
        one, two = lake.new_id(), lake.new_id()
        with (
            training(lake.settings, one) as first,
            training(lake.settings, two) as second,
            training(lake.settings, two) as double,
        ):
            statuses += [end(process) for process in (first, second, double)]
        assert lake.check() in {one, two}
        lake.go_on(more(lake, chance))
    assert 0 in statuses
    lake.finish()
