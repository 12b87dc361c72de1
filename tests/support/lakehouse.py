"""A history of a test's own: a catalog and a folder of the warehouse that nobody else uses."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS, HISTORY, WINDOWS
from labkit.stack import Stack
from tests.support.database import superuser_rows

SERVICES = ("postgres", "minio-init", "topics-init")

MINUTE_MICROSECONDS = 60_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Count = tuple[int, int]
"""Image, and start of a window in unix microseconds."""


def own_settings(stack: Stack, name: str, **changes: Any) -> LakehouseSettings:
    """Settings as the platform has them, but for a catalog and a warehouse of this name, both empty."""
    with superuser_rows(stack) as rows:
        rows(f'CREATE DATABASE "{name}" OWNER lakehouse')
    login = f"lakehouse:{stack.setting('LAKEHOUSE_DB_PASSWORD')}@{stack.address('postgres')}"
    settings: dict[str, Any] = {
        "kafka_bootstrap_servers": stack.address("redpanda"),
        "database_url": SecretStr(f"postgresql://{login}/gourmetgram"),
        "catalog_url": SecretStr(f"postgresql+psycopg2://{login}/{name}"),
        "s3_endpoint": stack.url("minio"),
        "s3_access_key": stack.setting("S3_LAKEHOUSE_ACCESS_KEY"),
        "s3_secret_key": SecretStr(stack.setting("S3_LAKEHOUSE_SECRET_KEY")),
        "warehouse": f"s3://gourmetgram-datalake/{name}",
        "raw_snapshots": f"s3://gourmetgram-datalake/{name}-raw",
        "models": f"s3://gourmetgram-datalake/{name}-models",
    }
    return LakehouseSettings(**(settings | changes))


def environment(settings: LakehouseSettings) -> dict[str, str]:
    """The variables that make a process of its own read the same settings."""
    values = settings.model_dump(mode="python")
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


class Tool:
    """`python -m gourmetgram.lakehouse` as a process of its own."""

    def __init__(self, settings: LakehouseSettings) -> None:
        self._environment = os.environ | environment(settings) | {"LOG_FORMAT": "text"}

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-W", "error", "-m", "gourmetgram.lakehouse", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120, check=False)


def snapshots(settings: LakehouseSettings) -> dict[str, int | None]:
    """The present snapshot of each table of the history; None in one that nothing was written to."""
    catalog = open_catalog(settings)
    try:
        found = {name: catalog.load_table(name).current_snapshot() for name in HISTORY}
        return {name: snapshot.snapshot_id if snapshot else None for name, snapshot in found.items()}
    finally:
        catalog.close()


def table_rows(settings: LakehouseSettings, name: str, columns: Sequence[str] = ("*",)) -> list[dict[str, Any]]:
    """The rows of a table's present snapshot."""
    catalog = open_catalog(settings)
    try:
        rows: list[dict[str, Any]] = (
            catalog.load_table(name).scan(selected_fields=tuple(columns)).to_arrow().to_pylist()
        )
        return rows
    finally:
        catalog.close()


def landed(settings: LakehouseSettings) -> list[dict[str, Any]]:
    """The events that have landed, in no order."""
    return table_rows(settings, EVENTS)


def counts(settings: LakehouseSettings, kind: str) -> dict[Count, int]:
    """The windows of a kind; a window that is there twice, or is not five minutes long, is an error."""
    rows = table_rows(settings, WINDOWS[kind])
    found = {(row["image_id"], microseconds(row["window_start"])): row["event_count"] for row in rows}
    assert len(found) == len(rows), f"{len(rows) - len(found)} windows of {kind} are there twice"
    assert all((row["window_end"] - row["window_start"]).total_seconds() == 300 for row in rows)
    return found


def microseconds(instant: datetime) -> int:
    """Unix microseconds of an instant; exact."""
    return (instant - EPOCH) // timedelta(microseconds=1)
