"""Every check of the pipeline passes on a sound one, and fails on damage that is planted for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gourmetgram.lakehouse import files, runs, upkeep, verify
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.offsets import HistoryError
from gourmetgram.lakehouse.tables import EVENTS, TRAINING_DATA, WINDOWS
from gourmetgram.lakehouse.training_data import raw, steps
from gourmetgram.lakehouse.verify import Check, PipelineUnsound, checks, told
from labkit.stack import Stack
from tests.integration.lakehouse.planted import World, busy, world
from tests.support.database import superuser_rows
from tests.support.lakehouse import own_settings

Change = Callable[[pa.Table], pa.Table]

FIRST = 920_000
CHILD = FIRST + 4
ROWS = "training data, rows"
IMAGES = "training data, images"
DUPLICATES = "training data, duplicates"
EMPTY = "training data, empty values"
RANGES = "training data, ranges"
BALANCE = "training data, class balance"
SAMPLE = "training data, sample"
DRIFT = "training data, drift"


class Lake:
    """Two training runs over a small world; damage is planted in a table's rows, and taken back."""

    def __init__(self, stack: Stack, planted: World) -> None:
        self.planted, self._stack = planted, stack
        self.settings = own_settings(stack, "verify").model_copy(update={"verify_sample_images": 1000})
        self.made = busy(planted, FIRST, 60, seed=1)
        for number, image in enumerate([*self.made][::2]):
            planted.review(image, "confirm" if number % 2 else "reject")
        planted.review(next(iter(self.made)), "confirm", comment=1)
        runs.run_once(self.settings)
        steps.run_once(self.settings, "first")
        steps.run_once(self.settings, "second")

    def verified(self, **changes: object) -> dict[str, Check]:
        found = verify.verify(self.settings.model_copy(update=changes))
        assert len({one["name"] for one in found}) == len(found)
        return {one["name"]: one for one in found}

    def failed(self, **changes: object) -> set[str]:
        return {name for name, one in self.verified(**changes).items() if not one["passed"]}

    @contextmanager
    def damaged(self, name: str, change: Change) -> Iterator[None]:
        before = self._rows(name)
        self._replace(name, change(before))
        try:
            yield
        finally:
            self._replace(name, before)

    def _rows(self, name: str) -> pa.Table:
        with closing(open_catalog(self.settings)) as catalog:
            return catalog.load_table(name).scan().to_arrow()

    def _replace(self, name: str, rows: pa.Table) -> None:
        """As the run that wrote the table, or nothing would look at it."""
        with closing(open_catalog(self.settings)) as catalog:
            table = catalog.load_table(name)
            snapshot = table.current_snapshot()
            assert snapshot
            assert snapshot.summary
            said = {key: value for key, value in snapshot.summary.additional_properties.items() if "gourmetgram" in key}
            change = table.transaction()
            files.write(change, added=[rows], removed=files.live(table), summary=said, properties={})
            change.commit_transaction()
            (now,) = [one.snapshot_id for one in [catalog.load_table(name).current_snapshot()] if one]
        with superuser_rows(self._stack, "verify") as sql:
            changed = json.dumps({name: now})
            sql("UPDATE published_sets SET tables = tables || %s::jsonb WHERE tables ? %s", changed, name)


@pytest.fixture(scope="module")
def lake(lake_stack: Stack) -> Iterator[Lake]:
    with world(lake_stack) as planted:
        yield Lake(lake_stack, planted)


def with_(rows: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    position = rows.schema.get_field_index(column)
    return rows.set_column(position, rows.schema.field(column), values)


def of_image(rows: pa.Table, image: int) -> pa.Table:
    """The rows of the first image, as if they were about this one."""
    first = pc.equal(rows["image_id"], rows["image_id"][0])
    return with_(rows, "image_id", pc.if_else(first, image, rows["image_id"]))


def under_another_id(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, with_(rows.slice(3, 1), "event_id", pa.array(["x"], rows["event_id"].type))])


