"""Runs through the real broker, object storage and catalog, as the DAG and the command line do them."""

import json
import threading
import time

import pyarrow.fs
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gourmetgram.lakehouse import publishing, runs
from gourmetgram.lakehouse.catalog import LIMITS, open_catalog, open_storage
from gourmetgram.lakehouse.offsets import HistoryError
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS, HISTORY, WINDOWS
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.support.crowd import EVENT_TOPICS, Crowd
from tests.support.history_check import check
from tests.support.lakehouse import Tool, own_settings, snapshots


@pytest.fixture
def crowd(lake_stack: Stack, request: pytest.FixtureRequest) -> Crowd:
    names = sorted(request.module.__dict__)
    return Crowd(lake_stack.address("redpanda"), 1 + names.index(request.function.__name__))


@pytest.fixture
def history(lake_stack: Stack, request: pytest.FixtureRequest) -> LakehouseSettings:
    """An empty history; chunks are small, so that there are many."""
    return own_settings(lake_stack, request.function.__name__, land_chunk_records=100)


def objects(settings: LakehouseSettings) -> set[str]:
    folder = pyarrow.fs.FileSelector(settings.warehouse.partition("://")[2], recursive=True)
    return {one.path for one in open_storage(settings).get_file_info(folder)}


def test_runs_equal_a_recount_of_the_topics(lake_stack: Stack, history: LakehouseSettings, crowd: Crowd) -> None:
    crowd.say(400)
    crowd.babble()
    runs.run_once(history)
    expected = check(lake_stack, history)
    assert expected.repeated > 10
    assert expected.unusable >= 10
    crowd.say(150)
    crowd.say(3, ("deletion",))
    crowd.say(100)
    runs.run_once(history)
    assert len(check(lake_stack, history).deleted) >= 1


def test_a_run_with_nothing_new_changes_nothing(lake_stack: Stack, history: LakehouseSettings, crowd: Crowd) -> None:
    """No snapshot, no file in the bucket, no published set."""
    crowd.say(50)
    first = runs.run_once(history)
    before, files = snapshots(history), objects(history)
    again = runs.run_once(history)
    assert again == first
    assert snapshots(history) == before
    assert objects(history) == files
    check(lake_stack, history)


def test_what_is_published_belongs_together(lake_stack: Stack, history: LakehouseSettings, crowd: Crowd) -> None:
    crowd.say(60)
    crowd.say(1, ("deletion",))
    published = runs.run_once(history)
    ends = raw_topics.ends(lake_stack.address("redpanda"), EVENT_TOPICS)
    assert published["offsets"] == {
        topic: {str(number): end for (name, number), end in ends.items() if name == topic} for topic in EVENT_TOPICS
    }
    assert published["tables"] == snapshots(history)
    assert published["tables"].keys() == set(HISTORY)
    json.dumps(published)

    crowd.say(60)
    run = runs.consume_and_aggregate_events(history, "half")
    runs.write_windows(history, run, "view")
    with pytest.raises(HistoryError, match="nothing was published"):
        runs.publish(history, run)
    assert latest_tables(history) == published["tables"] != snapshots(history)
    for kind in WINDOWS:
        runs.write_windows(history, run, kind)
    assert runs.publish(history, run)["tables"] == snapshots(history) == latest_tables(history)


def latest_tables(settings: LakehouseSettings) -> dict[str, int]:
    catalog = open_catalog(settings)
    try:
        found = publishing.latest(catalog.engine)
        assert found
        return dict(found.tables)
    finally:
        catalog.close()


def test_a_run_can_be_handed_over_as_json(history: LakehouseSettings, crowd: Crowd, lake_stack: Stack) -> None:
    """As Airflow hands it from task to task."""
    crowd.say(30)
    run: runs.Run = json.loads(json.dumps(runs.consume_and_aggregate_events(history, "first")))
    for kind in WINDOWS:
        json.dumps(runs.write_windows(history, run, kind))
    runs.publish(history, run)
    check(lake_stack, history)


def test_an_empty_history_may_be_begun_by_several_at_once(
    lake_stack: Stack, history: LakehouseSettings, crowd: Crowd
) -> None:
    """One of them may be refused; what there is afterwards is right."""
    crowd.say(250)
    outcomes: list[object] = []

    def attempt() -> None:
        try:
            outcomes.append(runs.run_once(history))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [type(one).__name__ for one in outcomes if isinstance(one, Exception)]
    assert set(refused) <= {"CommitFailedException", "HistoryError", "Superseded"}, outcomes
    runs.run_once(history)
    check(lake_stack, history)


def test_nobody_waits_for_ever_for_a_task_that_was_frozen(
    lake_stack: Stack, history: LakehouseSettings, crowd: Crowd
) -> None:
    """It was in the middle of publishing; its transaction is ended for it."""
    crowd.say(20)
    runs.run_once(history)
    crowd.say(20)
    frozen = open_catalog(history)
    with frozen.engine.connect() as connection:
        connection.execute(text(publishing.ALONE))
        began = time.monotonic()
        runs.run_once(history)
        assert LIMITS["idle_in_transaction_session_timeout"] / 2000 < time.monotonic() - began < 60
        with pytest.raises(OperationalError, match="closed the connection"):
            connection.execute(text("SELECT 1"))
    frozen.close()
    check(lake_stack, history)


# ---- the command line


@pytest.fixture
def lake_tool(history: LakehouseSettings) -> Tool:
    return Tool(history)


def test_a_run_by_hand(lake_stack: Stack, history: LakehouseSettings, crowd: Crowd, lake_tool: Tool) -> None:
    nothing = lake_tool("status")
    assert (nothing.returncode, nothing.stderr) == (0, "")
    assert "nothing is published yet" in nothing.stdout
    crowd.say(40)
    done = lake_tool("run")
    assert (done.returncode, done.stderr) == (0, "")
    present = snapshots(history)
    assert [EVENTS, str(present[EVENTS])] in [line.split() for line in done.stdout.splitlines()]
    check(lake_stack, history)
    after = lake_tool("status")
    ends = raw_topics.ends(lake_stack.address("redpanda"), EVENT_TOPICS)
    lines = [line.split() for line in after.stdout.splitlines()]
    for (topic, number), end in ends.items():
        assert [f"{topic}/{number}", str(end), str(end), "0"] in lines
    assert [EVENTS, str(present[EVENTS])] in lines
    assert "nothing is lost" in lake_tool("accept-loss").stdout
    assert snapshots(history) == present


def test_what_goes_wrong_is_said_in_a_sentence(history: LakehouseSettings) -> None:
    away = Tool(history.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"}))("run")
    assert away.returncode == 1
    assert away.stderr.startswith("the broker does not answer")
    assert "Traceback" not in away.stderr
    assert Tool(history)("bury").returncode == 2
