"""What comes out of running notebooks."""

from dataclasses import dataclass
from typing import Any

STUDENT = "student"


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
        before, after = _of_others(self.before), _of_others(self.cloud)
        return sorted(name for name, one in before.items() if after.get(name) != one)


def _of_others(cloud: dict[str, Any]) -> dict[str, Any]:
    """What is not the student's, by kind and id; a group is somebody's whose server uses it."""
    student = next(one for one in cloud["users"] if one["name"] == STUDENT)
    servers = [one for one in cloud["servers"] if one["user"] != student["id"]]
    ports = [one for one in cloud["ports"] if one["id"] in {server["port"] for server in servers}]
    groups = {group for port in ports for group in port["groups"]}
    return (
        {f"lease {one['name']} {one['id']}": one for one in cloud["leases"] if one["user"] != student["id"]}
        | {f"server {one['name']} {one['id']}": one for one in servers}
        | {f"port {one['id']}": one for one in ports}
        | {f"floating IP {one['address']}": one for one in cloud["floating_ips"] if _is_used(one, ports)}
        | {f"group {one['name']} {one['id']}": one for one in cloud["groups"] if one["id"] in groups}
        | {f"keypair {one['name']}": one for one in cloud["keypairs"] if one["user"] != student["id"]}
    )


def _is_used(address: dict[str, Any], ports: list[dict[str, Any]]) -> bool:
    return any(address["port"] == port["id"] for port in ports)
