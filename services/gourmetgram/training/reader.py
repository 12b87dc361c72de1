"""Reads a table of features as a stream: however large it is, a few batches of it are in memory."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import pyarrow.parquet

from gourmetgram.core.features import FEATURES, Numbers
from gourmetgram.training.arrays import UNKNOWN, Labels

LABEL: Final = "label"

T = TypeVar("T")


class Batch(NamedTuple):
    """Rows: the features as a matrix (n by 29, in the order of FEATURES), labels 1, 0 or UNKNOWN, and more columns.

    The matrix is of 64-bit floats whatever the table holds: scikit-learn's classifier and scaler are no slower with
    them, and sums over ten million rows stay exact enough.
    """

    features: Numbers
    labels: Labels
    extra: Mapping[str, Any]


class Rereadable(Protocol):
    """Rows that can be gone through as often as one likes, always in the same order."""

    def batches(self, extra: Sequence[str] = ()) -> Iterator[Batch]:
        """Features and labels of all rows, and the columns asked for."""

    def columns(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Only these columns, of all rows."""


class Reader:
    """The rows of some Parquet files, always in the same order, as often as one likes.

    Args:
        paths: bucket and key of each file.
        storage: where they are.
        batch_rows: most rows of a batch.
        prefetch: whether a thread makes the next batch ready while one is used.
    """

    def __init__(
        self, paths: Sequence[str], storage: pyarrow.fs.FileSystem, batch_rows: int, *, prefetch: bool = True
    ) -> None:
        self._paths = sorted(paths)
        self._storage = storage
        self._batch_rows = batch_rows
        self._prefetch = prefetch

    def batches(self, extra: Sequence[str] = ()) -> Iterator[Batch]:
        """Features and labels of all rows, and the columns asked for."""
        return self._ready(to_batch(one, extra) for one in self._read((*FEATURES, LABEL, *extra)))

    def columns(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Only these columns, of all rows."""
        return self._ready(self._read(names))

    def _ready(self, items: Iterator[T]) -> Iterator[T]:
        return ahead(items) if self._prefetch else items

    # <read>
    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """One row group after the other, each fetched as a whole.

        `pre_buffer` fetches all columns of what is asked for at once, instead of one after the other, which takes three
        times as long from object storage. Asked for a whole file, it would hold all of that in memory.
        """
        for path in self._paths:
            with pyarrow.parquet.ParquetFile(path, filesystem=self._storage, pre_buffer=True) as file:
                for group in range(file.num_row_groups):
                    yield from file.iter_batches(self._batch_rows, row_groups=[group], columns=list(names))

    # </read>


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; while one is used, a thread fetches the next one, and no more than that."""
    with ThreadPoolExecutor(1, "reader") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def to_batch(rows: pa.RecordBatch, extra: Sequence[str] = ()) -> Batch:
    """Arrow's columns as a matrix."""
    features = np.empty((len(rows), len(FEATURES)))
    for position, name in enumerate(FEATURES):
        features[:, position] = rows[name].to_numpy(zero_copy_only=False)
    labels = pc.fill_null(rows[LABEL].cast(pa.int8()), UNKNOWN).to_numpy()
    return Batch(features, labels, {name: rows[name] for name in extra})
