from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.table.snapshots import Operation, Snapshot, Summary

from gourmetgram.lakehouse.expiry import expire, expired, remove_tags_touched_by_deletion, tag_training_snapshot
from tests.unit.gourmetgram.lakehouse.upkeep_support import FolderTable, current

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
LONG_AGO = BEGIN - timedelta(days=365)


def snapshots(seconds: list[int]) -> list[Snapshot]:
    """Snapshots made at these times, one after the other."""
    return [
        Snapshot(
            snapshot_id=100 + at,
            parent_snapshot_id=99 + at or None,
            sequence_number=at + 1,
            timestamp_ms=int((BEGIN + timedelta(seconds=second)).timestamp() * 1000),
            manifest_list="s3://b/list",
            summary=Summary(Operation.APPEND),
        )
        for at, second in enumerate(sorted(seconds))
    ]


def as_of(present: list[Snapshot], instant: datetime) -> int | None:
    """The snapshot that was the newest one at this time."""
    before = [one for one in present if one.timestamp_ms <= instant.timestamp() * 1000]
    return before[-1].snapshot_id if before else None


@given(
    seconds=st.lists(st.integers(0, 50), max_size=12),
    kept=st.sets(st.integers(100, 111)),
    since=st.integers(-1, 51),
    later=st.integers(0, 60),
)
def test_the_table_can_be_read_as_of_any_time_since(seconds: list[int], kept: set[int], since: int, later: int) -> None:
    present = snapshots(seconds)
    gone = expired(present, kept, BEGIN + timedelta(seconds=since))
    assert as_of(present, BEGIN + timedelta(seconds=since + later)) not in gone
    assert not gone & kept
    # ... and no snapshot stays without a reason.
    needed = {as_of(present, BEGIN + timedelta(seconds=since, milliseconds=after)) for after in range(0, 60_001, 500)}
    needed |= {one.snapshot_id for one in present if one.timestamp_ms > (BEGIN.timestamp() + since) * 1000}
    assert gone == {one.snapshot_id for one in present} - needed - kept


@pytest.fixture
def folder_table(tmp_path: Path) -> FolderTable:
    return FolderTable(tmp_path)


def test_tags_sets_and_the_present_snapshot_are_kept(folder_table: FolderTable) -> None:
    made = [folder_table.append([(image, image, 1)]) for image in range(6)]
    tag_training_snapshot(folder_table.load(), made[1], "3")
    assert expire(folder_table.load(), {made[3]}, datetime.now(UTC)) == {"snapshots": 3}
    assert {one.snapshot_id for one in folder_table.load().snapshots()} == {made[1], made[3], made[5]}
    assert folder_table.rows(made[1]) == [(0, 0, 1), (1, 1, 1)]
    assert len(folder_table.rows()) == 6
    assert expire(folder_table.load(), {made[3]}, datetime.now(UTC)) == {"snapshots": 0}
    assert expire(folder_table.load(), (), LONG_AGO) == {"snapshots": 0}


def test_a_writer_that_has_begun_is_not_disturbed(folder_table: FolderTable) -> None:
    folder_table.append([(1, 1, 1)])
    folder_table.append([(2, 2, 2)])
    table = folder_table.load()
    transaction = table.transaction()
    transaction.append(table.scan().to_arrow())
    expire(folder_table.load(), (), datetime.now(UTC))
    transaction.commit_transaction()
    assert folder_table.rows() == [(1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)]


def test_a_model_has_one_training_snapshot(folder_table: FolderTable) -> None:
    first, second = (folder_table.append([(image, image, 1)]) for image in range(2))
    assert tag_training_snapshot(folder_table.load(), first, "1") == "model-1"
    assert tag_training_snapshot(folder_table.load(), first, "1") == "model-1"
    with pytest.raises(ValueError, match=f"was trained on snapshot {first}"):
        tag_training_snapshot(folder_table.load(), second, "1")
    with pytest.raises(ValueError, match="12345"):
        tag_training_snapshot(folder_table.load(), 12345, "2")
    assert {name: ref.snapshot_id for name, ref in folder_table.load().refs().items()} == {
        "main": second,
        "model-1": first,
    }


def test_a_deletion_removes_the_tags_of_snapshots_with_the_image(folder_table: FolderTable) -> None:
    without = folder_table.append([(1, 1, 1)])
    tag_training_snapshot(folder_table.load(), without, "1")
    with_image = folder_table.append([(2, 2, 2)])
    for version in ("2", "3"):
        tag_training_snapshot(folder_table.load(), with_image, version)

    def remove(*images: int) -> dict[str, int]:
        return remove_tags_touched_by_deletion(
            folder_table.load(), folder_table.storage, pa.array(images, type=pa.int64())
        )

    assert remove() == {}
    assert remove(5, 6) == {}
    assert remove(2, 6) == {"model-2": with_image, "model-3": with_image}
    assert set(folder_table.load().refs()) == {"main", "model-1"}
    folder_table.replace([(1, 1, 1)])
    assert expire(folder_table.load(), (), datetime.now(UTC)) == {"snapshots": 1}
    assert {one.snapshot_id for one in folder_table.load().snapshots()} == {without, current(folder_table.load())}
    assert remove(1) == {"model-1": without}
