"""Upkeep: few large files instead of many small ones, snapshots of the last days only, no file that nobody names."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.fs
import structlog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.compaction import Outcome, compact
from gourmetgram.lakehouse.expiry import expire, published_since, remove_tags_touched_by_deletion
from gourmetgram.lakehouse.orphans import MissingFiles, remove_orphans
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, LARGE_TRAINING_DATA, TRAINING_DATA
from gourmetgram.lakehouse.tombstones import deleted_images
from gourmetgram.lakehouse.training_data import raw

log = structlog.get_logger("lakehouse")

Outcomes = dict[str, Outcome]

WRITTEN_ANEW: Final = (TRAINING_DATA, LARGE_TRAINING_DATA)
"""These have large files already, and are replaced as a whole."""

NOBODY: Final = pa.array([], pa.int64())
"""Synthetic rows are about no image that somebody could delete."""


def run(settings: LakehouseSettings) -> dict[str, Outcomes]:
    """All of it, once, for each table and for the raw snapshots; return what each step did, by table.

    Safe beside the run that lands events: a table that somebody else changes meanwhile is left for the next time.

    Raises:
        MissingFiles: a table names files that are not there; everything else was done nevertheless.
    """
    storage = open_storage(settings)
    with closing(open_catalog(settings)) as catalog:
        present = tables.ensure(catalog)
        synthetic = tables.large(catalog)
        deleted = deleted_images(present[DELETED_IMAGES], storage)["image_id"].combine_chunks()
        done = {name: _tidy(catalog, name, storage, deleted, settings.keep_snapshots_hours) for name in present}
        done |= {name: _tidy(catalog, name, storage, NOBODY, settings.keep_snapshots_hours) for name in synthetic}
        done["raw snapshots"] = {"expiry": raw.expire(settings, storage, datetime.now(UTC))}
        damaged = []
        for name in present | synthetic:
            try:
                done[name]["orphans"] = _clean(catalog, name, present | synthetic, storage, settings.orphan_grace_hours)
            except MissingFiles as error:
                damaged.append(str(error))
            log.info("upkeep", table=name, **done[name])
    if damaged:
        raise MissingFiles("\n".join(damaged))
    return done


def _tidy(
    catalog: SqlCatalog, name: str, storage: pyarrow.fs.FileSystem, deleted: pa.Array, keep_hours: float
) -> Outcomes:
    load = partial(catalog.load_table, name)
    done: Outcomes = {
        "compaction": compact(load(), storage) if name not in WRITTEN_ANEW else {"files": 0},
        "tags": {"removed": remove_tags_touched_by_deletion(load(), storage, deleted)},
    }
    since = datetime.now(UTC) - timedelta(hours=keep_hours)
    published = published_since(catalog.engine, since).get(name, set())
    return done | {"expiry": expire(load(), published, since)}


def _clean(
    catalog: SqlCatalog, name: str, present: dict[str, Table], storage: pyarrow.fs.FileSystem, grace_hours: float
) -> Outcome:
    others = {table.location() for other, table in present.items() if other != name}
    before = datetime.now(UTC) - timedelta(hours=grace_hours) if grace_hours else None  # clocks may differ
    return remove_orphans(partial(catalog.load_table, name), others, storage, before)
