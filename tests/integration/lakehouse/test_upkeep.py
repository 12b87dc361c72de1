import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Event

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from gourmetgram.lakehouse import runs, upkeep
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.compaction import UPKEEP
from gourmetgram.lakehouse.expiry import tag_training_snapshot
from gourmetgram.lakehouse.orphans import MissingFiles
from gourmetgram.lakehouse.publishing import latest
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, WINDOWS
from labkit.stack import Stack
from tests.integration.lakehouse.upkeep_support import Activity, Bucket, every_table, killed_writer, recounted
from tests.support.lakehouse import counts, environment, landed, own_settings, snapshots, table_rows

Own = Callable[..., LakehouseSettings]
SECRET_IMAGE = 7_301_958_264_031_557
"""No other number in the bucket has these digits or bytes."""


@pytest.fixture
def history(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """Settings of an empty history, for one test alone."""
    return own_settings(lake_stack, request.node.name)


@pytest.fixture
def activity(lake_stack: Stack) -> Activity:
    return Activity(lake_stack.address("redpanda"))


def lived_through(history: LakehouseSettings, activity: Activity, runs_made: int = 6) -> list[str]:
    """Several runs with a few events each; returns the event ids."""
    made = []
    for number in range(runs_made):
        made += activity.happen(range(1 + number, 20 + number))
        runs.run_once(history)
    return made


def at_once(history: LakehouseSettings) -> LakehouseSettings:
    """Nothing is kept for anybody."""
    return history.model_copy(update={"keep_snapshots_hours": 0.0, "orphan_grace_hours": 0.0})


def everything(history: LakehouseSettings) -> dict[str, list[str]]:
    return {name: sorted(map(str, table_rows(history, name))) for name in (EVENTS, DELETED_IMAGES, *WINDOWS.values())}


def published(history: LakehouseSettings) -> dict[str, int]:
    with closing(open_catalog(history)) as catalog:
        found = latest(catalog.engine)
    assert found
    return dict(found.tables)


def test_rows_stay_and_the_next_runs_go_on(history: LakehouseSettings, activity: Activity) -> None:
    lived_through(history, activity)
    before, rows, readers = snapshots(history), everything(history), published(history)
    made_by_runs = {one.snapshot_id for _, _, table in every_table(history) for one in table.snapshots()}

    done = upkeep.run(history)
    assert done[EVENTS]["compaction"]["files"] >= 10
    assert everything(history) == rows
    after = snapshots(history)
    marks = {name: marked(table, made_by_runs) for _, name, table in every_table(history)}
    assert marks[EVENTS] == ["compaction"], "compaction is one snapshot"
    assert marks[DELETED_IMAGES] == []
    assert after[EVENTS] != before[EVENTS]
    assert after[DELETED_IMAGES] == before[DELETED_IMAGES]
    assert published(history) == readers
    for catalog, name, table in every_table(history):
        assert catalog.name == "gourmetgram"
        if name in readers:
            assert len(table.scan(snapshot_id=readers[name]).to_arrow()) == len(rows[name])

    runs.run_once(history)
    assert snapshots(history) == after, "a run with nothing new changes nothing, after a compaction too"
    assert published(history) == {name: snapshot for name, snapshot in after.items() if snapshot}

    upkeep.run(history)
    assert snapshots(history) == after, "upkeep with nothing to do changes nothing"

    activity.happen(range(15, 18))
    runs.run_once(history)
    for kind in WINDOWS:
        assert counts(history, kind) == recounted(history, kind) != {}


def marked(table: Table, before: set[int]) -> list[str]:
    """What the snapshots that came later say of themselves."""
    return [one.summary[UPKEEP] or "" for one in table.snapshots() if one.summary and one.snapshot_id not in before]


def test_what_a_killed_writer_left_goes(history: LakehouseSettings, activity: Activity) -> None:
    made = lived_through(history, activity, runs_made=2)
    bucket = Bucket(history)
    before = bucket.objects()
    killed_writer(os.environ | environment(history))
    left = bucket.objects() - before
    assert {key.rpartition(".")[2] for key in left} == {"parquet", "avro"}

    upkeep.run(history)
    assert left <= bucket.objects(), "they are young: their writer could be about to commit"
    upkeep.run(at_once(history))
    assert not left & bucket.objects()
    assert set(made) <= {row["event_id"] for row in landed(history)}
    runs.run_once(history)
    for kind in WINDOWS:
        assert counts(history, kind) == recounted(history, kind)


def test_exactly_the_files_that_snapshots_need_are_left(history: LakehouseSettings, activity: Activity) -> None:
    lived_through(history, activity)
    killed_writer(os.environ | environment(history))
    bucket = Bucket(history)
    upkeep.run(history)
    runs.run_once(history)
    with closing(open_catalog(history)) as catalog:
        events = catalog.load_table(EVENTS)
        tagged = events.snapshots()[1].snapshot_id
        tag_training_snapshot(events, tagged, "1")
    before = bucket.objects()
    upkeep.run(at_once(history))
    assert len(bucket.objects()) < len(before) / 2

    needed: set[str] = set()
    for _, name, table in every_table(history):
        kept = {one.snapshot_id for one in table.snapshots()}
        readers = published(history).get(name, current.snapshot_id if (current := table.current_snapshot()) else None)
        assert kept == {readers, *([tagged] if name == EVENTS else [])} - {None}
        for snapshot in table.snapshots():
            assert snapshot.summary
            rows = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
            assert len(rows) == int(snapshot.summary["total-records"] or 0)
        needed |= {one.manifest_list for one in table.snapshots()} | {table.metadata_location}
        needed |= {one.metadata_file for one in table.metadata.metadata_log}
        if not any(one.manifests(table.io) for one in table.snapshots()):
            continue  # nothing was ever written to it
        needed |= {
            *table.inspect.all_manifests()["path"].to_pylist(),
            *table.inspect.all_files()["file_path"].to_pylist(),
        }
    assert bucket.objects() == {path.removeprefix("s3://") for path in needed}


def test_a_damaged_table_stops_no_other_and_loses_nothing_more(history: LakehouseSettings, activity: Activity) -> None:
    lived_through(history, activity, runs_made=2)
    bucket = Bucket(history)
    lost = min(key for key in bucket.objects() if "/events/data/" in key)
    killed_writer(os.environ | environment(history))
    bucket.remove(lost)
    before = bucket.objects()
    with pytest.raises(MissingFiles, match=f"names 1 files that are not there, the first is {lost}"):
        upkeep.run(at_once(history))
    gone = before - bucket.objects()
    assert gone
    assert not any("/events/" in key for key in gone)


def test_runs_and_upkeep_at_the_same_time(history: LakehouseSettings, activity: Activity) -> None:
    """Each may be refused, and then tried again; no event is lost, none is there twice."""
    made = lived_through(history, activity, runs_made=5)
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        tidying = pool.submit(tidy_until, stop, history.model_copy(update={"keep_snapshots_hours": 0.0}))
        try:
            for number in range(10):
                made += activity.happen(range(1 + number, 11 + number))
                run_until_done(history)
        finally:
            stop.set()
        assert tidying.result() > 0, "something was compacted"
    runs.run_once(history)
    found = Counter(row["event_id"] for row in landed(history))
    assert set(made) <= set(found)
    assert set(found.values()) == {1}
    for kind in WINDOWS:
        assert counts(history, kind) == recounted(history, kind)
    for _, name, table in every_table(history):
        snapshot = published(history).get(name)
        assert snapshot is None or len(table.scan(snapshot_id=snapshot).to_arrow()) == len(table.scan().to_arrow())


def tidy_until(stop: Event, settings: LakehouseSettings) -> int:
    """Upkeep, again and again; returns how many files were compacted."""
    done = 0
    while not stop.is_set():
        for steps in upkeep.run(settings).values():
            compaction = steps.get("compaction", {"refused": True})
            done += 0 if "refused" in compaction else compaction["files"]
    return done


def run_until_done(history: LakehouseSettings) -> None:
    """A run that is tried again when upkeep was quicker."""
    for _ in range(20):
        with suppress(CommitFailedException):
            runs.run_once(history)
            return
    pytest.fail("the run never got through")


def test_nothing_of_a_deleted_image_is_left(history: LakehouseSettings, activity: Activity) -> None:
    activity.happen([1, SECRET_IMAGE, SECRET_IMAGE - 10], times=3)
    runs.run_once(history)
    lived_through(history, activity, runs_made=5)
    with closing(open_catalog(history)) as catalog:
        for name in (EVENTS, WINDOWS["view"]):
            table = catalog.load_table(name)
            tag_training_snapshot(table, table.snapshots()[-1].snapshot_id, "1")
    bucket = Bucket(history)
    kinds = {key.rpartition(".")[2] for key in bucket.holding(SECRET_IMAGE)}
    assert kinds == {"parquet", "avro"}, "it stands in files, and in the bounds that manifests hold"

    activity.delete(SECRET_IMAGE)
    runs.run_once(history)
    upkeep.run(at_once(history))

    left = {key for key in bucket.holding(SECRET_IMAGE) if "/deleted_images/" not in key}
    assert left == set()
    assert SECRET_IMAGE in {row["image_id"] for row in table_rows(history, DELETED_IMAGES)}
    assert bucket.holding(SECRET_IMAGE - 10)
    for kind in WINDOWS:
        assert counts(history, kind) == recounted(history, kind)
