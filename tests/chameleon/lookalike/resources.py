"""The things a cloud has. What they show to the outside is in the modules of the services."""

import uuid
from dataclasses import dataclass, field

EVER = float("inf")


def new_id() -> str:
    """An id as Nova, Neutron, Glance and Blazar write it."""
    return str(uuid.uuid4())


def short_id() -> str:
    """An id as Keystone writes it."""
    return uuid.uuid4().hex


@dataclass
class Quotas:
    """How many of each a project may have."""

    instances: int = 30
    floating_ips: int = 50
    security_groups: int = 100


@dataclass
class Project:
    """A project, and what it may use."""

    name: str
    id: str = field(default_factory=short_id)
    quotas: Quotas = field(default_factory=Quotas)
    allocation_ends: float = EVER
    """Unix seconds; no lease may be longer."""
    service_units: float = 20_000
    """What is left of its allocation; a virtual machine takes one an hour."""


@dataclass
class User:
    """A person, and the projects that she is a member of."""

    name: str
    projects: list[str] = field(default_factory=list)
    id: str = field(default_factory=short_id)


@dataclass
class Flavor:
    """A size of server; one of a reservation is seen by the project that holds it, once the lease is active."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    description: str | None = None
    reservation: str | None = None
    seen_by: str | None = None


@dataclass
class Image:
    """A disk image."""

    name: str
    id: str = field(default_factory=new_id)


@dataclass
class Network:
    """A network that every project may use."""

    name: str
    external: bool = False
    id: str = field(default_factory=new_id)


@dataclass
class Reservation:
    """A number of servers of one flavor, as part of a lease."""

    flavor: str
    amount: int
    affinity: bool | None = None
    id: str = field(default_factory=new_id)
    status: str = "pending"


@dataclass
class Lease:
    """Servers that a project may have between two times."""

    name: str
    project: str
    user: str
    created: float
    starts: float
    ends: float
    reservations: list[Reservation]
    id: str = field(default_factory=new_id)
    status: str = "PENDING"


@dataclass
class Server:
    """A virtual machine."""

    name: str
    project: str
    user: str
    created: float
    flavor: Flavor
    image: str
    key: str | None
    port: str
    network: str
    id: str = field(default_factory=new_id)
    status: str = "BUILD"
    fault: str = ""
    deleted: float | None = None
    """When somebody asked for its deletion, which takes a moment."""


@dataclass
class Port:
    """Where a server meets a network."""

    project: str
    network: str
    server: str
    address: str
    groups: set[str] = field(default_factory=set)
    id: str = field(default_factory=new_id)
    subnet: str = field(default_factory=new_id)


@dataclass
class FloatingIp:
    """A public address that a project holds."""

    project: str
    address: str
    network: str
    port: str | None = None
    description: str = ""
    id: str = field(default_factory=new_id)


@dataclass
class Rule:
    """Traffic that a security group lets through."""

    direction: str = "ingress"
    protocol: str | None = None
    first: int | None = None
    last: int | None = None
    ethertype: str = "IPv4"
    remote: str | None = None
    id: str = field(default_factory=new_id)

    def opens(self, port: int) -> bool:
        """Whether everybody may connect to this TCP port."""
        covers = (self.first or 0) <= port <= (65535 if self.last is None else self.last)
        return self.direction == "ingress" and self.protocol in (None, "tcp") and covers and not self.remote


@dataclass
class Group:
    """A security group; everybody in the project sees it."""

    name: str
    project: str
    description: str = ""
    rules: list[Rule] = field(default_factory=list)
    id: str = field(default_factory=new_id)


@dataclass
class Keypair:
    """A user's public key."""

    name: str
    user: str
    public_key: str


@dataclass(frozen=True)
class Event:
    """Something that changed: when, who did it (empty: time), what, and what to."""

    at: float
    who: str
    what: str
    name: str
