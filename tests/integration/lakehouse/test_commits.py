"""Promise 4, commit by commit: each says what it covers and holds just that, and two writers never both succeed."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from gourmetgram.core.events import encode
from gourmetgram.core.records import KINDS
from gourmetgram.lakehouse.landing import RUN, freeze_ends
from gourmetgram.lakehouse.offsets import COVERS, Coverage, HistoryError, Offsets, Place, Superseded, parse_offsets
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, WINDOWS
from gourmetgram.lakehouse.topic_log import PLACES
from tests.integration.lakehouse.memory import FolderLake, MemoryLog
from tests.support.events import event
from tests.support.history_recount import History
from tests.support.lakehouse import MINUTE_MICROSECONDS

NOON = 1_794_312_000 * 10**6  # 2026-11-10


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[FolderLake]:
    lake = FolderLake(tmp_path)
    yield lake
    lake.close()


@pytest.fixture
def log() -> MemoryLog:
    return with_events(MemoryLog(seed=5), 40)


def with_events(log: MemoryLog, number: int, kinds: tuple[str, ...] = KINDS[:4]) -> MemoryLog:
    chance = random.Random(number)
    for _ in range(number):
        kind, image, serial = chance.choice(kinds), chance.randint(1, 5), chance.getrandbits(120)
        made = event(kind, serial, NOON + chance.randint(0, 3000) * MINUTE_MICROSECONDS, image)
        log.append(Place(made.topic, image), str(image).encode(), encode(made))
    return log


def ends_of(log: MemoryLog) -> Offsets:
    return parse_offsets(freeze_ends(log))


def covered(table: Table) -> Offsets:
    return Coverage.of(table.properties).offsets


def test_every_commit_holds_what_it_says_it_covers(lake: FolderLake, log: MemoryLog) -> None:
    """Rows and coverage change together: no state of the table, were the task killed after it, has one without."""
    log.append(Place("gourmetgram.deletions", 2), b"2", encode(event("deletion", 7, NOON, 2)))
    log.largest = 1
    done = lake.land(log, ends_of(log), "run", chunk=1)
    assert done.commits > 5
    table = lake.catalog.load_table(EVENTS)
    states = [*(one.metadata_file for one in table.metadata.metadata_log), table.metadata_location]
    told = []
    for file in states[1:]:  # the first one is the empty table
        state = lake.state(EVENTS, file)
        snapshot = state.current_snapshot()
        assert snapshot
        assert snapshot.summary
        assert snapshot.summary[COVERS] == state.properties[COVERS]
        assert snapshot.summary[RUN] == "run"
        told.append(state.properties[COVERS])
        here = History(log.before(covered(state))).rows()
        rows = state.scan().to_arrow().to_pylist()
        assert sorted(row["event_id"] for row in rows) == [row["event_id"] for row in here]
    assert len(set(told)) == len(states) - 1 >= done.commits


def test_windows_say_what_they_cover(lake: FolderLake, log: MemoryLog) -> None:
    ends = ends_of(log)
    lake.run(log, ends, "run")
    for name in WINDOWS.values():
        table = lake.catalog.load_table(name)
        snapshot = table.current_snapshot()
        assert snapshot
        assert snapshot.summary
        assert snapshot.summary[COVERS] == table.properties[COVERS]
        assert covered(table) == ends
        assert len(table.metadata.metadata_log) == 1


def test_empty_topics_are_covered_too(lake: FolderLake) -> None:
    log = MemoryLog(seed=1)
    done = lake.run(log, ends_of(log), "first")
    assert done.read == 0
    assert covered(lake.catalog.load_table(EVENTS)) == dict.fromkeys(PLACES, 0)
    before = lake.snapshots()
    lake.run(log, ends_of(log), "second")
    assert lake.snapshots() == before
    with_events(log, 10)
    lake.run(log, ends_of(log), "third")
    assert lake.counts("view") == History(log.before(ends_of(log))).windows("view")


def test_of_two_tasks_that_land_the_same_one_is_refused(lake: FolderLake, log: MemoryLog) -> None:
    first, second = lake.landing(chunk=10), lake.landing(chunk=1000)
    ends = ends_of(log)
    first.land(log, ends, "one")
    before = lake.snapshots()
    with pytest.raises(CommitFailedException):
        second.land(log, ends, "other")
    assert lake.snapshots() == before
    lake.run(log, ends, "again")
    assert lake.counts("view") == History(log.before(ends)).windows("view")


def test_a_task_that_froze_earlier_ends_is_refused(lake: FolderLake, log: MemoryLog) -> None:
    early = ends_of(log)
    with_events(log, 13)
    late = ends_of(log)
    lake.run(log, late, "late")
    before = lake.snapshots()
    with pytest.raises(Superseded, match=f"{EVENTS} covers gourmetgram"):
        lake.land(log, early, "early", 10)
    for kind in WINDOWS:
        with pytest.raises(Superseded):
            lake.write_windows(kind, early, "early")
    assert lake.snapshots() == before


def test_of_two_tasks_that_write_the_same_windows_one_is_refused(lake: FolderLake, log: MemoryLog) -> None:
    ends = ends_of(log)
    lake.land(log, ends, "run", 10)
    first, second = lake.windows("view"), lake.windows("view")
    first.write(ends, "run")
    with pytest.raises(CommitFailedException):
        second.write(ends, "run")
    assert lake.counts("view") == History(log.before(ends)).windows("view")
    assert lake.write_windows("view", ends, "run") == 0


def test_windows_of_a_run_whose_events_have_not_landed_are_refused(lake: FolderLake, log: MemoryLog) -> None:
    ends = ends_of(log)
    lake.land(log, ends, "run", 10)
    with_events(log, 9)
    with pytest.raises(HistoryError, match="land its events first"):
        lake.write_windows("view", ends_of(log), "next")
    assert lake.rows(WINDOWS["view"]) == []


def test_windows_that_stayed_behind_several_runs_catch_up(lake: FolderLake, log: MemoryLog) -> None:
    for number in (9, 11, 12):
        lake.land(log, ends_of(log), "run", 10)
        with_events(log, number, ("view", "flag", "deletion"))
    lake.run(log, ends_of(log), "last")
    for kind in WINDOWS:
        assert lake.counts(kind) == History(log.before(ends_of(log))).windows(kind)


def test_a_late_event_changes_its_old_window_and_no_other_day(lake: FolderLake, log: MemoryLog) -> None:
    lake.run(log, ends_of(log), "run")
    table = lake.catalog.load_table(WINDOWS["view"])
    before = {task.file.file_path for task in table.scan().plan_files()}
    assert len(before) == 3  # days
    log.append(Place("gourmetgram.views", 3), b"3", encode(event("view", 2**100, NOON, 3)))
    ends = ends_of(log)
    lake.land(log, ends, "late", 10)
    assert lake.write_windows("view", ends, "late") == 1
    after = {task.file.file_path for task in table.refresh().scan().plan_files()}
    assert len(before & after) == 2
    assert lake.counts("view") == History(log.before(ends)).windows("view")
    assert lake.counts("view")[3, NOON] >= 1


def test_nothing_about_a_deleted_image_stays_in_any_file(lake: FolderLake, log: MemoryLog) -> None:
    lake.run(log, ends_of(log), "run")
    assert {row["image_id"] for row in lake.rows(EVENTS)} >= {2}
    deletion = event("deletion", 7, NOON, 2)
    log.append(Place(deletion.topic, 2), b"2", encode(deletion))
    late = event("view", 8, NOON, 2)
    log.append(Place(late.topic, 2), b"2", encode(late))
    lake.run(log, ends_of(log), "delete")
    for name in (EVENTS, *WINDOWS.values()):
        assert 2 not in {row["image_id"] for row in lake.rows(name)}
    assert [row["image_id"] for row in lake.rows(DELETED_IMAGES)] == [2]
    after = lake.snapshots()
    log.append(Place(late.topic, 2), b"2", encode(event("view", 9, NOON + MINUTE_MICROSECONDS, 2)))
    lake.run(log, ends_of(log), "late")
    assert 2 not in {row["image_id"] for row in lake.rows(EVENTS)}
    assert lake.snapshots()[DELETED_IMAGES] == after[DELETED_IMAGES]
