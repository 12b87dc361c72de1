"""Drift: how far each feature's distribution has moved since the training data of the run before."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.dataset
import pyarrow.fs
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.verify.checks import Check, level_for
from gourmetgram.lakehouse.verify.sources import BATCH, READAHEAD, Training

NAME: Final = "training data, drift"

LEAST_SHARE: Final = 1e-4
"""An empty bin counts as this, so that the index stays finite."""

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def check(training: Training, storage: pyarrow.fs.FileSystem, limit: float) -> Check:
    """Whether no feature has moved further than the limit."""
    before = previous(training.table, training.snapshot)
    if before is None:
        found = "there is no earlier run's snapshot to compare with"
        return Check(name=NAME, level="warning", passed=True, found=found, expected=_expected(limit))
    older = files.dataset(training.table, storage, files.live_at(training.table, before))
    indexes = stability_indexes(older, training.rows)
    largest = sorted(indexes, key=lambda name: -indexes[name])
    moved = [name for name in largest if indexes[name] > limit]
    told = ", ".join(f"{name} {indexes[name]:.2f}" for name in moved or largest[:3])
    return Check(
        name=NAME,
        level=level_for(min(_rows(before), _rows(training.snapshot))),
        passed=not moved,
        found=f"since snapshot {before.snapshot_id} {len(moved)} features have moved; the largest indexes are {told}",
        expected=_expected(limit),
    )


def previous(table: Table, snapshot: Snapshot) -> Snapshot | None:
    """The newest snapshot of another run before this one that has rows."""
    own = files.summary_of(snapshot).get(RUN)
    earlier = sorted(table.snapshots(), key=lambda one: -(one.sequence_number or 0))
    for one in earlier:
        is_before = (one.sequence_number or 0) < (snapshot.sequence_number or 0)
        if is_before and files.summary_of(one).get(RUN, own) != own and _rows(one):
            return one
    return None


def stability_indexes(older: pyarrow.dataset.Dataset, newer: pyarrow.dataset.Dataset) -> dict[str, float]:
    """The population stability index of each feature; the edges of the bins are the older rows' deciles."""
    with Session.over({"older": older}) as session:
        deciles = session.table("verify_edges").columns
    edges = {name: np.unique(column[0].as_py()) for name, column in zip(FEATURES, deciles, strict=True)}
    before, now = _counts(older, edges), _counts(newer, edges)
    return {name: stability_index(before[name], now[name]) for name in FEATURES}


def _counts(rows: pyarrow.dataset.Dataset, edges: Mapping[str, Numbers]) -> dict[str, Counts]:
    """How many values of each feature are in each bin; some batches are in memory at a time."""
    counts = {name: np.zeros(2 * len(own) + 1, np.int64) for name, own in edges.items()}
    for batch in rows.to_batches(columns=list(edges), batch_size=BATCH, batch_readahead=READAHEAD):
        for name, own in edges.items():
            counts[name] += np.bincount(bins(batch[name].to_numpy(), own), minlength=2 * len(own) + 1)
    return counts


def bins(values: Numbers, edges: Numbers) -> Counts:
    """The number of each value's bin. An edge is a bin of its own, and so is what lies between two of them or beyond.

    Most features are counts, and most counts are 0: between deciles alone, 0 and less than 0 would be one bin.
    """
    below = np.searchsorted(edges, values)
    is_edge = edges[np.minimum(below, len(edges) - 1)] == values
    return np.asarray(2 * below + is_edge, np.int64)


def stability_index(older: Counts, newer: Counts) -> float:
    """Sum of (p - q) ln(p / q) over the bins, where p and q are the shares of the values in a bin, now and before.

    Usually below 0.1 counts as stable and above 0.25 as moved; see Siddiqi, "Credit Risk Scorecards" (2006).
    """
    now, before = _shares(newer), _shares(older)
    return float(np.sum((now - before) * np.log(now / before)))


def _shares(counts: Counts) -> Numbers:
    return np.asarray(np.maximum(counts / max(counts.sum(), 1), LEAST_SHARE))


def _rows(snapshot: Snapshot) -> int:
    return int(files.summary_of(snapshot).get("total-records", 0))


def _expected(limit: float) -> str:
    return f"a stability index of at most {limit:g} for each feature"
