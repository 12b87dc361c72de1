"""Compares the table of training data with a recount."""

import json
from contextlib import closing
from datetime import datetime

from pyiceberg.table import Table

from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import TRAINING_DATA
from gourmetgram.lakehouse.training_data.properties import LINEAGE, REPORT
from tests.support.lakehouse import microseconds, table_rows
from tests.support.training_recount import World, differences


def training_table(lake: LakehouseSettings) -> Table:
    with closing(open_catalog(lake)) as catalog:
        return catalog.load_table(TRAINING_DATA)


def said(lake: LakehouseSettings) -> dict[str, str]:
    """What the present snapshot says about itself."""
    snapshot = training_table(lake).current_snapshot()
    assert snapshot
    assert snapshot.summary
    return dict(snapshot.summary.additional_properties)


def check(lake: LakehouseSettings, world: World) -> int:
    """The table and the report are a recount of the world; returns the number of rows."""
    complete_until = json.loads(said(lake)[LINEAGE])["complete_until"]
    world.complete_until = microseconds(datetime.fromisoformat(complete_until))
    rows = table_rows(lake, TRAINING_DATA)
    assert differences(rows, world.rows()) == []
    report = json.loads(said(lake)[REPORT])
    expected = world.exclusions()
    assert {one["rule"]: one["images"] for one in report["excluded"] if one["images"]} == {
        rule: images for rule, images in expected.items() if rule
    }
    assert (report["considered"], report["kept"]) == (sum(expected.values()), expected[None])
    return len(rows)
