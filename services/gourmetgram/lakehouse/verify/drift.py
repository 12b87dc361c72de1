"""Drift: how far each feature's distribution has moved since the training data of the run before."""

import math
from collections.abc import Mapping
from typing import Final

import pyarrow.dataset
import pyarrow.fs
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.landing import RUN
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.verify.checks import Check, level_for
from gourmetgram.lakehouse.verify.sources import Training

NAME: Final = "training data, drift"

LEAST_SHARE: Final = 1e-4
"""An empty bin counts as this, so that the index stays finite."""

Shares = Mapping[int, int]
"""How many values are in each bin."""


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
    own = snapshot.summary[RUN] if snapshot.summary else None
    earlier = sorted(table.snapshots(), key=lambda one: -(one.sequence_number or 0))
    for one in earlier:
        is_before = (one.sequence_number or 0) < (snapshot.sequence_number or 0)
        if is_before and one.summary and one.summary[RUN] not in (None, own) and _rows(one):
            return one
    return None


def stability_indexes(older: pyarrow.dataset.Dataset, newer: pyarrow.dataset.Dataset) -> dict[str, float]:
    """The population stability index of each feature; bins are the older rows' deciles."""
    counts: dict[str, tuple[dict[int, int], dict[int, int]]] = {name: ({}, {}) for name in FEATURES}
    with Session.over({"older": older, "newer": newer}) as session:
        session.keep("verify_edges")
        for one in session.table("verify_bins").to_pylist():
            counts[one["feature"]][one["is_newer"]][one["bin"]] = one["values"]
    return {name: stability_index(*both) for name, both in counts.items()}


def stability_index(older: Shares, newer: Shares) -> float:
    """Sum of (p - q) ln(p / q) over the bins, where p and q are the shares of the values in a bin, now and before.

    Usually below 0.1 counts as stable and above 0.25 as moved; see Siddiqi, "Credit Risk Scorecards" (2006).
    """
    return math.fsum(_term(_share(newer, one), _share(older, one)) for one in older.keys() | newer.keys())


def _term(now: float, before: float) -> float:
    return (now - before) * math.log(now / before)


def _share(counts: Shares, one: int) -> float:
    return max(counts.get(one, 0) / max(sum(counts.values()), 1), LEAST_SHARE)


def _rows(snapshot: Snapshot) -> int:
    return int((snapshot.summary and snapshot.summary["total-records"]) or 0)


def _expected(limit: float) -> str:
    return f"a stability index of at most {limit:g} for each feature"
