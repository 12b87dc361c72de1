"""What changes in the cloud, by itself or because somebody asks; the checks are with who asks, in the services."""

from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.resources import Flavor, FloatingIp, Group, Lease, Port, Rule, Server

NO_VALID_HOST = "No valid host was found. There are not enough hosts available."


def advance(cloud: Cloud, now: float) -> None:
    """Everything that time has brought about until now."""
    for lease in list(cloud.leases.values()):
        if lease.status == "PENDING" and now >= max(lease.created + cloud.delays.lease, lease.starts):
            start_lease(cloud, lease, now)
        if lease.status in ("ACTIVE", "PENDING") and now >= lease.ends:
            end_lease(cloud, lease, now)
    for server in list(cloud.servers.values()):
        if server.deleted is not None and now >= server.deleted + cloud.delays.delete:
            remove_server(cloud, server, now)
        elif server.status == "BUILD" and now >= server.created + cloud.delays.boot:
            boot(cloud, server, now)


def start_lease(cloud: Cloud, lease: Lease, now: float) -> None:
    """Make the lease active: its project sees the flavors of its reservations."""
    lease.status = "ERROR" if cloud.troubles.leases_fail else "ACTIVE"
    for reservation in lease.reservations:
        reservation.status = lease.status.lower()
        if lease.status == "ACTIVE":
            cloud.flavors[reservation.id] = _reserved(cloud.flavors[reservation.flavor], lease, reservation.id)
    cloud.note(now, "", f"lease {lease.status}", lease.name)


def _reserved(source: Flavor, lease: Lease, reservation: str) -> Flavor:
    return Flavor(
        reservation,
        f"reservation:{reservation}",
        source.vcpus,
        source.ram,
        source.disk,
        description=f"{lease.name} (ID: {lease.id})",
        reservation=reservation,
        seen_by=lease.project,
    )


def end_lease(cloud: Cloud, lease: Lease, now: float) -> None:
    """The end of a lease takes its servers along, and the flavors; floating IPs stay with the project."""
    lease.status = "TERMINATED"
    for reservation in lease.reservations:
        reservation.status = "deleted"
        cloud.flavors.pop(reservation.id, None)
        for server in cloud.servers_of(reservation.id):
            remove_server(cloud, server, now)
    cloud.note(now, "", "lease TERMINATED", lease.name)


def delete_lease(cloud: Cloud, lease: Lease, now: float, who: str) -> None:
    """End a lease, and forget it."""
    if lease.status != "TERMINATED":
        end_lease(cloud, lease, now)
    del cloud.leases[lease.id]
    cloud.note(now, who, "lease deleted", lease.name)


def add_server(cloud: Cloud, server: Server, port: Port, who: str) -> None:
    """A server that builds, and the port that Nova makes for it."""
    cloud.ports[port.id] = port
    cloud.servers[server.id] = server
    cloud.note(server.created, who, "server created", server.name)


def boot(cloud: Cloud, server: Server, now: float) -> None:
    """A server that was built runs, or could not be placed: without a reservation there is no host for it."""
    found = cloud.reservation(server.flavor.reservation)
    fits = found is not None and len(cloud.servers_of(found[1].id)) <= found[1].amount
    server.status = "ACTIVE" if fits and not cloud.troubles.no_valid_host else "ERROR"
    server.fault = "" if server.status == "ACTIVE" else NO_VALID_HOST
    cloud.note(now, "", f"server {server.status}", server.name)


def remove_server(cloud: Cloud, server: Server, now: float) -> None:
    """The server and its port are gone; its floating IP stays with the project, attached to nothing."""
    del cloud.servers[server.id]
    del cloud.ports[server.port]
    for address in cloud.floating_ips.values():
        if address.port == server.port:
            address.port = None
    cloud.note(now, "", "server gone", server.name)


def add_address(cloud: Cloud, project: str, address: str, now: float, who: str) -> FloatingIp:
    """A floating IP for a project."""
    floating = FloatingIp(project, address, cloud.network("public").id)
    cloud.floating_ips[floating.id] = floating
    cloud.note(now, who, "floating IP allocated", address)
    return floating


def release_address(cloud: Cloud, floating: FloatingIp, now: float, who: str) -> None:
    """A floating IP goes back to the pool, attached or not."""
    del cloud.floating_ips[floating.id]
    cloud.note(now, who, "floating IP released", floating.address)


def add_group(cloud: Cloud, group: Group, now: float, who: str) -> Group:
    """A security group; like every new one it lets all traffic out."""
    group.rules[:0] = [Rule("egress", ethertype=kind) for kind in ("IPv4", "IPv6")]
    cloud.groups[group.id] = group
    cloud.note(now, who, "security group created", group.name)
    return group


def delete_group(cloud: Cloud, group: Group, now: float, who: str) -> None:
    """A security group is gone, and from all ports."""
    del cloud.groups[group.id]
    for port in cloud.ports.values():
        port.groups.discard(group.id)
    cloud.note(now, who, "security group deleted", group.name)
