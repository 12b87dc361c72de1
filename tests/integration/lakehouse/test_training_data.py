"""The training data from end to end: what the table holds, and that each step may be interrupted, repeated and late."""

import itertools
import random
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.offsets import HistoryError, Superseded
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, TRAINING_DATA
from gourmetgram.lakehouse.training_data import raw, steps
from gourmetgram.lakehouse.training_data.data_contract import ContractBroken
from gourmetgram.lakehouse.training_data.rows import SCHEMA
from labkit.stack import Stack
from tests.support.database import Rows, superuser_rows
from tests.support.lakehouse import microseconds, own_settings, table_rows
from tests.support.training_check import check, said, training_table
from tests.support.training_planted import EMPTY, livable, plant, plant_actions, plant_rows, tell
from tests.support.training_recount import DAY, HOUR, Action, Happening, Image, User, World
from tests.support.training_worlds import big_world

FIRST = 610_000_000
"""Ids from here on are of these images; other tests have events of their own in the topics."""

NEW_IDS = itertools.count(FIRST + 1_000_000)
"""The topics stay from test to test, so the posts are others in each."""

NOW = microseconds(datetime.now(UTC))


@pytest.fixture(scope="module")
def database(lake_stack: Stack) -> Iterator[Rows]:
    lake_stack.up("migrate")
    with superuser_rows(lake_stack) as rows:
        yield rows
        rows(EMPTY)


@pytest.fixture
def few(lake_stack: Stack, database: Rows) -> World:
    """Three posts of two days ago instead of all others."""
    images = [Image(next(NEW_IDS), 1, NOW - 2 * DAY) for _ in range(3)]
    events = [Happening("upload", image.id, image.created_at) for image in images]
    events += [Happening("flag", images[0].id, NOW - DAY - HOUR)]
    made = World([User(1, NOW - 9 * DAY, tos_accepted_at=NOW - 9 * DAY)], images, events, complete_until=0)
    plant(made, database, lake_stack.address("redpanda"))
    return made


