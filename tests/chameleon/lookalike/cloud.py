"""All of a cloud's state in one place. No HTTP here."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chameleon.lookalike.resources import (
    Event,
    Flavor,
    FloatingIp,
    Group,
    Image,
    Keypair,
    Lease,
    Network,
    Port,
    Project,
    Reservation,
    Server,
    User,
)


@dataclass
class Delays:
    """Seconds that things take; a real cloud needs a minute or more for each."""

    lease: float = 1.0
    boot: float = 2.0
    delete: float = 1.0


@dataclass
class Troubles:
    """What goes wrong inside the cloud, apart from quotas and capacity, which are figures of their own."""

    leases_fail: bool = False
    no_valid_host: bool = False
    ssh: str = "open"
    """`open`, `refused` (nothing answers on port 22) or `denied` (no key is accepted)."""


@dataclass
class Cloud:
    """Everything, by id."""

    region: str = "KVM@TACC"
    address_prefix: str = "203.0.113."
    """Of floating IPs."""
    addresses: int = 240
    """How many floating IPs there are for all projects."""
    delays: Delays = field(default_factory=Delays)
    troubles: Troubles = field(default_factory=Troubles)
    capacity: int = 100
    """How many servers can be reserved at a time, by all projects."""
    docker_installed: bool = False
    """Whether nodes have Docker from the start."""

    projects: dict[str, Project] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    flavors: dict[str, Flavor] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    ports: dict[str, Port] = field(default_factory=dict)
    floating_ips: dict[str, FloatingIp] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    keypairs: list[Keypair] = field(default_factory=list)
    audit: list[Event] = field(default_factory=list)

    def project(self, name: str) -> Project:
        """The project of this name."""
        return next(one for one in self.projects.values() if one.name == name)

    def user(self, name: str) -> User:
        """The user of this name."""
        return next(one for one in self.users.values() if one.name == name)

    def network(self, name: str) -> Network:
        """The network of this name."""
        return next(one for one in self.networks.values() if one.name == name)

    def flavor(self, name: str) -> Flavor:
        """The flavor of this name."""
        return next(one for one in self.flavors.values() if one.name == name)

    def keypair(self, user: str, name: str | None) -> Keypair | None:
        """A user's key pair, if there is one of this name."""
        return next((one for one in self.keypairs if (one.user, one.name) == (user, name)), None)

    def reservation(self, id: str | None) -> tuple[Lease, Reservation] | None:
        """A reservation and its lease."""
        found = ((lease, one) for lease in self.leases.values() for one in lease.reservations if one.id == id)
        return next(found, None)

    def servers_of(self, reservation: str) -> list[Server]:
        """The servers that use a reservation."""
        return [one for one in self.servers.values() if one.flavor.reservation == reservation]

    def address_of(self, server: Server) -> str | None:
        """The floating IP of a server, if it has one."""
        return next((one.address for one in self.floating_ips.values() if one.port == server.port), None)

    def groups_of(self, server: Server) -> list[Group]:
        """The security groups of a server, by name."""
        groups = [self.groups[one] for one in self.ports[server.port].groups if one in self.groups]
        return sorted(groups, key=lambda one: one.name)

    def opens(self, server: Server, port: int) -> bool:
        """Whether a security group of the server lets everybody connect to this port."""
        return any(rule.opens(port) for group in self.groups_of(server) for rule in group.rules)

    def free_addresses(self) -> Iterator[str]:
        """Addresses that no project holds."""
        taken = {one.address for one in self.floating_ips.values()}
        every = (f"{self.address_prefix}{number}" for number in range(10, 10 + self.addresses))
        return (one for one in every if one not in taken)

    def fixed_address(self) -> str:
        """An address inside the cloud that no port has."""
        taken = {one.address for one in self.ports.values()}
        every = (f"10.56.{number // 250}.{number % 250 + 4}" for number in range(60_000))
        return next(one for one in every if one not in taken)

    def note(self, at: float, who: str, what: str, name: str) -> None:
        """Write something down that has changed."""
        self.audit.append(Event(at, who, what, name))

    def picture(self) -> dict[str, Any]:
        """All of it as plain values, for a test to look at and to compare; `by_project` is the shorter view."""
        kinds = ("leases", "servers", "ports", "floating_ips", "groups", "flavors", "images", "networks", "users")
        every = {kind: [_plain(one) for one in getattr(self, kind).values()] for kind in kinds}
        return every | {
            "keypairs": [_plain(one) for one in self.keypairs],
            "audit": [_plain(one) for one in self.audit],
            "by_project": {one.name: self._belongings(one) for one in self.projects.values()},
        }

    def _belongings(self, project: Project) -> dict[str, Any]:
        def mine(kind: str) -> list[Any]:
            return [one for one in getattr(self, kind).values() if one.project == project.id]

        return {
            "leases": {one.name: one.status for one in mine("leases")},
            "servers": {one.name: one.status for one in mine("servers")},
            "floating_ips": {one.address: self._holder(one) for one in mine("floating_ips")},
            "groups": {one.name: sorted({rule.first for rule in one.rules if rule.first}) for one in mine("groups")},
        }

    def _holder(self, address: FloatingIp) -> str | None:
        return next((one.name for one in self.servers.values() if one.port == address.port), None)


def _plain(one: Any) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, set) else value for name, value in asdict(one).items()}
