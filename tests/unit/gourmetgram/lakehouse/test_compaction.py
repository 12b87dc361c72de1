from collections import Counter
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import schema_to_pyarrow

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.compaction import (
    FEWEST,
    UPKEEP,
    WHOLE,
    bins,
    compact,
    rows_of_a_file,
)
from gourmetgram.lakehouse.files import LiveFile
from gourmetgram.lakehouse.tables import DEFINITIONS
from tests.unit.gourmetgram.lakehouse.upkeep_support import FolderTable, arrow, current, live_file

MOST = 100
A_DAY = 288
"""Windows in a day."""

SIZES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 150)), max_size=60)
"""Day and rows of each file, in the order of the commits."""


def described(sizes: list[tuple[int, int]]) -> list[LiveFile]:
    return [live_file(str(at), day, rows, at) for at, (day, rows) in enumerate(sizes)]


@given(SIZES)
def test_a_bin_is_of_one_day_and_fits_a_file(sizes: list[tuple[int, int]]) -> None:
    chosen = [*bins(described(sizes), MOST)]
    for group in chosen:
        assert len({one.day for one in group}) == 1
        assert len(group) >= 2
        assert sum(one.file.record_count for one in group) <= MOST
        assert [one.sequence for one in group] == sorted(one.sequence for one in group)
        assert all(one.file.record_count < WHOLE * MOST for one in group)
    used = Counter(one.path for group in chosen for one in group)
    assert set(used.values()) <= {1}


@given(SIZES)
def test_compaction_comes_to_an_end_with_few_files(sizes: list[tuple[int, int]]) -> None:
    present = described(sizes)
    for turn in range(10):
        groups = [*bins(present, MOST)]
        if not groups:
            break
        gone = {one.path for group in groups for one in group}
        made = [
            live_file(f"{turn}-{at}", group[0].day, sum(one.file.record_count for one in group), 1000 * (turn + 1))
            for at, group in enumerate(groups)
        ]
        present = [one for one in present if one.path not in gone] + made
    else:
        pytest.fail("ten compactions in a row found something to do")
    for day in range(3):
        rows = [one.file.record_count for one in present if one.day == day]
        # Of two groups that follow each other the rows make more than a file, and no group has FEWEST files.
        assert len(rows) <= (FEWEST - 1) * (2 * sum(rows) / MOST + 1)
    assert sum(one.file.record_count for one in present) == sum(rows for _, rows in sizes)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10] * 4, []),
        ([10] * 5, [5]),
        ([40, 40], [2]),  # together they make a whole file
        ([40, 30], []),
        ([75] * 10, []),
        ([10] * 25, [10, 10, 5]),
    ],
)
def test_what_is_worth_rewriting(sizes: list[int], expected: list[int]) -> None:
    assert [len(group) for group in bins(described([(0, rows) for rows in sizes]), MOST)] == expected


def longest(field: pa.Field, count: int) -> pa.Array:
    """A column of the longest values that there are."""
    if pa.types.is_large_string(field.type):
        texts = {"event_id": str(UUID(int=0)), "topic": "gourmetgram.comments", "reason": "inappropriate"}
        return pa.array([texts.get(field.name, "comment")] * count, field.type)
    return pa.array([False if pa.types.is_boolean(field.type) else 0] * count, field.type)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_rows_of_a_file_take_no_more_memory_than_a_file_may(name: str) -> None:
    """Else PyIceberg would cut it in two small ones, and they would be compacted for ever."""
    size = 4 * 1024 * 1024
    schema = schema_to_pyarrow(DEFINITIONS[name][0])
    count = rows_of_a_file(schema, size)
    taken = pa.Table.from_arrays([longest(field, count) for field in schema], schema=schema).nbytes
    assert 0.4 * size < taken <= size


@pytest.fixture
def folder_table(tmp_path: Path) -> FolderTable:
    return FolderTable(tmp_path)


