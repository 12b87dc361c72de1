import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from gourmetgram.core.features import FEATURES
from gourmetgram.training.arrays import UNKNOWN
from gourmetgram.training.reader import Reader, ahead

ROWS = 1000


def write(path: Path, first: int, kind: pa.DataType) -> None:
    """A file in which the value of a feature tells its row and its column."""
    numbers = np.arange(first, first + ROWS, dtype=np.float64)
    columns = {name: pa.array(numbers * 100 + position, kind) for position, name in enumerate(FEATURES)}
    labels = pa.array([None if row % 7 == 0 else row % 3 == 0 for row in range(first, first + ROWS)], pa.bool_())
    table = pa.table({"row": np.arange(first, first + ROWS), **columns, "label": labels, "unused": numbers})
    pq.write_table(table, path, row_group_size=300)


def reader(folder: Path, batch_rows: int) -> Reader:
    paths = [str(folder / name) for name in ("b.parquet", "a.parquet")]
    return Reader(paths, pyarrow.fs.LocalFileSystem(), batch_rows)


@pytest.fixture(params=[pa.float64(), pa.float32()], ids=str)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    write(tmp_path / "b.parquet", ROWS, request.param)
    write(tmp_path / "a.parquet", 0, request.param)
    return tmp_path


@pytest.mark.parametrize("batch_rows", [64, 300, 7000])
def test_every_row_comes_once_in_the_order_of_the_files_with_its_own_values(folder: Path, batch_rows: int) -> None:
    rows, matrices, labels = [], [], []
    for batch in reader(folder, batch_rows).batches(["row"]):
        assert len(batch.features) <= batch_rows
        assert batch.features.dtype == np.float64
        assert batch.features.flags.c_contiguous
        assert set(batch.extra) == {"row"}
        rows += batch.extra["row"].to_pylist()
        matrices.append(batch.features)
        labels += batch.labels.tolist()
    assert rows == list(range(2 * ROWS))
    expected = [[row * 100 + position for position in range(29)] for row in range(2 * ROWS)]
    np.testing.assert_array_equal(np.concatenate(matrices), expected)
    assert labels == [UNKNOWN if row % 7 == 0 else int(row % 3 == 0) for row in range(2 * ROWS)]


def test_only_the_columns_that_are_asked_for_are_read(folder: Path) -> None:
    batches = list(reader(folder, 500).columns(["label", "row"]))
    assert {tuple(batch.schema.names) for batch in batches} == {("label", "row")}
    assert sum(map(len, batches)) == 2 * ROWS


def test_the_next_item_is_fetched_meanwhile_and_no_more_than_that() -> None:
    fetched: list[int] = []
    arrived = [threading.Event() for _ in range(5)]

    def source() -> Iterator[int]:
        for number in range(5):
            fetched.append(number)
            arrived[number].set()
            yield number

    items = ahead(source())
    assert next(items) == 0
    assert arrived[1].wait(10), "the second item is not fetched while the first one is used"
    assert next(items) == 1
    assert arrived[2].wait(10)
    assert fetched == [0, 1, 2]
    assert list(items) == [2, 3, 4]


def test_who_stops_early_leaves_no_thread_behind() -> None:
    def readers() -> int:
        return sum(thread.name.startswith("reader") for thread in threading.enumerate())

    items = ahead(iter(range(10)))
    next(items)
    assert readers() == 1
    items.close()  # type: ignore[attr-defined]
    assert readers() == 0


def test_what_goes_wrong_while_reading_comes_out_where_it_is_read() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the storage is gone")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(OSError, match="the storage is gone"):
        next(items)