@pytest.fixture
def lake(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """A history of the test's own."""
    return own_settings(lake_stack, re.sub(r"\W+", "_", request.node.name)[:60].rstrip("_"))


def snapshot_id(lake: LakehouseSettings) -> int | None:
    snapshot = training_table(lake).current_snapshot()
    return snapshot.snapshot_id if snapshot else None


def prepared(lake: LakehouseSettings, run_id: str) -> steps.TrainingRun:
    """A run of which only the load is missing."""
    return steps.transform_features(lake, steps.extract_data(lake, run_id))


def test_a_run_replaces_what_was_there(lake: LakehouseSettings, few: World) -> None:
    runs.run_once(lake)
    for run_id in ("one", "one", "two"):
        before = snapshot_id(lake) if run_id == "two" else None
        assert steps.run_once(lake, run_id)["rows"] == 9
        assert check(lake, few) == 9
        assert snapshot_id(lake) != before
    assert {one.run_id for one in raw.finished(lake, open_storage(lake))} == {"one", "two"}


def test_what_comes_later_is_in_the_next_run(lake: LakehouseSettings, few: World, lake_stack: Stack) -> None:
    runs.run_once(lake)
    steps.run_once(lake, "one")
    new = [Happening("flag", few.images[1].id, NOW - DAY - HOUR), Happening("view", few.images[2].id, NOW - 2 * DAY)]
    tell(new, lake_stack.address("redpanda"))
    steps.run_once(lake, "before it has landed")
    assert check(lake, few) == 9
    runs.run_once(lake)
    steps.run_once(lake, "two")
    few.events += new
    assert check(lake, few) == 9


@contextmanager
def replaced(monkeypatch: pytest.MonkeyPatch, of: object, name: str, by: object) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(of, name, by)
        yield


class Killed(BaseException):
    """Ends a step where it is."""


def test_every_step_may_end_anywhere_and_be_repeated(
    lake: LakehouseSettings, few: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.run_once(lake)
    steps.run_once(lake, "before")
    storage, commit = open_storage(lake), Transaction.commit_transaction

    def killed(*_: object) -> None:
        raise Killed

    def killed_behind_its_commit(transaction: Transaction) -> None:
        commit(transaction)
        raise Killed

    with replaced(monkeypatch, raw, "write_manifest", killed), pytest.raises(Killed):
        steps.extract_data(lake, "run")
    assert [one.run_id for one in raw.finished(lake, storage)] == ["before"]
    steps.extract_data(lake, "run")
    run = steps.extract_data(lake, "run")
    assert [one.run_id for one in raw.finished(lake, storage)] == ["before", "run"]

    with replaced(monkeypatch, steps, "told", killed), pytest.raises(Killed):
        steps.transform_features(lake, run)
    run = steps.transform_features(lake, steps.transform_features(lake, run))

    before = snapshot_id(lake)
    with replaced(monkeypatch, Transaction, "commit_transaction", killed), pytest.raises(Killed):
        steps.load_iceberg(lake, run)
    assert snapshot_id(lake) == before
    with replaced(monkeypatch, Transaction, "commit_transaction", killed_behind_its_commit), pytest.raises(Killed):
        steps.load_iceberg(lake, run)
    assert snapshot_id(lake) != before
    assert check(lake, few) == 9
    done = steps.load_iceberg(lake, run)
    assert check(lake, few) == done["rows"] == 9
    assert steps.load_iceberg(lake, run) == done
    assert snapshot_id(lake) == done["snapshot"], "nothing was left to do"


def test_a_run_whose_rows_are_gone_says_so(lake: LakehouseSettings, few: World) -> None:
    runs.run_once(lake)
    run = prepared(lake, "one")
    steps.load_iceberg(lake, run)
    steps.run_once(lake, "two")
    with pytest.raises(HistoryError, match="the rows of run one are no longer there"):
        steps.load_iceberg(lake, run)
    assert said(lake)[RUN] == "two"


@pytest.mark.parametrize("has_more_to_land", [True, False], ids=["more", "later"])
def test_an_older_run_is_refused_after_a_newer_one(
    lake: LakehouseSettings, few: World, lake_stack: Stack, has_more_to_land: bool
) -> None:
    """It knows less: fewer events, or of the same events less about which time they are complete."""
    runs.run_once(lake)
    older = prepared(lake, "older")
    if has_more_to_land:
        few.events += [Happening("flag", few.images[2].id, NOW - DAY - HOUR)]
        tell(few.events[-1:], lake_stack.address("redpanda"))
    runs.run_once(lake)
    steps.run_once(lake, "newer")
    before = snapshot_id(lake)
    with pytest.raises(Superseded):
        steps.load_iceberg(lake, older)
    assert snapshot_id(lake) == before
    assert check(lake, few) == 9


def test_one_of_two_loads_wins(lake: LakehouseSettings, few: World, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.run_once(lake)
    one, two = prepared(lake, "one"), prepared(lake, "two")
    commit = Transaction.commit_transaction

    def overtaken(transaction: Transaction) -> Table:
        monkeypatch.undo()
        steps.load_iceberg(lake, two)
        return commit(transaction)

    monkeypatch.setattr(Transaction, "commit_transaction", overtaken)
    with pytest.raises(CommitFailedException):
        steps.load_iceberg(lake, one)
    assert said(lake)[RUN] == "two"
    assert check(lake, few) == 9
    assert steps.load_iceberg(lake, one)["rows"] == 9
    assert check(lake, few) == 9


def test_a_broken_contract_stops_the_load(lake: LakehouseSettings, few: World) -> None:
    runs.run_once(lake)
    steps.run_once(lake, "good")
    before = snapshot_id(lake)
    run = prepared(lake, "bad")
    path, storage = f"{run['folder']}/{raw.STAGED}/rows.parquet", open_storage(lake)
    rows = pyarrow.parquet.read_table(path, filesystem=storage).to_pylist()
    rows[4]["views_5min"] = -1.0
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, SCHEMA), path, filesystem=storage)
    with pytest.raises(ContractBroken, match="views_5min: 1 of 9 rows break the rule"):
        steps.load_iceberg(lake, run)
    assert snapshot_id(lake) == before
    assert check(lake, few) == 9


def test_what_the_application_must_not_hold_stops_the_extract(
    lake: LakehouseSettings, few: World, database: Rows
) -> None:
    runs.run_once(lake)
    plant_rows([User(2, -DAY, year_of_birth=None, tos_accepted_at=0)], [], database)
    with pytest.raises(ContractBroken, match="created_at: 1 of 2 rows break the rule “is not before 1970”"):
        steps.extract_data(lake, "bad")
    assert raw.finished(lake, open_storage(lake)) == []


def test_nobody_has_posted_anything(lake: LakehouseSettings, database: Rows) -> None:
    database(EMPTY)
    runs.run_once(lake)
    for run_id in ("one", "two"):
        assert steps.run_once(lake, run_id)["rows"] == 0
        assert check(lake, World([], [], [], 0)) == 0


def test_nothing_has_been_published(lake: LakehouseSettings, few: World) -> None:
    with pytest.raises(HistoryError, match="no history has been published yet"):
        steps.extract_data(lake, "early")
    assert raw.finished(lake, open_storage(lake)) == []


def test_the_events_have_expired_since_the_extract(lake: LakehouseSettings, few: World, lake_stack: Stack) -> None:
    runs.run_once(lake)
    run = steps.extract_data(lake, "slow")
    tell([Happening("view", few.images[0].id, NOW)], lake_stack.address("redpanda"))
    runs.run_once(lake)
    with closing(open_catalog(lake)) as catalog:
        catalog.load_table(EVENTS).maintenance.expire_snapshots().by_id(run["snapshots"][EVENTS]).commit()
    with pytest.raises(HistoryError, match="is no longer there; begin from the first step again"):
        steps.transform_features(lake, run)
    few.events += [Happening("view", few.images[0].id, NOW)]
    steps.run_once(lake, "again")
    assert check(lake, few) == 9


def test_an_image_that_is_deleted_meanwhile_is_left_out(lake: LakehouseSettings, few: World, lake_stack: Stack) -> None:
    runs.run_once(lake)
    run = prepared(lake, "run")
    tell([Happening("deletion", few.images[0].id, NOW)], lake_stack.address("redpanda"))
    runs.run_once(lake)
    steps.load_iceberg(lake, run)
    assert {row["image_id"] for row in table_rows(lake, TRAINING_DATA)} == {image.id for image in few.images[1:]}
    with closing(open_catalog(lake)) as catalog:
        assert catalog.load_table(DELETED_IMAGES).current_snapshot()


def test_reviews_are_the_second_label(lake: LakehouseSettings, few: World, database: Rows) -> None:
    """Two moderators; the first image has a flag, the second none, of the third only a comment is judged."""
    flagged, confirmed, untouched = (image.id for image in few.images)
    steps_taken = [
        ([Action(1, flagged, "confirm"), Action(2, flagged, "reject", moderator="ben")], (False, None, None)),
        ([Action(3, confirmed, "confirm"), Action(4, confirmed, "restore")], (False, True, None)),
        ([Action(5, flagged, "confirm", moderator="ben")], (True, True, None)),
        ([Action(6, flagged, "reject", comment_id=5), Action(7, untouched, comment_id=6)], (True, True, None)),
    ]
    runs.run_once(lake)
    for number, (actions, verdicts) in enumerate(steps_taken):
        plant_actions(actions, database)
        few.actions += actions
        steps.run_once(lake, f"run {number}")
        assert check(lake, few) == 9
        labels = {row["image_id"]: row["label_confirmed"] for row in table_rows(lake, TRAINING_DATA)}
        assert labels == dict(zip((flagged, confirmed, untouched), verdicts, strict=True))
    database("UPDATE images SET deleted_at = now(), caption = '' WHERE id = %s", confirmed)
    few.images[1] = replace(few.images[1], is_deleted=True)
    steps.run_once(lake, "one is deleted")
    assert check(lake, few) == 6


def test_what_waits_in_the_outbox_is_not_complete(lake: LakehouseSettings, few: World, database: Rows) -> None:
    runs.run_once(lake)
    image = few.images[0]
    insert = (
        "INSERT INTO outbox (topic, key, payload, created_at) VALUES ('gourmetgram.views', %s, '{}', to_timestamp(%s))"
    )
    for until, anchors in ((image.created_at, 0), (image.created_at + 1_000_000, 1)):
        database("TRUNCATE outbox")
        database(insert, image.id, until / 1_000_000)
        run: Any = steps.extract_data(lake, f"until {until}")
        assert microseconds(datetime.fromisoformat(run["complete_until"])) == until - 1
        steps.load_iceberg(lake, steps.transform_features(lake, run))
        assert check(lake, few) == anchors * 3
    database("TRUNCATE outbox")


def test_thousands_of_rows_are_a_recount(lake: LakehouseSettings, database: Rows, lake_stack: Stack) -> None:
    """Two thousand posts of three weeks up to now."""
    world = livable(big_world(random.Random(6), 2000, around=NOW - 13 * DAY), FIRST, NOW)
    plant(world, database, lake_stack.address("redpanda"))
    runs.run_once(lake)
    in_pieces = lake.model_copy(update={"training_chunk_rows": 500})
    done = steps.run_once(in_pieces, "first")
    assert check(lake, world) == done["rows"] > 1500
    for label in ("label", "label_confirmed"):
        assert {row[label] for row in table_rows(lake, TRAINING_DATA, (label,))} == {True, False, None}
