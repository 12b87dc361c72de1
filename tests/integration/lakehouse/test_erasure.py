"""A deletion reaches everything that was derived from the image: tables, raw snapshots, tags; and nothing else."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow.fs
import pyarrow.parquet
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from gourmetgram.lakehouse import erasure, runs, tables, upkeep
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.expiry import tag_training_snapshot
from gourmetgram.lakehouse.search import find_image, gone
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DEFINITIONS, DELETED_IMAGES, TRAINING_DATA
from gourmetgram.lakehouse.training_data import raw, steps
from labkit.stack import Stack
from tests.integration.lakehouse.planted import World, model, world
from tests.integration.lakehouse.upkeep_support import Bucket
from tests.support.lakehouse import own_settings, table_rows

SECRET = 7_301_958_264_042_000
"""Ids from here on have bytes and digits that no other number in the bucket has."""


@pytest.fixture
def history(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    return own_settings(lake_stack, re.sub(r"\W+", "_", request.node.name)[:60].rstrip("_"))


@pytest.fixture
def planted(lake_stack: Stack) -> Iterator[World]:
    with world(lake_stack) as one:
        yield one


def four_posts(planted: World, first: int) -> list[int]:
    """Two people, two posts each, of two days ago, with a view, a comment, a flag and a review."""
    made = list(range(first, first + 4))
    people = [planted.user(1), planted.user(2)]
    for image in made:
        at = planted.post(image, people[image % 2], 48 + (first + 3 - image))
        for kind in ("view", "comment", "flag"):
            planted.tell(kind, image, at + (planted.now - at) / 10)
        planted.review(image, "confirm")
    planted.flush()
    return made


def trained(history: LakehouseSettings, run_id: str = "training") -> None:
    runs.run_once(history)
    steps.run_once(history, run_id)


def at_once(history: LakehouseSettings) -> LakehouseSettings:
    """Nothing is kept for anybody, but for raw snapshots."""
    return history.model_copy(update={"keep_snapshots_hours": 0.0, "orphan_grace_hours": 0.0})


def images_in(history: LakehouseSettings, name: str) -> set[int]:
    return {row["image_id"] for row in table_rows(history, name, ("image_id",))}


def training_images(history: LakehouseSettings) -> set[int]:
    return images_in(history, TRAINING_DATA)


def current(history: LakehouseSettings) -> int:
    with closing(open_catalog(history)) as catalog:
        snapshot = catalog.load_table(TRAINING_DATA).current_snapshot()
    assert snapshot
    return snapshot.snapshot_id


def raw_rows(history: LakehouseSettings, name: str, run_id: str = "training") -> list[dict[str, object]]:
    """The rows of a table in the raw snapshot of a run."""
    storage = open_storage(history)
    (taken,) = (one for one in raw.finished(history, storage) if one.run_id == run_id)
    rows: list[dict[str, object]] = pyarrow.parquet.read_table(
        raw.path_of(taken.folder, name), filesystem=storage
    ).to_pylist()
    return rows


def elsewhere(history: LakehouseSettings, image: int) -> set[str]:
    """Objects with the id's digits or bytes, but for the records of the deletion; through another client."""
    places = (history.warehouse, history.raw_snapshots, history.models)
    found: set[str] = set()
    for place in places:
        found |= Bucket(history.model_copy(update={"warehouse": place})).holding(image)
    return {key for key in found if "/deleted_images/" not in key and not key.endswith("/image_ids.parquet")}