def first_row(rows: pa.Table, column: str, value: object, where: pc.Expression | None = None) -> pa.Table:
    """The first row (that is so) with another value."""
    listed = rows.to_pylist()
    wanted = rows if where is None else rows.filter(where)
    one = listed.index(wanted.slice(0, 1).to_pylist()[0])
    listed[one][column] = value
    return pa.Table.from_pylist(listed, rows.schema)


def once_more(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(3, 1)])


def of_views(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.field("event_type") == "view")


def test_a_sound_pipeline_passes(lake: Lake) -> None:
    found = lake.verified()
    assert {name for name, one in found.items() if not one["passed"]} == set(), list(told(found.values()))
    assert verify.run(lake.settings)
    assert "since snapshot" in found[DRIFT]["found"]
    eligible = [image for image, user in lake.made.items() if user != CHILD]
    assert f"{3 * len(eligible)} rows of {len(eligible)} images" in found[SAMPLE]["found"]
    assert {one["level"] for one in found.values()} == {"error", "warning"}, "there are few rows"
    json.dumps(list(found.values()))


TRAINING_DAMAGE: list[tuple[str, Change, set[str]]] = [
    ("no rows", lambda rows: rows.slice(0, 0), {ROWS, IMAGES, BALANCE}),
    ("a row is missing", lambda rows: rows.slice(1), {ROWS, SAMPLE}),
    ("a row is there twice", once_more, {DUPLICATES}),
    ("an image is missing", lambda rows: rows.filter(pc.field("image_id") != rows["image_id"][0]), {IMAGES}),
    ("an image is there that nobody may learn from", lambda rows: of_image(rows, 1), {IMAGES, SAMPLE}),
    (
        "a label is missing",
        lambda rows: first_row(rows, "label", None, ~pc.field("label").is_null()),
        {EMPTY, SAMPLE},
    ),
    (
        "a label is there too early",
        lambda rows: first_row(rows, "label", False, pc.field("label").is_null()),
        {EMPTY, SAMPLE},
    ),
    ("a count is negative", lambda rows: first_row(rows, "comments_1hr", -1.0), {RANGES, SAMPLE}),
    (
        "the future has leaked",
        lambda rows: with_(rows, "views_1hr", pc.add(rows["views_1hr"], 1.0)),
        {SAMPLE, DRIFT},
    ),
    ("all are harmless", lambda rows: with_(rows, "label", pc.and_(rows["label"], False)), {BALANCE, SAMPLE}),
    ("a label is wrong", lambda rows: first_row(rows, "label", True, pc.field("label") == pa.scalar(False)), {SAMPLE}),
    (
        "a verdict is wrong",
        lambda rows: first_row(rows, "label_confirmed", True, pc.field("label_confirmed") == pa.scalar(False)),
        {SAMPLE},
    ),
    (
        "a verdict has come from nowhere",
        lambda rows: first_row(rows, "label_confirmed", False, pc.field("label_confirmed").is_null()),
        {SAMPLE},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "expected"), TRAINING_DAMAGE, ids=[one[0] for one in TRAINING_DAMAGE])
def test_damage_to_the_training_data(lake: Lake, what: str, change: Change, expected: set[str]) -> None:
    with lake.damaged(TRAINING_DATA, change):
        assert lake.failed() - ({DRIFT} - expected) == expected


