"""The large table and the ways to learn from it, with the rights of the training, on real servers."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet
import pytest

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse import files, tables, upkeep
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.training.errors import NotEnough, TrainingError
from gourmetgram.training.fit import Rows, fit, survey
from gourmetgram.training.large import rows as synthetic
from gourmetgram.training.large import table as large
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.source import Source
from labkit.stack import Stack, StackError
from tests.support.processes import wait_until

SMALL_GROUP = 1000
SMALL_FILE = 4 * SMALL_GROUP


@pytest.fixture(scope="module")
def trainer(training_stack: Stack) -> TrainingSettings:
    return TrainingSettings(**training_stack.environment("training").arguments)  # type: ignore[arg-type]


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few rows, so that a few thousand make many."""
    monkeypatch.setattr(large, "GROUP_ROWS", SMALL_GROUP)
    monkeypatch.setattr(large, "FILE_ROWS", SMALL_FILE)


def stored(settings: LakehouseSettings) -> dict[str, int]:
    """Rows by file of the table's present snapshot."""
    table = open_catalog(settings).load_table(tables.LARGE_TRAINING_DATA)
    return {one.path: one.file.record_count for one in files.live(table)}


def matrix(settings: TrainingSettings) -> np.ndarray:
    """All features of the present snapshot, in the order of its reader."""
    reader = Source.of(settings, None, tables.LARGE_TRAINING_DATA).reader(5000)
    return np.concatenate([batch.features for batch in reader.batches()])


def go(stack: Stack, *options: str, **environment: object) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        stack.run("large-data", "--json", "go", *options, **environment).splitlines()[-1]
    )
    return report


@pytest.mark.usefixtures("small_files")
class TestWriting:
    def test_before_the_first_there_is_nothing_to_learn_from(self, trainer: TrainingSettings) -> None:
        with pytest.raises(NotEnough, match=r"no moderation.large_training_data yet; write it first"):
            Source.of(trainer, None, tables.LARGE_TRAINING_DATA)
        assert tables.large(open_catalog(trainer)) == {}

    def test_what_was_asked_for_is_there_and_is_not_made_again(self, trainer: TrainingSettings) -> None:
        heard: list[int] = []
        first = large.write(trainer, 10_500, say=heard.append)
        assert (first.rows, first.made, sum(heard)) == (10_500, 10_500, 10_500)
        assert sorted(stored(trainer).values()) == [2500, SMALL_FILE, SMALL_FILE]
        again = large.write(trainer, 10_500, say=heard.append)
        assert again == first._replace(made=0)
        assert sum(heard) == 21_000
        expected = synthetic.group(1, 0, SMALL_GROUP)
        for position, name in enumerate(FEATURES):
            np.testing.assert_array_equal(matrix(trainer)[:SMALL_GROUP, position], expected[name].to_numpy())

    def test_row_groups_are_as_large_as_they_were_written(self, trainer: TrainingSettings) -> None:
        path = min(stored(trainer))
        about = pyarrow.parquet.read_metadata(path, filesystem=open_storage(trainer))
        assert [about.row_group(number).num_rows for number in range(about.num_row_groups)] == [SMALL_GROUP] * 4

    def test_more_rows_are_added_and_fewer_taken_away(self, trainer: TrainingSettings) -> None:
        before = matrix(trainer)
        assert large.write(trainer, 13_000).made == 13_000 - 2 * SMALL_FILE
        np.testing.assert_array_equal(matrix(trainer)[: 2 * SMALL_FILE], before[: 2 * SMALL_FILE])
        assert large.write(trainer, SMALL_FILE).made == 0
        assert list(stored(trainer).values()) == [SMALL_FILE]

    def test_another_seed_gives_other_rows(self, trainer: TrainingSettings) -> None:
        before = matrix(trainer)
        assert large.write(trainer, SMALL_FILE, seed=2).made == SMALL_FILE
        assert not np.array_equal(matrix(trainer), before)

    @pytest.mark.parametrize("rows", [0, -5])
    def test_a_number_that_makes_no_sense_is_refused(self, trainer: TrainingSettings, rows: int) -> None:
        before = stored(trainer)
        with pytest.raises(TrainingError, match=f"at least one row, got {rows}"):
            large.write(trainer, rows)
        assert stored(trainer) == before

    def test_an_interrupted_writer_changes_nothing_and_the_next_goes_on(self, trainer: TrainingSettings) -> None:
        """The file that it was in the middle of holds fewer rows than its name says; it is not taken for whole."""
        before, heard = stored(trainer), [0]

        def interrupt(rows: int) -> None:
            heard[0] += rows
            if heard[0] > 2 * SMALL_FILE:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            large.write(trainer, 4 * SMALL_FILE, seed=3, say=interrupt)
        assert stored(trainer) == before
        assert large.write(trainer, 4 * SMALL_FILE, seed=3).made == 2 * SMALL_FILE
        assert list(stored(trainer).values()) == [SMALL_FILE] * 4
        assert len(matrix(trainer)) == 4 * SMALL_FILE

    def test_two_at_once_make_one_table(self, trainer: TrainingSettings) -> None:
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda _: large.write(trainer, 3 * SMALL_FILE, seed=4), range(2)))
        assert len({one.snapshot_id for one in outcomes}) == 1
        assert list(stored(trainer).values()) == [SMALL_FILE] * 3

    def test_upkeep_takes_away_what_no_snapshot_names(self, trainer: TrainingSettings, training_stack: Stack) -> None:
        large.write(trainer, SMALL_FILE, seed=5)
        lakehouse = LakehouseSettings(**training_stack.environment("lakehouse").arguments)  # type: ignore[arg-type]
        impatient = lakehouse.model_copy(update={"keep_snapshots_hours": 0, "orphan_grace_hours": 0})
        done = upkeep.run(impatient)[tables.LARGE_TRAINING_DATA]
        assert done["expiry"]["snapshots"] > 0
        assert done["orphans"]["files"] > 0
        (path,) = stored(trainer)
        folder = pyarrow.fs.FileSelector(path.rpartition("/data/")[0] + "/data", recursive=True)
        data = [one.path for one in open_storage(trainer).get_file_info(folder) if one.is_file]
        assert data == [path]
        assert len(matrix(trainer)) == SMALL_FILE


