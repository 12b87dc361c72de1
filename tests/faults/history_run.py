"""A history that is written by processes which may be killed, frozen and doubled, and what is to hold whenever."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any

from gourmetgram.lakehouse import publishing, runs
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.offsets import Coverage, parse_offsets
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, WINDOWS
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.faults.raw_topics import Raw
from tests.support.crowd import EVENT_TOPICS, Crowd
from tests.support.database import Rows, superuser_rows
from tests.support.history_check import check
from tests.support.history_recount import History
from tests.support.lakehouse import Count, landed, microseconds, snapshots

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
CHUNK = 200
PIECE = 1000
"""Events between two incidents: about ten commits."""

END_SECONDS = 120
SPAWN = multiprocessing.get_context("forkserver")
"""Its children begin with the modules already imported, so that they are soon at work."""
SPAWN.set_forkserver_preload(["gourmetgram.lakehouse.runs", "tests.faults.history_run"])

EXISTS = "SELECT to_regclass('iceberg_tables') IS NOT NULL"
LOCATIONS = "SELECT table_name, metadata_location FROM iceberg_tables"


def work(settings: LakehouseSettings) -> None:
    """What the process does: a whole run; it ends with status 1 when that fails."""
    runs.run_once(settings)


@contextmanager
def run(settings: LakehouseSettings) -> Iterator[BaseProcess]:
    """A run that has begun, in a process of its own; it is killed at the end when it has not ended."""
    process = SPAWN.Process(target=work, args=(settings,))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(END_SECONDS)


def end(process: BaseProcess) -> int:
    """Wait until it has ended; its exit status."""
    process.join(END_SECONDS)
    assert process.exitcode is not None, f"the run has not ended after {END_SECONDS} s"
    return process.exitcode


def freeze(process: BaseProcess) -> None:
    """Stop it wherever it is."""
    os.kill(process.pid or 0, signal.SIGSTOP)


def thaw(process: BaseProcess) -> None:
    """Let it go on."""
    with suppress(ProcessLookupError):
        os.kill(process.pid or 0, signal.SIGCONT)


class Commits:
    """Counts the commits to the tables of a history, their making included, by looking at its catalog all the time."""

    def __init__(self, stack: Stack, settings: LakehouseSettings) -> None:
        self._stack = stack
        self._database = settings.catalog_url.get_secret_value().rsplit("/", 1)[-1]

    def wait_for(self, number: int, process: BaseProcess) -> int:
        """Return as soon as there were so many since now, or the process has ended; and how many there were."""
        with superuser_rows(self._stack, self._database) as rows:
            before, seen = _locations(rows), 0
            while seen < number and process.is_alive():
                now = _locations(rows)
                seen += sum(now[name] != before.get(name) for name in now)
                before = now
                time.sleep(0.001)
        return seen


def _locations(rows: Rows) -> dict[str, str]:
    """Where the present metadata of each table is."""
    return dict(rows(LOCATIONS)) if rows(EXISTS) == [(True,)] else {}


def check_at_any_time(stack: Stack, settings: LakehouseSettings) -> None:
    """What must hold between any two commits: nothing twice, and what readers use belongs together."""
    records = raw_topics.read(stack.address("redpanda"), EVENT_TOPICS)
    catalog = open_catalog(settings)
    try:
        if not catalog.table_exists(EVENTS):
            return
        table = catalog.load_table(EVENTS)
        covered = {(place.topic, place.partition): end for place, end in Coverage.of(table.properties).offsets.items()}
        gone = set(History(records).deleted)
        expected = History(before(records, covered)).rows()
        assert alive(landed(settings), gone) == alive(expected, gone)
        published = publishing.latest(catalog.engine)
    finally:
        catalog.close()
    if published:
        check_published(settings, records, published)


def alive(rows: Iterable[dict[str, Any]], gone: set[int]) -> list[dict[str, Any]]:
    """Rows about images that are never deleted, by event id."""
    return sorted((row for row in rows if row["image_id"] not in gone), key=lambda row: str(row["event_id"]))


def before(records: Iterable[Raw], ends: dict[tuple[str, int], int]) -> list[Raw]:
    """The records before these offsets."""
    return [one for one in records if one.offset < ends.get((one.topic, one.partition), 0)]


def check_published(settings: LakehouseSettings, records: list[Raw], published: publishing.Published) -> None:
    """The published snapshots are a recount of the topics up to the published offsets, all of them."""
    ends = {(place.topic, place.partition): end for place, end in parse_offsets(published.offsets).items()}
    expected = History(before(records, ends))
    catalog = open_catalog(settings)
    try:
        rows = {name: _scan(catalog.load_table(name), snapshot) for name, snapshot in published.tables.items()}
    finally:
        catalog.close()
    assert alive(rows[EVENTS], set()) == expected.rows()
    for kind, name in WINDOWS.items():
        assert _counts(rows[name]) == expected.windows(kind)
    assert {row["image_id"] for row in rows.get(DELETED_IMAGES, [])} >= set(expected.deleted)


def _scan(table: Any, snapshot: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.scan(snapshot_id=snapshot).to_arrow().to_pylist()
    return found


def _counts(rows: list[dict[str, Any]]) -> dict[Count, int]:
    found = {(row["image_id"], microseconds(row["window_start"])): row["event_count"] for row in rows}
    assert len(found) == len(rows)
    return found


def in_one_piece(settings: LakehouseSettings) -> LakehouseSettings:
    """For a run that is to be quick."""
    return settings.model_copy(update={"land_chunk_records": 100_000})


def say_more(crowd: Crowd) -> None:
    """New events, late ones among them, and a deletion in their middle."""
    crowd.say(PIECE // 2)
    crowd.say(1, ("deletion",))
    crowd.babble()
    crowd.say(PIECE // 2)


def finish(lake: Stack, settings: LakehouseSettings) -> None:
    """One clean run, and then everything is right; one more, and nothing has changed."""
    runs.run_once(in_one_piece(settings))
    expected = check(lake, settings)
    assert expected.repeated > PIECE / 20
    present = snapshots(settings)
    runs.run_once(settings)
    assert snapshots(settings) == present