def filled(folder_table: FolderTable) -> list[tuple[int, int, int]]:
    """Twelve commits about two days; returns their rows."""
    rows = [(100 - image, A_DAY * (image % 2) + commit, commit) for commit in range(12) for image in range(10)]
    for commit in range(12):
        folder_table.append(row for row in rows if row[2] == commit)
    return sorted(rows)


def test_rows_and_properties_stay(folder_table: FolderTable) -> None:
    rows = filled(folder_table)
    with folder_table.load().transaction() as change:
        change.set_properties({"covers": "something"})
    before = folder_table.load()
    assert compact(folder_table.load(), folder_table.storage) == {"files": 24, "into": 2, "rows": 120}

    table = folder_table.load()
    assert folder_table.rows() == rows
    assert table.properties == before.properties
    assert len(files.live(table)) == 2
    assert len(table.snapshots()) == len(before.snapshots()) + 1
    assert folder_table.rows(current(before)) == rows
    snapshot = table.current_snapshot()
    assert snapshot
    assert snapshot.summary
    assert snapshot.summary[UPKEEP] == "compaction"
    assert snapshot.summary["total-records"] == "120"


def test_rows_of_a_file_are_sorted_by_image_and_time(folder_table: FolderTable) -> None:
    filled(folder_table)
    compact(folder_table.load(), folder_table.storage)
    table = folder_table.load()
    for one in files.live(table):
        rows = files.dataset(table, folder_table.storage, [one]).to_table().to_pylist()
        keys = [(row["image_id"], row["window_start"]) for row in rows]
        assert keys == sorted(keys)
        assert len(keys) == 60


def test_the_second_compaction_changes_nothing(folder_table: FolderTable) -> None:
    filled(folder_table)
    compact(folder_table.load(), folder_table.storage)
    before = folder_table.load().metadata_location
    assert compact(folder_table.load(), folder_table.storage) == {"files": 0}
    assert folder_table.load().metadata_location == before


def test_nothing_is_done_to_a_table_without_snapshots(folder_table: FolderTable) -> None:
    assert compact(folder_table.load(), folder_table.storage) == {"files": 0}


def test_a_writer_that_was_quicker_wins(folder_table: FolderTable) -> None:
    rows = filled(folder_table)
    stale = folder_table.load()
    folder_table.append([(7, 7, 7)])
    done = compact(stale, folder_table.storage)
    assert done == {"files": 24, "into": 2, "rows": 120, "refused": True}
    assert folder_table.rows() == sorted([*rows, (7, 7, 7)])
    assert len(files.live(folder_table.load())) == 25
    assert compact(folder_table.load(), folder_table.storage)["into"] == 2
    assert folder_table.rows() == sorted([*rows, (7, 7, 7)])


def test_a_writer_that_was_slower_is_refused(folder_table: FolderTable) -> None:
    rows = filled(folder_table)
    slow = folder_table.load()
    compact(folder_table.load(), folder_table.storage)
    with pytest.raises(CommitFailedException):
        slow.append(arrow(slow, [(7, 7, 7)]))
    assert folder_table.rows() == rows


def test_a_property_that_was_set_meanwhile_stays(folder_table: FolderTable) -> None:
    filled(folder_table)
    stale = folder_table.load()
    with folder_table.load().transaction() as change:
        change.set_properties({"covers": "more"})
    compact(stale, folder_table.storage)
    assert folder_table.load().properties["covers"] == "more"


def test_a_snapshot_names_no_file_that_was_taken_away(folder_table: FolderTable) -> None:
    folder_table.append([(1, 1, 1)])
    for count in range(2, 6):
        folder_table.replace([(1, 1, count)])
    table = folder_table.load()
    snapshot = table.current_snapshot()
    assert snapshot
    named = [
        entry.data_file.file_path
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
    ]
    assert named == [one.file.file_path for one in files.live(table)]
    assert snapshot.summary
    assert snapshot.summary["deleted-records"] == snapshot.summary["total-records"] == "1"
    assert folder_table.rows() == [(1, 1, 5)]
    assert folder_table.load().properties["covers"] == "all"
