"""Every day, and whenever the history has gone on: the training data anew, and proof that it is right.

This file only declares. The work is in gourmetgram.lakehouse.training_data, which also runs without Airflow.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronDataIntervalTimetable, Metadata, dag, get_current_context, task

from gourmetgram.lakehouse import assets, parity_job, verify
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data import steps

HISTORY, TRAINING_DATA = Asset(*assets.HISTORY), Asset(*assets.TRAINING_DATA)


# <dag>
@dag(
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("@daily", timezone="UTC"), assets=[HISTORY]),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5)},
    tags=["lakehouse"],
)
def moderation_training() -> None:
    """Build the rows that models are trained on, and prove that they are right."""
    load_iceberg(transform_features(extract_data())) >> parity() >> verify_pipeline()


# </dag>


@task
def extract_data() -> dict[str, Any]:
    """Take one consistent snapshot of the application's tables."""
    return dict(steps.extract_data(LakehouseSettings(), get_current_context()["run_id"]))


@task
def transform_features(run: steps.TrainingRun) -> dict[str, Any]:
    """Compute what was known about each eligible image at its anchors, and what came of it."""
    return dict(steps.transform_features(LakehouseSettings(), run))


@task(outlets=[TRAINING_DATA])
def load_iceberg(run: steps.TrainingRun) -> Any:
    """Replace the table by these rows."""
    loaded = steps.load_iceberg(LakehouseSettings(), run)
    yield Metadata(TRAINING_DATA, loaded)
    return loaded


@task
def parity() -> dict[str, Any]:
    """Compute the features of every decision anew from the history; fail if a single one differs."""
    return dict(parity_job.run(LakehouseSettings()))


@task
def verify_pipeline() -> list[dict[str, Any]]:
    """Ask whether what came of it is plausible."""
    return [dict(check) for check in verify.run(LakehouseSettings())]


moderation_training()
