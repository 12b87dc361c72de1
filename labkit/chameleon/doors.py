"""Security groups: what the network may reach of our server. They belong to the project, so nobody's are changed here.

python-chi takes any group of the right name for one that opens the port. Groups may have the same name, too, when many
students make theirs at the same minute: so a group is chosen by what it opens, and attached by its id.
"""

from typing import Any

from chi import clients, network, server

ANYBODY = (None, "0.0.0.0/0")
LAST_PORT = 65535


def open_port(node: server.Server, port: int, description: str) -> str:
    """Let everybody reach one TCP port of our server; the name of the security group that does it."""
    group = _find(port) or _make(port, description)
    (own_port,) = clients.neutron().list_ports(device_id=node.id)["ports"]
    if group["id"] not in own_port["security_groups"]:
        node.add_security_group(group["id"])
    return str(group["name"])


def _find(port: int) -> dict[str, Any] | None:
    """A group of the project that was made for this port, and opens it."""
    groups: list[dict[str, Any]] = clients.neutron().list_security_groups()["security_groups"]
    return next((one for one in groups if one["name"] in _names(port) and _opens(one, port)), None)


def _make(port: int, description: str) -> dict[str, Any]:
    """A new group; under another name when one of the usual name is there, and opens something else."""
    taken = {one["name"] for one in clients.neutron().list_security_groups()["security_groups"]}
    name = next((one for one in _names(port) if one not in taken), _names(port)[-1])
    group = network.SecurityGroup({"name": name, "description": description})
    group.add_rule("ingress", "tcp", port)
    group.submit()
    return {"id": group.id, "name": name}


def _names(port: int) -> tuple[str, str]:
    return f"allow-{port}", f"lab-{port}"


def _opens(group: dict[str, Any], port: int) -> bool:
    """Whether everybody may reach the port by IPv4 because of this group."""
    return any(
        rule["direction"] == "ingress"
        and rule["ethertype"] == "IPv4"
        and rule["protocol"] in ("tcp", None)
        and (rule["port_range_min"] or 0) <= port <= (rule["port_range_max"] or LAST_PORT)
        and rule["remote_ip_prefix"] in ANYBODY
        and rule["remote_group_id"] is None
        for rule in group["security_group_rules"]
    )