def test_nothing_but_the_record_is_left(history: LakehouseSettings, planted: World) -> None:
    made = four_posts(planted, SECRET)
    victim, sibling = made[0], made[2]  # of one user, the sibling is the later one
    trained(history)
    model(history, "v1", made, snapshot_id=current(history))
    model(history, "v2", made[1:])
    before = current(history)
    counts = {row["image_id"]: row["user_image_count"] for row in table_rows(history, TRAINING_DATA)}
    assert counts[sibling] == 2
    assert {row["id"] for row in raw_rows(history, "images")} == set(made)
    assert len(elsewhere(history, victim)) > 10

    planted.delete(victim)
    done: list[erasure.Erased] = []
    run = runs.consume_and_aggregate_events(history, "deletes")
    for kind in tables.WINDOWS:
        runs.write_windows(history, run, kind)
    done.append(erasure.erase(history, "deletes"))
    runs.publish(history, run)
    assert done == [{"deleted_images": 1, "training_rows": 3, "raw_snapshots": 1, "models": {"v1": 1}}]

    for name in DEFINITIONS:
        assert (victim in images_in(history, name)) == (name == DELETED_IMAGES)
    assert training_images(history) == set(made[1:])
    assert current(history) != before
    assert {row["image_id"] for row in raw_rows(history, "reviews")} == set(made[1:])
    posts = raw_rows(history, "images")
    assert [row["id"] for row in posts].count(None) == 1, "that its user had posted one stays"
    assert {row["id"] for row in posts} == {None, *made[1:]}
    assert all(row["caption_length"] is None and row["category"] is None for row in posts if row["id"] is None)
    again = steps.run_once(history, "training again")
    assert again["rows"] == 9
    counts = {row["image_id"]: row["user_image_count"] for row in table_rows(history, TRAINING_DATA)}
    assert counts[sibling] == 2, "features of the user's other images are as they were"

    with closing(open_catalog(history)) as catalog:
        old = catalog.load_table(TRAINING_DATA).scan(snapshot_id=before).to_arrow()
    assert victim in old["image_id"].to_pylist(), "until it expires, the past can be read"
    assert not gone(find_image(history, victim))
    assert elsewhere(history, victim)

    upkeep.run(at_once(history))
    found = find_image(history, victim)
    assert {one.kind for one in found} == {"tombstone", "model"}, found
    assert gone(found)
    assert elsewhere(history, victim) == set()
    assert elsewhere(history, sibling), "the same search finds what is there"
    assert not gone(find_image(history, sibling))


def test_a_deletion_before_the_load(history: LakehouseSettings, planted: World) -> None:
    """It comes when the rows are computed and have not been loaded."""
    made = four_posts(planted, SECRET + 100)
    runs.run_once(history)
    run = steps.transform_features(history, steps.extract_data(history, "training"))
    planted.delete(made[0])
    runs.run_once(history)
    steps.load_iceberg(history, run)
    assert training_images(history) == set(made[1:])
    assert {one.kind for one in find_image(history, made[0])} == {"tombstone", "left"}
    upkeep.run(at_once(history))
    assert gone(find_image(history, made[0]))
    assert elsewhere(history, made[0]) == set()


def test_a_raw_snapshot_from_before_there_were_reviews(history: LakehouseSettings, planted: World) -> None:
    made = four_posts(planted, SECRET + 800)
    trained(history)
    storage = open_storage(history)
    (taken,) = raw.finished(history, storage)
    storage.delete_file(raw.path_of(taken.folder, "reviews"))
    fewer = {name: rows for name, rows in taken.rows.items() if name != "reviews"}
    raw.write_manifest(storage, replace(taken, rows=fewer))
    planted.delete(made[0])
    runs.run_once(history)
    assert {row["id"] for row in raw_rows(history, "images")} == {None, *made[1:]}
    upkeep.run(at_once(history))
    assert gone(find_image(history, made[0])), find_image(history, made[0])


def test_what_failed_runs_left_goes_as_well(history: LakehouseSettings, planted: World) -> None:
    """Rows that were computed and never loaded, and a raw snapshot that was never finished."""
    made = four_posts(planted, SECRET + 200)
    runs.run_once(history)
    steps.transform_features(history, steps.extract_data(history, "never loaded"))
    unfinished = steps.extract_data(history, "never finished")["folder"]
    open_storage(history).delete_file(f"{unfinished}/{raw.MANIFEST}")
    planted.delete(made[0])
    runs.run_once(history)
    upkeep.run(history)
    storage = open_storage(history)
    assert storage.get_file_info(unfinished).type == pyarrow.fs.FileType.Directory, "it may be in the making"
    assert not gone(find_image(history, made[0]))
    upkeep.run(at_once(history))
    assert storage.get_file_info(unfinished).type == pyarrow.fs.FileType.NotFound
    assert len(raw.finished(history, storage)) == 1
    assert gone(find_image(history, made[0])), find_image(history, made[0])
    assert elsewhere(history, made[0]) == set()


