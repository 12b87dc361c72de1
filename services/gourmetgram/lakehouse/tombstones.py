"""The table of deleted images: their ids, and where each deletion stands in its topic."""

import pyarrow as pa
import pyarrow.fs
from pyiceberg.table import Table

from gourmetgram.core.topics import DELETIONS
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.offsets import Offsets


def deleted_images(table: Table, storage: pyarrow.fs.FileSystem, since: int = 0) -> pa.Table:
    """The ids of deleted images, as the column `image_id`; only of those written by commits later than `since`."""
    chosen = [one for one in files.live(table) if one.sequence > since]
    return files.dataset(table, storage, chosen).to_table(columns=["image_id"])


def newest_deletions(covered: Offsets, deleted: pa.Table) -> pa.ChunkedArray:
    """Images in the table of deleted images whose deletion is not covered yet."""
    borders = {place.partition: offset for place, offset in covered.items() if place.topic == DELETIONS}
    is_new = [
        offset >= borders.get(partition, 0)
        for partition, offset in zip(deleted["partition"].to_pylist(), deleted["offset"].to_pylist(), strict=True)
    ]
    return deleted.filter(pa.array(is_new, pa.bool_()))["image_id"]
