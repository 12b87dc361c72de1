"""The search for an id opens every object: of tables, raw snapshots and models, readable or not, named or not."""

import io
import json
from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet
import pytest

from gourmetgram.lakehouse import runs, search
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.search import Found, find_image, gone, told
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS
from gourmetgram.lakehouse.training_data import steps
from labkit.stack import Stack
from tests.integration.lakehouse.planted import World, model, world
from tests.integration.lakehouse.upkeep_support import Bucket
from tests.support.lakehouse import own_settings

FIRST = 8_402_069_375_142_000
"""Ids from here on have bytes and digits that no other number in the bucket has."""


@pytest.fixture(scope="module")
def planted(lake_stack: Stack) -> Iterator[World]:
    with world(lake_stack) as one:
        one.user(1)
        for image in range(FIRST, FIRST + 5):
            at = one.post(image, 1, 30)
            for _ in range(4):
                one.tell("view", image, at)
            one.review(image, "confirm")
        one.flush()
        yield one


@pytest.fixture(scope="module")
def history(lake_stack: Stack, planted: World) -> LakehouseSettings:
    settings = own_settings(lake_stack, "search")
    runs.run_once(settings)
    steps.run_once(settings, "training")
    return settings


def put(history: LakehouseSettings, folder: str, content: bytes) -> str:
    path = folder.partition("://")[2]
    storage = open_storage(history)
    storage.create_dir(path.rpartition("/")[0])
    with storage.open_output_stream(path) as file:
        file.write(content)
    return path


@pytest.fixture
def object_in(history: LakehouseSettings) -> Iterator[list[str]]:
    """Paths of objects that go when the test ends."""
    made: list[str] = []
    yield made
    for path in made:
        open_storage(history).delete_file(path)


def new(history: LakehouseSettings, image: int, before: list[Found]) -> list[Found]:
    return [one for one in find_image(history, image) if one not in before]


@pytest.mark.parametrize("image", [FIRST, FIRST + 2, FIRST + 4])
def test_it_finds_the_objects_that_another_search_finds(history: LakehouseSettings, image: int) -> None:
    """The other one looks for digits and bytes; the ids in the middle are no bounds of any file."""
    found = {one.path: one for one in find_image(history, image)}
    others: set[str] = set()
    for place in (history.warehouse, history.raw_snapshots):
        others |= Bucket(history.model_copy(update={"warehouse": place})).holding(image)
    assert set(found) == others
    is_bound = image in (FIRST, FIRST + 4)
    assert {path.rpartition(".")[2] for path in found} == ({"parquet", "avro"} if is_bound else {"parquet"})
    (events,) = (one for one in found.values() if "/event_aggregations/events/data/" in one.path)
    assert (events.rows, events.kind) == (5, "left")
    assert events.what == f"data file of {EVENTS}, of the present snapshot"
    assert {one.rows for path, one in found.items() if path.endswith("/images.parquet")} == {1}
    assert not gone(found.values())


def test_an_image_that_never_was_is_nowhere(history: LakehouseSettings) -> None:
    assert find_image(history, FIRST + 77) == []
    assert gone([])


def test_files_that_nobody_names_are_found(history: LakehouseSettings, object_in: list[str]) -> None:
    with closing(open_catalog(history)) as catalog:
        location = catalog.load_table(EVENTS).location()
    content = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"image_id": [FIRST + 50, 3, FIRST + 50]}), content)
    object_in.append(put(history, f"{location}/data/left.parquet", content.getvalue()))
    object_in.append(put(history, f"{history.warehouse}/elsewhere/left.parquet", content.getvalue()))
    found = find_image(history, FIRST + 50)
    assert [(one.path, one.rows, one.kind) for one in found] == [(path, 2, "left") for path in sorted(object_in)]
    assert {one.what for one in found} == {
        f"data file of {EVENTS}, of an earlier snapshot, or of none",
        "no table's, in the warehouse",
    }
    assert next(told(found)).startswith("left            2  ")


def test_json_is_read_by_the_names_of_its_values(history: LakehouseSettings, object_in: list[str]) -> None:
    image = FIRST + 60
    said = {"images": image, "seen": [{"image_ids": [image, str(image), 4]}], "inner": json.dumps({"image_id": image})}
    object_in.append(put(history, f"{history.models}/v9/notes.json", json.dumps(said).encode()))
    (found,) = find_image(history, image)
    assert (found.rows, found.kind, found.what) == (3, "left", "one of the models"), "a number of images is no id"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("damaged.parquet", b"PAR1 soup PAR1"),
        ("damaged.avro", b"Obj\x01 soup"),
        ("damaged.json", b'{"image_id": '),
        ("unknown.pickle", b"soup"),
    ],
)
def test_what_cannot_be_read_is_no_proof(
    history: LakehouseSettings, object_in: list[str], name: str, content: bytes
) -> None:
    for place in (history.warehouse, history.raw_snapshots, history.models):
        object_in.append(put(history, f"{place}/strange/{name}", content))
    found = find_image(history, FIRST + 77)
    assert sorted(one.path for one in found) == sorted(object_in)
    assert {one.kind for one in found} == {"unread"}
    assert all("could not be read" in one.what for one in found)
    assert not gone(found)


def test_a_manifest_that_is_cut_off_cannot_be_read(history: LakehouseSettings, object_in: list[str]) -> None:
    bucket = Bucket(history)
    for key in sorted(one for one in bucket.objects() if one.endswith(".avro") and "/events/" in one)[:2]:
        whole = bucket.read(key)
        object_in.append(put(history, f"{history.warehouse}/cut/{len(object_in)}.avro", whole[: len(whole) - 40]))
    assert {one.path: one.kind for one in find_image(history, FIRST + 77)} == dict.fromkeys(object_in, "unread")


def test_objects_that_vanish_meanwhile_are_not_there(
    history: LakehouseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = find_image(history, FIRST)
    there = search._objects

    def and_others(*arguments: LakehouseSettings) -> Iterator[str]:
        yield from there(*arguments)
        for suffix in ("parquet", "avro", "json"):
            yield f"{history.warehouse.partition('://')[2]}/vanished.{suffix}"

    monkeypatch.setattr(search, "_objects", and_others)
    assert find_image(history, FIRST) == before


def test_what_a_model_has_seen_is_a_record(history: LakehouseSettings) -> None:
    before = find_image(history, FIRST + 1)
    model(history, "v1", [FIRST + 1, FIRST + 90])
    (found,) = new(history, FIRST + 1, before)
    assert (found.kind, found.rows) == ("model", 1)
    assert gone(find_image(history, FIRST + 90))
