"""Every hour: land what has happened in Iceberg, and bring the five-minute windows up to it.

This file only declares. The work is in gourmetgram.lakehouse.runs, which also runs without Airflow.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, CronDataIntervalTimetable, Variable, dag, get_current_context, task

from gourmetgram.lakehouse import assets, runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import WINDOWS

CHECKPOINT = "redpanda_event_aggregation_checkpoint"
HISTORY = Asset(*assets.HISTORY)


# <dag>
@dag(
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5)},
    tags=["lakehouse"],
)
def redpanda_event_aggregation() -> None:
    """Land new engagement events and keep the five-minute windows current."""
    run = consume_and_aggregate_events()
    windows = [write_windows.override(task_id=f"write_{kind}_windows")(run, kind) for kind in WINDOWS]
    run >> [*windows, erase_deleted(run)] >> commit_checkpoint(run)


# </dag>


@task
def consume_and_aggregate_events() -> dict[str, Any]:
    """Freeze the ends of the topics, and land all events before them; what comes back are these ends."""
    return dict(runs.consume_and_aggregate_events(LakehouseSettings(), get_current_context()["run_id"]))


@task
def write_windows(run: runs.Run, kind: str) -> dict[str, Any]:
    """Bring the windows of one kind up to the same ends."""
    return runs.write_windows(LakehouseSettings(), run, kind)


@task
def erase_deleted(run: runs.Run) -> dict[str, Any]:
    """Take what was deleted out of everything that was derived from it; tell which models saw it."""
    return runs.erase_deleted(LakehouseSettings(), run)


@task(outlets=[HISTORY])
def commit_checkpoint(run: runs.Run) -> None:
    """Publish the snapshots together, and show people how far the history goes. The tables do not depend on it."""
    published = runs.publish(LakehouseSettings(), run)
    Variable.set(CHECKPOINT, json.dumps(published), description="How far the topics have landed, for people to look at")


redpanda_event_aggregation()