HISTORY_DAMAGE: list[tuple[str, str, Change, set[str]]] = [
    ("an event is there twice", EVENTS, lambda rows: once_more(of_views(rows)), {"events, duplicates"}),
    ("a record has landed twice, under another id", EVENTS, under_another_id, {"events, duplicates"}),
    ("an event is from the future", EVENTS, lambda rows: first_row(rows, "offset", 10**12), {"events, rows"}),
    (
        "a view was counted twice",
        WINDOWS["view"],
        lambda rows: first_row(rows, "event_count", 77),
        {"windows of views, recount"},
    ),
    ("windows are missing", WINDOWS["comment"], lambda rows: rows.slice(0, 0), {"windows of comments, recount"}),
    (
        "a window is in another day",
        WINDOWS["flag"],
        lambda rows: first_row(rows, "window_start", datetime(2020, 1, 1, tzinfo=UTC)),
        {"windows of flags, recount"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "table", "change", "expected"), HISTORY_DAMAGE, ids=[one[0] for one in HISTORY_DAMAGE]
)
def test_damage_to_the_history(lake: Lake, what: str, table: str, change: Change, expected: set[str]) -> None:
    with lake.damaged(table, change):
        found = lake.failed()
        assert found >= expected
        assert {name for name in found if name.startswith("events")} == {one for one in expected if "events" in one}


def test_what_is_too_old(lake: Lake) -> None:
    later = datetime.now(UTC) + timedelta(hours=10)
    old = {one["name"] for one in verify.verify(lake.settings, later) if not one["passed"]}
    assert old == {"age of the history"}
    much_later = datetime.now(UTC) + timedelta(hours=100)
    old = {one["name"] for one in verify.verify(lake.settings, much_later) if not one["passed"]}
    assert old == {"age of the history", "age of the training data"}


def test_a_share_out_of_bounds(lake: Lake) -> None:
    assert lake.failed(verify_most_positives=0.01) == {BALANCE}
    assert lake.failed(verify_least_positives=0.9) == {BALANCE}


def test_with_few_rows_distributions_warn_and_with_many_they_fail(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    drifted = lambda rows: with_(rows, "caption_length", pc.add(rows["caption_length"], 400.0))  # noqa: E731
    with lake.damaged(TRAINING_DATA, drifted):
        found = lake.verified(verify_sample_images=1)[DRIFT]
        assert (found["passed"], found["level"]) == (False, "warning")
        assert "1 features have moved; the largest indexes are caption_length" in found["found"]
        monkeypatch.setattr(checks, "ENOUGH", 5)
        assert lake.verified()[DRIFT]["level"] == "error"
        with pytest.raises(PipelineUnsound, match="2 checks failed") as raised:
            verify.run(lake.settings)
    for name in (DRIFT, SAMPLE):
        assert f"error    {name}: " in str(raised.value)


def test_a_new_history_has_nothing_to_check(lake_stack: Stack) -> None:
    settings = own_settings(lake_stack, "verify_nothing")
    with pytest.raises(HistoryError, match="no history has been published yet"):
        verify.verify(settings)
    runs.run_once(settings)
    with pytest.raises(PipelineUnsound, match="there is no training data yet"):
        verify.run(settings)


def test_events_that_came_later_and_deletions_change_nothing(lake: Lake) -> None:
    """The training data is older than the history; and its snapshot of the events expires."""
    some = list(lake.made)[:3]
    for image in some:
        lake.planted.tell("view", image, lake.planted.now - timedelta(hours=70))
    lake.planted.delete(some[0])
    runs.run_once(lake.settings)
    assert lake.failed() == set()
    upkeep.run(lake.settings.model_copy(update={"keep_snapshots_hours": 0.0, "orphan_grace_hours": 0.0}))
    found = lake.verified()
    assert {name for name, one in found.items() if not one["passed"]} == set()
    assert "no earlier run" in found[DRIFT]["found"]


def test_rows_from_before_there_were_reviews_pass(lake: Lake) -> None:
    """Neither they nor the copy that they were made from know of any."""
    storage = open_storage(lake.settings)
    for taken in raw.finished(lake.settings, storage):
        storage.delete_file(raw.path_of(taken.folder, "reviews"))
    assert lake.failed() == {SAMPLE}, "verdicts without a review"
    none = lambda rows: with_(rows, "label_confirmed", pa.nulls(len(rows), pa.bool_()))  # noqa: E731
    with lake.damaged(TRAINING_DATA, none):
        assert lake.failed() - {DRIFT} == set()


def test_without_the_copy_some_checks_are_left_out_with_a_warning(lake: Lake) -> None:
    """The last of these tests: it deletes what they need."""
    storage = open_storage(lake.settings)
    for taken in raw.finished(lake.settings, storage):
        storage.delete_dir(taken.folder)
    found = lake.verified()
    assert {name: one["level"] for name, one in found.items() if not one["passed"]} == dict.fromkeys(
        (IMAGES, SAMPLE), "warning"
    )
    verify.run(lake.settings)
