"""The steps of a run, as the DAG and the command line call them; each may be repeated, and goes on where it stopped."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypedDict

import structlog

from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.erasure import erase
from gourmetgram.lakehouse.landing import Landing, freeze_ends
from gourmetgram.lakehouse.offsets import parse_offsets
from gourmetgram.lakehouse.publishing import publish as publish_set
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, WINDOWS
from gourmetgram.lakehouse.topic_log import TopicLog
from gourmetgram.lakehouse.windows import Windows

log = structlog.get_logger("lakehouse")


class Run(TypedDict):
    """What the steps of a run agree on; `ends` by the text of the places, as they were at `frozen_at`."""

    run_id: str
    frozen_at: str
    ends: dict[str, int]
    landed: dict[str, int]


def consume_and_aggregate_events(settings: LakehouseSettings, run_id: str) -> Run:
    """Freeze the ends of the topics, and land what has come since the last run."""
    present = tables.ensure(open_catalog(settings), EVENTS, DELETED_IMAGES)
    landing = Landing(present[EVENTS], present[DELETED_IMAGES], open_storage(settings), settings.land_chunk_records)
    with TopicLog.open(settings.kafka_bootstrap_servers) as topics:
        frozen_at = datetime.now(UTC)
        ends = freeze_ends(topics)
        landed = landing.land(topics, parse_offsets(ends), run_id)
    log.info("events landed", run_id=run_id, **asdict(landed))
    return Run(run_id=run_id, frozen_at=frozen_at.isoformat(), ends=ends, landed=asdict(landed))


def write_windows(settings: LakehouseSettings, run: Run, kind: str) -> dict[str, Any]:
    """Bring the windows of one kind (view, comment or flag) up to the ends of the run."""
    present = tables.ensure(open_catalog(settings), WINDOWS[kind], EVENTS, DELETED_IMAGES)
    windows = Windows(
        kind,
        present[WINDOWS[kind]],
        events=present[EVENTS],
        deleted=present[DELETED_IMAGES],
        storage=open_storage(settings),
    )
    days = windows.write(parse_offsets(run["ends"]), run["run_id"])
    log.info("windows written", run_id=run["run_id"], kind=kind, days=days)
    return {"kind": kind, "days": days}


def erase_deleted(settings: LakehouseSettings, run: Run) -> dict[str, Any]:
    """Take what was deleted out of the training data and the raw snapshots; say which models saw it."""
    return dict(erase(settings, run["run_id"]))


def publish(settings: LakehouseSettings, run: Run) -> dict[str, Any]:
    """Publish the tables' snapshots together; return them, and the offsets they cover by topic and partition."""
    ends, frozen_at = parse_offsets(run["ends"]), datetime.fromisoformat(run["frozen_at"])
    published = publish_set(open_catalog(settings), ends, run["run_id"], frozen_at)
    return {"run_id": published.run_id, "offsets": by_topic(published.offsets), "tables": dict(published.tables)}


def by_topic(offsets: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Offsets as people read them: topic, partition, offset."""
    result: dict[str, dict[str, int]] = {}
    for place, offset in parse_offsets(offsets).items():
        result.setdefault(place.topic, {})[str(place.partition)] = offset
    return result


def run_once(settings: LakehouseSettings) -> dict[str, Any]:
    """A whole run without Airflow."""
    run = consume_and_aggregate_events(settings, f"manual__{uuid.uuid4()}")
    for kind in WINDOWS:
        write_windows(settings, run, kind)
    erase_deleted(settings, run)
    return publish(settings, run)
