"""What comes out of running notebooks."""

from dataclasses import dataclass
from typing import Any

STUDENT = "student"
KINDS = ("leases", "servers", "ports", "floating_ips", "groups")


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs.

    Attributes:
        name: of the file.
        notebook: nbformat's; the cells after one that failed have no outputs.
        error: of the cell that failed, as in `ValueError: no lease`; empty when the notebook came to its end.
        failed_cell: what is in that cell.
        traceback: what a student reads below it.
        seconds: for each code cell that was run.
    """

    name: str
    notebook: Any
    error: str
    failed_cell: str
    traceback: str
    seconds: list[float]

    @property
    def text(self) -> str:
        """Everything that the cells have printed or returned, one after the other; not what failed."""
        outputs = [one for cell in self.notebook.cells for one in cell.get("outputs", [])]
        return "".join(one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs)


@dataclass(frozen=True)
class Result:
    """What came out of all of it.

    Attributes:
        notebooks: as they were run.
        cloud: its last state: `by_project` for a quick look, `leases`, `servers`, `floating_ips`, `groups`, `audit`, …
        before: the same from before the first notebook, to see what was left alone.
        requests: method, path, status, user and project of each request to OpenStack.
        commands: what nodes' recorders were called with (`argv`, `stdin`).
        sessions: each command that came over SSH, with its exit status.
    """

    notebooks: list[Executed]
    cloud: dict[str, Any]
    before: dict[str, Any]
    requests: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    sessions: list[dict[str, Any]]

    @property
    def damage(self) -> list[str]:
        """Things of other students and of other projects that are gone, or not as they were; should be empty."""
        after = {(kind, one["id"]): one for kind in KINDS for one in self.cloud[kind]}
        others = _of_others(self.before)
        return sorted(f"{kind}: {_name(one)}" for (kind, id), one in others.items() if after.get((kind, id)) != one)


def _name(one: dict[str, Any]) -> str:
    return str(one.get("name") or one["address"])


def _of_others(cloud: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """What is not the student's, by kind and id; a group or an address is somebody's whose server uses it."""
    student = next(one["id"] for one in cloud["users"] if one["name"] == STUDENT)
    servers = [one for one in cloud["servers"] if one["user"] != student]
    ports = [one for one in cloud["ports"] if one["id"] in {server["port"] for server in servers}]
    theirs = {
        "leases": [one for one in cloud["leases"] if one["user"] != student],
        "servers": servers,
        "ports": ports,
        "floating_ips": [one for one in cloud["floating_ips"] if one["port"] in {port["id"] for port in ports}],
        "groups": [one for one in cloud["groups"] if any(one["id"] in port["groups"] for port in ports)],
    }
    return {(kind, one["id"]): one for kind in KINDS for one in theirs[kind]}
