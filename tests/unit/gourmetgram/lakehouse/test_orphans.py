import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.table import Table

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.expiry import expire
from gourmetgram.lakehouse.orphans import MissingFiles, StoredFile, remove_orphans, unnamed
from tests.unit.gourmetgram.lakehouse.upkeep_support import FolderTable, arrow

ROOT = "bucket/warehouse/events"
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
PATHS = st.sampled_from(
    [
        *(f"{ROOT}/data/{name}" for name in "abc"),
        f"{ROOT}/metadata/a",
        f"{ROOT}_old/data/a",
        f"{ROOT}",
        "bucket/warehouse/other/data/a",
        f"other/{ROOT}/data/a",
    ]
)


@given(stored=st.dictionaries(PATHS, st.integers(0, 10)), named=st.sets(PATHS), limit=st.none() | st.integers(0, 10))
def test_what_goes_is_old_and_unnamed_and_in_the_table(
    stored: dict[str, int], named: set[str], limit: int | None
) -> None:
    listed = [StoredFile(path, BEGIN + timedelta(hours=hour)) for path, hour in stored.items()]
    before = None if limit is None else BEGIN + timedelta(hours=limit)
    expected = {
        path
        for path, hour in stored.items()
        if path.split("/")[:3] == ROOT.split("/") and path != ROOT  # said in another way than the code does
        if path not in named
        if limit is None or hour <= limit
    }
    assert {*unnamed(listed, named, ROOT, before)} == expected


@pytest.fixture
def folder_table(tmp_path: Path) -> FolderTable:
    return FolderTable(tmp_path)


def location(folder_table: FolderTable) -> Path:
    return Path(folder_table.load().location().removeprefix("file://"))


def stored(folder_table: FolderTable) -> set[Path]:
    return {path for path in location(folder_table).rglob("*") if path.is_file()}


def remove(
    folder_table: FolderTable, *, spared_hours: float = 0, load: Callable[[], Table] | None = None, others: str = ""
) -> int:
    before = datetime.now(UTC) - timedelta(hours=spared_hours) if spared_hours else None
    done = remove_orphans(load or folder_table.load, [others] if others else [], folder_table.storage, before)
    assert set(done) == {"files"}
    return int(done["files"])


def file_without_commit(folder_table: FolderTable) -> set[Path]:
    """What a writer leaves that was killed right before its commit."""
    before = stored(folder_table)
    table = folder_table.load()
    transaction = table.transaction()
    files.write(transaction, added=[arrow(table, [(9, 9, 9)])], summary={}, properties={})
    return stored(folder_table) - before


def test_nothing_goes_that_a_snapshot_needs(folder_table: FolderTable) -> None:
    folder_table.append([(1, 1, 1)])
    folder_table.append([(2, 2, 2)])
    assert remove(folder_table) == 0
    last = folder_table.replace([(3, 3, 3)])
    assert remove(folder_table) == 0
    expire(folder_table.load(), (), datetime.now(UTC))
    assert remove(folder_table) > 0
    assert folder_table.rows(last) == [(3, 3, 3)]
    assert len([path for path in stored(folder_table) if path.suffix == ".parquet"]) == 1
    assert remove(folder_table) == 0
    folder_table.append([(4, 4, 4)])
    assert folder_table.rows() == [(3, 3, 3), (4, 4, 4)]


def test_what_a_killed_writer_left_goes_when_it_is_old(folder_table: FolderTable) -> None:
    folder_table.append([(1, 1, 1)])
    before = stored(folder_table)
    left = file_without_commit(folder_table)
    assert {path.suffix for path in left} == {".parquet", ".avro"}
    assert remove(folder_table, spared_hours=1) == 0
    assert stored(folder_table) == before | left
    for path in left:
        os.utime(path, (time.time() - 4000,) * 2)
    assert remove(folder_table, spared_hours=1) == len(left)
    assert stored(folder_table) == before
    assert folder_table.rows() == [(1, 1, 1)]


def test_what_is_committed_while_files_are_listed_stays(folder_table: FolderTable) -> None:
    """The metadata that decides is newer than the list."""
    folder_table.append([(1, 1, 1)])
    table = folder_table.load()
    transaction = table.transaction()
    files.write(transaction, added=[arrow(table, [(9, 9, 9)])], summary={}, properties={})
    calls = 0

    def load() -> Table:
        nonlocal calls
        calls += 1
        if calls == 2:
            transaction.commit_transaction()
        return folder_table.load()

    assert remove(folder_table, load=load) == 0
    assert calls == 2
    assert folder_table.rows() == [(1, 1, 1), (9, 9, 9)]


def test_nothing_outside_of_the_table_goes(folder_table: FolderTable, tmp_path: Path) -> None:
    folder_table.append([(1, 1, 1)])
    place = location(folder_table)
    outside = [place.with_name(f"{place.name}_old") / "data" / "a", place.parent / "a", tmp_path / "a"]
    inside = [place / "a", place / "data" / "deep" / "er" / "a", place / "metadata" / "a.stats"]
    for path in outside + inside:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("unnamed")
    assert remove(folder_table) == len(inside)
    assert all(path.exists() for path in outside)
    assert not any(path.exists() for path in inside)


def test_a_table_around_another_one_is_refused(folder_table: FolderTable) -> None:
    folder_table.append([(1, 1, 1)])
    left = file_without_commit(folder_table)
    mine = folder_table.load().location()
    with pytest.raises(ValueError, match="lies another table"):
        remove(folder_table, others=f"{mine}/inner")
    with pytest.raises(ValueError, match="lies another table"):
        remove(folder_table, others=mine)
    assert left <= stored(folder_table)
    assert remove(folder_table, others=f"{mine}_old") == len(left)


def test_when_a_file_is_missing_nothing_goes(folder_table: FolderTable) -> None:
    """Either the table is damaged, or its names are not those of the storage; both want a person to look."""
    folder_table.append([(1, 1, 1)])
    left = file_without_commit(folder_table)
    (data,) = [path for path in stored(folder_table) - left if path.suffix == ".parquet"]
    data.rename(data.with_suffix(".away"))
    with pytest.raises(MissingFiles, match=r"names 1 files that are not there.*\.parquet"):
        remove(folder_table)
    assert left <= stored(folder_table)
    data.with_suffix(".away").rename(data)
    assert remove(folder_table) == len(left)
