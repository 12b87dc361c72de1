"""All checks together, against tables that are written to meanwhile."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Final

import structlog
from pyiceberg.catalog.sql import SqlCatalog

from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.verify import drift, history, sample, training
from gourmetgram.lakehouse.verify.checks import Check, require_sound
from gourmetgram.lakehouse.verify.sources import Sources, State, Training

log = structlog.get_logger("lakehouse")

ATTEMPTS: Final = 3


def run(settings: LakehouseSettings) -> list[Check]:
    """Check everything, and say what was found.

    Raises:
        HistoryError: nothing has been published yet.
        PipelineUnsound: something is wrong; the message names everything that is.
    """
    checks = verify(settings)
    for one in checks:
        say = log.info if one["passed"] else log.warning if one["level"] == "warning" else log.error
        say(one["name"], passed=one["passed"], found=one["found"], expected=one["expected"])
    require_sound(checks)
    return checks


def verify(settings: LakehouseSettings, now: datetime | None = None) -> list[Check]:
    """All checks; once more when something failed while a run wrote to the tables, for then it proves nothing.

    Args:
        settings: of the lakehouse.
        now: the time from which ages count; by default the present.

    Raises:
        HistoryError: nothing has been published yet.
    """
    with closing(open_catalog(settings)) as catalog:
        for _ in range(ATTEMPTS):
            state = State.now(catalog)
            checks = _checks(settings, catalog, now or datetime.now(UTC))
            if all(one["passed"] for one in checks) or State.now(catalog) == state:
                break
    return checks


def _checks(settings: LakehouseSettings, catalog: SqlCatalog, now: datetime) -> list[Check]:
    sources = Sources(catalog, open_storage(settings))
    found = [*history.checks(sources, now, settings.verify_history_hours)]
    rows = sources.training()
    if rows is None:
        return [*found, _nothing_to_learn_from()]
    return [*found, *_training_checks(settings, sources, rows, now)]


def _training_checks(settings: LakehouseSettings, sources: Sources, rows: Training, now: datetime) -> list[Check]:
    return [
        *training.checks(sources, rows, settings),
        sample.check(sources, rows, settings.verify_sample_images),
        drift.check(rows, sources.storage, settings.verify_drift),
        history.age("age of the training data", now - rows.complete_until, settings.verify_training_hours),
    ]


def _nothing_to_learn_from() -> Check:
    found, expected = "there is no training data yet", "rows; let moderation_training run first"
    return Check(name="training data, rows", level="error", passed=False, found=found, expected=expected)
