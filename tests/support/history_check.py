"""Compares the tables with a recount of what the broker holds."""

from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, WINDOWS
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.support.crowd import EVENT_TOPICS
from tests.support.history_recount import History
from tests.support.lakehouse import counts, landed, table_rows


def check(stack: Stack, settings: LakehouseSettings) -> History:
    """Every event of the topics is there once, the windows are a recount; returns that."""
    expected = History(raw_topics.read(stack.address("redpanda"), EVENT_TOPICS))
    assert sorted(landed(settings), key=lambda row: str(row["event_id"])) == expected.rows()
    for kind in WINDOWS:
        assert counts(settings, kind) == expected.windows(kind)
    assert sorted(row["image_id"] for row in table_rows(settings, DELETED_IMAGES)) == sorted(expected.deleted)
    return expected
