"""Our own resources on Chameleon, found by their exact names: what python-chi leaves to its callers.

python-chi asks for a lease again though one of the same name has ended, takes a server that has failed for one that
runs, picks any unused floating IP of the project (of a classmate, too), and gives a server a second address when asked
twice. Each function here is safe to call twice, and raises rather than touch what another user has made.
"""

import logging
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from chi import clients, context, lease, network, server

logging.getLogger("neutronclient").setLevel(logging.ERROR)  # else it says before each answer that it is deprecated
warnings.filterwarnings("ignore", "Unknown .* host key")  # nobody knows the key of a server that was made a minute ago

ENDED: Final = ("TERMINATED", "ERROR")
SWITCHED_OFF: Final = ("SHUTOFF", "PAUSED", "SUSPENDED")


def _ours(name: str, found: list[Any], owner: Callable[[Any], str]) -> list[Any]:
    """What was found by a name, if all of it is ours.

    Raises:
        RuntimeError: somebody else has taken the name.
    """
    if any(owner(one) != context.session().get_user_id() for one in found):
        raise RuntimeError(f"another user of your project has taken the name {name}")
    return found


def own_leases(name: str) -> list[dict[str, Any]]:
    """All leases of exactly this name, those that have ended included, as Blazar describes them."""
    found = [one for one in clients.blazar().lease.list() if one["name"] == name]
    return _ours(name, found, lambda one: str(one["user_id"]))


def clear_ended_leases(name: str) -> None:
    """Delete those of our leases that have ended or failed, which only stand in the way of a new one."""
    for one in own_leases(name):
        if one["status"] in ENDED:
            print(f"an earlier lease {name} has the status {one['status']}: it is removed")
            clients.blazar().lease.delete(one["id"])


def require_active(reserved: lease.Lease) -> None:
    """Go on only with a lease that has begun.

    Raises:
        RuntimeError: it has not, or has failed.
    """
    status = reserved.status
    if status != "ACTIVE":
        raise RuntimeError("lease has failed" if status in ENDED else f"lease is still pending (status {status})")


def time_left(reserved: lease.Lease) -> timedelta:
    """Until the lease ends, and the server with it."""
    reserved.refresh()
    left: timedelta = reserved.end_date.replace(tzinfo=UTC) - datetime.now(UTC)
    return left


def extend(reserved: lease.Lease, hours: float) -> None:
    """Let the lease end so many hours later."""
    clients.blazar().lease.update(reserved.id, prolong_for=f"{round(hours * 60)}m")
    reserved.refresh()


def clear_failed_server(name: str) -> None:
    """Delete our server if it has failed, for it would never start; come back when it is gone.

    Raises:
        RuntimeError: it is switched off.
    """
    present = _servers(name)
    for one in present:
        if one.status in SWITCHED_OFF:
            raise RuntimeError(f"server status {one.status}")
    failed = [one for one in present if one.status == "ERROR"]
    for one in failed:
        print(f"the server {name} has failed: it is deleted")
        clients.nova().servers.delete(one.id)
    if failed:
        wait_until_gone(name)


def require_running(node: server.Server) -> None:
    """Go on only with a server that runs.

    Raises:
        RuntimeError: it does not; with the reason that Nova gives.
    """
    for one in _servers(node.name):
        if one.status == "ACTIVE":
            return
        fault = getattr(one, "fault", {}).get("message", "no reason was given")
        raise RuntimeError(f"server has failed: {fault}" if one.status == "ERROR" else f"server status {one.status}")
    raise RuntimeError("server is gone")


def _servers(name: str) -> list[Any]:
    """Our servers of exactly this name."""
    found = [one for one in clients.nova().servers.list() if one.name == name]
    return _ours(name, found, lambda one: str(one.user_id))


def own_addresses(name: str) -> list[dict[str, Any]]:
    """Floating IPs that we have asked for, whose description is our name, and whatever else our server has."""
    ports = {port["id"] for one in _servers(name) for port in clients.neutron().list_ports(device_id=one.id)["ports"]}
    return [one for one in network.list_floating_ips() if one["description"] == name or one["port_id"] in ports]


def give_address(node: server.Server) -> str:
    """The floating IP of our server; asked for and attached if it has none."""
    if present := node.get_floating_ip():
        return str(present)
    free = [one for one in own_addresses(node.name) if one["port_id"] is None]
    address = (free or [_new_address(node.name)])[0]["floating_ip_address"]
    return str(node.associate_floating_ip(address))


def _new_address(name: str) -> dict[str, Any]:
    wanted = {"floating_network_id": network.get_network_id("public"), "description": name}
    made: dict[str, Any] = clients.neutron().create_floatingip({"floatingip": wanted})["floatingip"]
    return made


def leftovers(lease_name: str, server_name: str) -> dict[str, list[str]]:
    """What is ours and still there: the names of servers, the addresses, and the leases with their status."""
    return {
        "servers": [f"{one.name} ({one.status})" for one in _servers(server_name)],
        "floating IPs": [str(one["floating_ip_address"]) for one in own_addresses(server_name)],
        "leases": [f"{one['name']} ({one['status']})" for one in own_leases(lease_name)],
    }


def delete_servers(name: str) -> None:
    """Delete our servers of exactly this name."""
    for one in _servers(name):
        clients.nova().servers.delete(one.id)
        print(f"deleted: server {name}")


def give_back_addresses(name: str) -> None:
    """Give our floating IPs back to the site, attached or not."""
    for one in own_addresses(name):
        clients.neutron().delete_floatingip(one["id"])
        print(f"given back: floating IP {one['floating_ip_address']}")


def delete_leases(name: str) -> None:
    """Delete our leases of exactly this name."""
    for one in own_leases(name):
        clients.blazar().lease.delete(one["id"])
        print(f"deleted: lease {name}")


def wait_until_gone(name: str, seconds: float = 120) -> None:
    """Come back when no server of this name is there any more; deleting one takes Nova a moment.

    Raises:
        TimeoutError: there still is one.
    """
    deadline = time.monotonic() + seconds
    while _servers(name):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server {name} is still there after {seconds:.0f} s")
        time.sleep(2)


def unused_addresses() -> list[str]:
    """Floating IPs of the project that are attached to nothing: perhaps a classmate's, perhaps forgotten."""
    return [str(one["floating_ip_address"]) for one in network.list_floating_ips() if one["port_id"] is None]
