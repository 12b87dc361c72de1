"""Expiry: which snapshots of a table are let go, and the tags that keep those which a model was trained on."""

import itertools
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import structlog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import Engine, text

from gourmetgram.lakehouse import files, publishing
from gourmetgram.lakehouse.compaction import Outcome

log = structlog.get_logger("lakehouse")

IN_USE: Final = """
SELECT tables
FROM (SELECT id, tables, lead(published_at) OVER (ORDER BY id) AS replaced_at FROM published_sets) AS published
WHERE replaced_at IS NULL OR replaced_at > :since
ORDER BY id
"""
"""The newest published set, and those that were the newest one at some time since."""


def published_since(engine: Engine, since: datetime) -> dict[str, set[int]]:
    """Snapshots by table that readers of the published sets may still be reading."""
    found: dict[str, set[int]] = {}
    with engine.begin() as connection:
        connection.execute(text(publishing.SCHEMA))
        for (tables,) in connection.execute(text(IN_USE), {"since": since}):
            for name, snapshot in tables.items():
                found.setdefault(name, set()).add(snapshot)
    return found


def expired(snapshots: Iterable[Snapshot], kept: Collection[int], since: datetime) -> set[int]:
    """Ids of the snapshots that nobody can ask for any more.

    What counts is when a snapshot was replaced, not when it was made: so the table can be read as it was at any time
    since then, and a reader that has just looked is not cut off.

    Args:
        snapshots: all that the table has.
        kept: ids that stay whatever their age.
        since: snapshots that were replaced after this time stay as well.
    """
    ordered = sorted(snapshots, key=lambda one: (one.sequence_number or 0, one.timestamp_ms))
    limit = since.timestamp() * 1000
    return {
        one.snapshot_id
        for one, next_one in itertools.pairwise(ordered)
        if next_one.timestamp_ms <= limit and one.snapshot_id not in kept
    }


def expire(table: Table, published: Collection[int], since: datetime) -> Outcome:
    """Let snapshots go that were replaced before this time, but for those that a tag, a branch or a set names.

    Their files stay until they are looked for as orphans. Load the table right before: a tag that somebody else gives
    between that and the commit goes with its snapshot, which is why only published snapshots should be tagged.
    """
    kept = {*published, *(ref.snapshot_id for ref in table.refs().values())}
    gone = expired(table.snapshots(), kept, since)
    if not gone:
        return {"snapshots": 0}
    try:
        table.maintenance.expire_snapshots().by_ids(sorted(gone)).commit()
    except CommitFailedException as error:
        log.info("left for the next upkeep, for the table has changed", table=".".join(table.name()), why=str(error))
        return {"snapshots": 0, "refused": True}
    return {"snapshots": len(gone)}


def tag_training_snapshot(table: Table, snapshot_id: int, model_version: str) -> str:
    """Keep the snapshot that a model is trained on; return the name of the tag. Call it before the training.

    Raises:
        ValueError: the snapshot is gone, or the version was trained on another one.
    """
    name = f"model-{model_version}"
    ref = table.refs().get(name)
    if ref and ref.snapshot_id != snapshot_id:
        raise ValueError(
            f"model {model_version} was trained on snapshot {ref.snapshot_id} of {'.'.join(table.name())}, not on "
            f"{snapshot_id}; give the new model a version of its own"
        )
    if not ref:
        table.manage_snapshots().create_tag(snapshot_id, name).commit()
    return name


def remove_tags_touched_by_deletion(table: Table, storage: pyarrow.fs.FileSystem, images: pa.Array) -> dict[str, int]:
    """Remove all tags of snapshots that hold rows about these images; return the snapshots by tag.

    The snapshots themselves go with the next expiry, like all others.
    """
    tags = {name: ref.snapshot_id for name, ref in table.refs().items() if ref.snapshot_ref_type == SnapshotRefType.TAG}
    if not tags or not len(images):
        return {}
    touched = {snapshot for snapshot in {*tags.values()} if _holds(table, storage, snapshot, images)}
    removed = {name: snapshot for name, snapshot in tags.items() if snapshot in touched}
    _remove(table, removed)
    return removed


def _remove(table: Table, tags: Mapping[str, int]) -> None:
    if tags:
        with table.manage_snapshots() as change:
            for name in tags:
                change.remove_tag(name)


def _holds(table: Table, storage: pyarrow.fs.FileSystem, snapshot: int, images: pa.Array) -> bool:
    about = pc.field("image_id").isin(images)
    return any(
        files.dataset(table, storage, [one]).count_rows(filter=about)
        for one in files.live_at(table, table.snapshot_by_id(snapshot))
    )
