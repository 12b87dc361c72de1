"""Airflow runs our DAGs on the platform's servers, and lets in whoever knows the password."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gourmetgram.lakehouse.tables import WINDOWS
from labkit.paths import ROOT
from labkit.stack import Stack, environments, ports
from tests.integration.airflow.airflow_api import AirflowApi, login
from tests.support.processes import wait_until

HISTORY, TRAINING, UPKEEP = "redpanda_event_aggregation", "moderation_training", "lakehouse_upkeep"
PARTS = ("airflow-webserver", "airflow-scheduler", "airflow-dag-processor")


@pytest.fixture(scope="module")
def airflow_stack(new_stack: Stack) -> Stack:
    new_stack.up(*PARTS)
    return new_stack


@pytest.fixture(scope="module")
def airflow(airflow_stack: Stack) -> Iterator[AirflowApi]:
    api = AirflowApi(airflow_stack)
    wait_until(lambda: api.dags() == {HISTORY, TRAINING, UPKEEP}, "the DAGs are read", seconds=60)
    yield api
    api.close()


def test_a_wrong_password_is_refused(airflow_stack: Stack) -> None:
    assert login(airflow_stack, "wrong").status_code == 401


def test_all_parts_say_that_they_are_healthy(airflow: AirflowApi) -> None:
    health = airflow.get("monitor/health")
    assert {part: health[part]["status"] for part in ("metadatabase", "scheduler", "dag_processor")} == dict.fromkeys(
        ("metadatabase", "scheduler", "dag_processor"), "healthy"
    )


def test_dags_are_read_without_an_error_and_wait_for_a_person(airflow: AirflowApi) -> None:
    assert airflow.get("importErrors")["import_errors"] == []
    assert airflow.get(f"dags/{HISTORY}")["timetable_description"] == "Every hour"
    assert airflow.get(f"dags/{HISTORY}")["max_active_runs"] == 1


def test_a_run_succeeds_and_shows_how_far_it_came(airflow: AirflowApi) -> None:
    tasks = airflow.run(HISTORY)
    windows = [f"write_{kind}_windows" for kind in WINDOWS]
    assert tasks == dict.fromkeys(
        ["consume_and_aggregate_events", *windows, "erase_deleted", "commit_checkpoint", HISTORY], "success"
    )
    checkpoint = json.loads(airflow.get(f"variables/{HISTORY}_checkpoint")["value"])
    assert checkpoint["offsets"]["gourmetgram.views"] == {str(number): 0 for number in range(6)}


def test_what_a_task_wrote_is_read_through_the_api(airflow: AirflowApi) -> None:
    run = airflow.start(HISTORY)
    airflow.end(HISTORY, run)
    assert "events landed" in airflow.log(HISTORY, run, "consume_and_aggregate_events")


def test_upkeep_runs(airflow: AirflowApi) -> None:
    airflow.run(HISTORY)
    assert airflow.run(UPKEEP) == {"tidy": "success", UPKEEP: "success"}


def test_secrets_are_encrypted_in_the_database(airflow_stack: Stack, airflow: AirflowApi) -> None:
    airflow.run(HISTORY)
    key = airflow_stack.setting("AIRFLOW_FERNET_KEY")
    assert key not in json.dumps(airflow.get("variables"))
    login_file = airflow_stack.home / "volumes/airflow/simple_auth_manager_passwords.json.generated"
    assert login_file.stat().st_mode & 0o077 == 0


def test_after_down_nothing_is_left(short_folder: Path) -> None:
    """Not a process either whose parent was killed before."""
    stack = Stack.free(short_folder / "airflow-down")
    try:
        stack.up("airflow-webserver", "airflow-scheduler")
        groups = {int(file.read_text()) for file in (stack.home / "processes").glob("airflow-*.group")}
        ours = {pid for pid in psutil.pids() if _group(pid) in groups}
        assert len(ours) >= 3, "the API server, the scheduler and a worker"
        stack.kill("airflow-scheduler")
        stack.down()
        assert ours & set(psutil.pids()) == set()
        assert ports.is_free(int(stack.address("airflow").rpartition(":")[2]))
    finally:
        stack.destroy()


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


@pytest.mark.parametrize("dag", [HISTORY, TRAINING, UPKEEP])
def test_a_dag_file_is_imported_without_a_warning(dag: str, tmp_path: Path) -> None:
    environments.ensure("airflow")
    program = environments.program("airflow", "python")
    done = subprocess.run(
        [program, "-W", "error", str(ROOT / f"dags/{dag}.py")],
        env={"PATH": os.defpath, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__UNIT_TEST_MODE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
