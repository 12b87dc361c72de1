"""Airflow as a person reaches it: through its REST API."""

from typing import Any

import httpx

from labkit.stack import Stack
from tests.support.processes import wait_until

ENDED = ("success", "failed")


class AirflowApi:
    """Logged in as admin."""

    def __init__(self, stack: Stack) -> None:
        self._client = httpx.Client(base_url=stack.url("airflow"), timeout=30)
        token = login(stack, stack.setting("AIRFLOW_ADMIN_PASSWORD")).raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v2/{path}").raise_for_status().json()

    def dags(self) -> set[str]:
        return {dag["dag_id"] for dag in self.get("dags")["dags"]}

    def start(self, dag: str) -> str:
        """Start a run; its id."""
        self._client.patch(f"/api/v2/dags/{dag}", json={"is_paused": False}).raise_for_status()
        started = self._client.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None})
        run: str = started.raise_for_status().json()["dag_run_id"]
        return run

    def run(self, dag: str) -> dict[str, str]:
        """Start a run and wait for its end; what `end` says of it."""
        return self.end(dag, self.start(dag))

    def end(self, dag: str, run: str) -> dict[str, str]:
        """Wait for the end of a run; the state of each task, and of the run itself under the DAG's name."""
        wait_until(lambda: self.get(f"dags/{dag}/dagRuns/{run}")["state"] in ENDED, f"{dag} has ended", seconds=180)
        tasks = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks} | {
            dag: self.get(f"dags/{dag}/dagRuns/{run}")["state"]
        }

    def log(self, dag: str, run: str, task: str) -> str:
        """What the first try of a task wrote."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1"
        return self._client.get(path, headers={"Accept": "application/x-ndjson"}).raise_for_status().text

    def close(self) -> None:
        self._client.close()


def login(stack: Stack, password: str) -> httpx.Response:
    body = {"username": "admin", "password": password}
    return httpx.post(f"{stack.url('airflow')}/auth/token", json=body, timeout=30)
