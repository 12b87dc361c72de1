"""Every day: few large files in place of many small ones, and no snapshot or file longer than it is needed.

This file only declares. The work is in gourmetgram.lakehouse.upkeep, which also runs without Airflow.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from gourmetgram.lakehouse import upkeep
from gourmetgram.lakehouse.settings import LakehouseSettings


@dag(
    schedule=CronDataIntervalTimetable("30 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["lakehouse"],
)
def lakehouse_upkeep() -> None:
    """Keep the tables of the history small, and quick to read."""
    tidy()


@task
def tidy() -> dict[str, Any]:
    """Merge small files, let go of old snapshots, delete files that no snapshot names; tell what was done by table."""
    return upkeep.run(LakehouseSettings())


lakehouse_upkeep()