@pytest.mark.parametrize(("moment", "first"), [("before", 300), ("after", 400), ("after, and no rows go", 700)])
def test_a_deletion_is_erased_while_rows_are_loaded(
    history: LakehouseSettings, planted: World, monkeypatch: pytest.MonkeyPatch, moment: str, first: int
) -> None:
    """Right before the load looks at the training data, it knows; right after that, it is refused.

    That holds as well where the image is in no row yet but those that are being loaded.
    """
    made = four_posts(planted, SECRET + first)
    runs.run_once(history)
    if moment != "after, and no rows go":
        steps.run_once(history, "training")
    left = training_images(history) - {made[0]}
    run = steps.transform_features(history, steps.extract_data(history, "races"))
    load_table = SqlCatalog.load_table

    def delete() -> None:
        monkeypatch.undo()
        planted.delete(made[0])
        runs.run_once(history)
        assert training_images(history) == left

    def deletes_meanwhile(catalog: SqlCatalog, name: str) -> Table:
        if name == TRAINING_DATA and moment == "before":
            delete()
        found = load_table(catalog, name)
        if name == TRAINING_DATA and moment != "before":
            delete()
        return found

    monkeypatch.setattr(SqlCatalog, "load_table", deletes_meanwhile)
    if moment != "before":
        with pytest.raises(CommitFailedException):
            steps.load_iceberg(history, run)
        assert training_images(history) == left
    steps.load_iceberg(history, run)
    assert training_images(history) == set(made[1:])
    assert len(table_rows(history, TRAINING_DATA)) == 9


def test_rows_are_loaded_while_a_deletion_is_erased(
    history: LakehouseSettings, planted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load knows of the deletion; the erasure is refused, and has nothing left to do when it is tried again."""
    made = four_posts(planted, SECRET + 500)
    trained(history)
    run = steps.transform_features(history, steps.extract_data(history, "races"))
    planted.delete(made[0])
    landed = runs.consume_and_aggregate_events(history, "deletes")
    clean = erasure._clean_raw

    def loads_meanwhile(*arguments: Any) -> int:
        monkeypatch.undo()
        steps.load_iceberg(history, run)
        return clean(*arguments)

    monkeypatch.setattr(erasure, "_clean_raw", loads_meanwhile)
    with pytest.raises(CommitFailedException):
        runs.erase_deleted(history, landed)
    loaded = current(history)
    assert runs.erase_deleted(history, landed)["training_rows"] == 0
    assert current(history) == loaded
    assert training_images(history) == set(made[1:])
    assert {row["id"] for row in raw_rows(history, "images", "training")} == {None, *made[1:]}


def test_the_tag_of_a_model_goes_with_what_it_holds(history: LakehouseSettings, planted: World) -> None:
    made = four_posts(planted, SECRET + 600)
    trained(history)
    touched = current(history)
    with closing(open_catalog(history)) as catalog:
        tag_training_snapshot(catalog.load_table(TRAINING_DATA), touched, "v1")
    planted.delete(made[0])
    runs.run_once(history)
    clean = current(history)
    with closing(open_catalog(history)) as catalog:
        tag_training_snapshot(catalog.load_table(TRAINING_DATA), clean, "v2")
        assert set(catalog.load_table(TRAINING_DATA).refs()) == {"main", "model-v1", "model-v2"}
    steps.run_once(history, "later")
    upkeep.run(at_once(history))
    with closing(open_catalog(history)) as catalog:
        table = catalog.load_table(TRAINING_DATA)
    assert set(table.refs()) == {"main", "model-v2"}
    assert table.snapshot_by_id(touched) is None
    assert set(table.scan(snapshot_id=clean).to_arrow()["image_id"].to_pylist()) == set(made[1:])
    assert elsewhere(history, made[0]) == set()