def test_a_killed_writer_leaves_the_table_as_it_was(training_stack: Stack, trainer: TrainingSettings) -> None:
    before = stored(trainer)
    process = subprocess.Popen(
        [sys.executable, "-m", "gourmetgram.training.large", "write", "--rows", "5000000"],
        env=os.environ | training_stack.environment("large-data"),
    )
    folder = pyarrow.fs.FileSelector(min(before).rpartition("/data/")[0], recursive=True)

    def finished() -> bool:
        return any("1048576" in one.path for one in open_storage(trainer).get_file_info(folder))

    try:
        wait_until(finished, "a first file is there", seconds=60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert stored(trainer) == before
    assert large.write(trainer, large.FILE_ROWS).made == 0, "the file that was complete is used"


@pytest.fixture(scope="module")
def many(training_stack: Stack) -> int:
    """A table that takes more memory than the boxes of these tests have."""
    rows = 500_000
    assert "500,000 rows are there" in training_stack.run("large-data", "write", "--rows", str(rows))
    return rows


def test_loaded_whole_it_dies_of_memory_and_the_stack_goes_on(training_stack: Stack, many: int) -> None:
    report = go(training_stack, "whole", LARGE_DATA_MEMORY="400MiB")
    assert (report["ended"], report["status"], report["limit"]) == ("out of memory", -signal.SIGKILL, 400 * 2**20)
    assert report["memory"][-1][1] > 400 * 2**20
    assert report["result"] == {}
    assert go(training_stack, "whole", LARGE_DATA_MEMORY="4GiB")["ended"] == "done"


def test_streamed_it_fits_and_learns_what_a_fit_in_memory_learns(
    training_stack: Stack, trainer: TrainingSettings, many: int
) -> None:
    report = go(training_stack, "stream", LARGE_DATA_MEMORY="400MiB")
    assert report["ended"] == "done"
    streamed = report["result"]
    assert streamed["rows"] == many
    assert sum(said.get("rows", 0) for _, said in report["said"]) == 2 * many

    frame = open_catalog(trainer).load_table(tables.LARGE_TRAINING_DATA).scan().to_pandas()
    features = frame[list(FEATURES)].to_numpy()
    labels = frame["label"].to_numpy().astype(np.int8)

    def in_memory():  # type: ignore[no-untyped-def]
        for start in range(0, many, 32_768):
            yield Rows(features[start : start + 32_768], labels[start : start + 32_768])

    expected = fit(in_memory, survey(in_memory), passes=1, seed=1).coef_[0]
    np.testing.assert_allclose(streamed["coefficients"], expected, rtol=0, atol=1e-12)


def test_each_knob_does_what_it_says(training_stack: Stack, trainer: TrainingSettings, many: int) -> None:
    small = go(training_stack, "stream", "--only-read", "--batch-rows", "1000")
    large_batches = go(training_stack, "stream", "--only-read", "--batch-rows", "131072", "--no-prefetch")
    assert small["result"]["rows"] == large_batches["result"]["rows"] == many
    assert max(said.get("rows", 0) for _, said in small["said"]) == 1000
    assert max(said.get("rows", 0) for _, said in large_batches["said"]) == 131_072
    twice = go(training_stack, "stream", "--columns", "3", "--repeat", "2")
    assert twice["result"]["rows"] == many
    assert sum(said.get("rows", 0) for _, said in twice["said"]) == 2 * many
    assert go(training_stack, "library", "--only-read")["result"]["rows"] == many
    path = large.variant(trainer, 5000, 20_000)
    one = go(training_stack, "stream", "--only-read", "--file", path)
    assert one["result"]["rows"] == 20_000
    assert max(said.get("rows", 0) for _, said in one["said"]) == 5000


def test_another_failure_is_told_as_what_it_is(training_stack: Stack, many: int) -> None:
    with pytest.raises(StackError, match=r"FileNotFoundError[\s\S]*not for lack of memory"):
        go(training_stack, "stream", "--file", "gourmetgram-datalake/nowhere.parquet")
    with pytest.raises(StackError, match="invalid choice: 'fly'"):
        go(training_stack, "fly")


def test_people_are_told_in_a_few_lines(training_stack: Stack, many: int) -> None:
    said = training_stack.run("large-data", "go", "stream", "--only-read").splitlines()
    assert [line.partition(":")[0] for line in said] == ["ended", "most memory", "read"]
    assert said[0].startswith("ended: done (status 0) after")


def test_a_way_ends_with_the_box_that_watches_it(training_stack: Stack, many: int) -> None:
    watcher = subprocess.Popen(
        [sys.executable, "-m", "gourmetgram.training.large", "go", "stream", "--batch-rows", "256"],
        env=os.environ | training_stack.environment("large-data"),
        stdout=subprocess.DEVNULL,
    )

    def child() -> list[psutil.Process]:
        return psutil.Process(watcher.pid).children()

    wait_until(lambda: bool(child()), "the way has begun", seconds=30)
    (way,) = child()
    time.sleep(3)
    watcher.kill()
    watcher.wait()
    wait_until(lambda: not way.is_running() or way.status() == psutil.STATUS_ZOMBIE, "the way has ended", seconds=10)
