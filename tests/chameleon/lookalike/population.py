"""Who is in the cloud before a notebook runs, and what they have: it must all be there afterwards."""

from dataclasses import dataclass

from tests.chameleon.lookalike.changes import add_address, add_group, add_server, advance
from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.resources import (
    Flavor,
    Group,
    Image,
    Keypair,
    Lease,
    Network,
    Port,
    Project,
    Reservation,
    Rule,
    Server,
    User,
)

HOUR = 3600.0
CLASSMATE, STRANGER = "classmate", "stranger"
OTHER_PROJECT = "CHI-240777"
FLAVORS = {
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.medium": (2, 4096, 40),
    "m1.large": (4, 8192, 40),
    "m1.xlarge": (8, 16384, 40),
    "m1.xxlarge": (16, 32768, 40),
}
IMAGES = ("CC-Ubuntu22.04", "CC-Ubuntu24.04", "CC-Ubuntu24.04-CUDA")
A_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk5vPzyh1cHj5wPZtsGZ1FDPGc1H7Yf1nq2jhZV9bqk other"


@dataclass(frozen=True)
class Names:
    """What the student's things are called in the notebooks; the starting states use the same names."""

    user: str = "student"
    project: str = "CHI-251409"
    flavor: str = "m1.xlarge"
    image: str = "CC-Ubuntu24.04"
    lease: str = "lease-data-student"
    server: str = "node-data-student"
    group: str = "allow-{port}"
    ports: tuple[int, ...] = (22, 8888, 8000, 8080)
    key: str = "student-jupyter"
    public_key: str = A_KEY


def populated(names: Names, now: float) -> Cloud:
    """A cloud with two projects, in which others have servers; the student has nothing yet."""
    cloud = Cloud()
    _furnish(cloud)
    ours, theirs = _add_project(cloud, names.project), _add_project(cloud, OTHER_PROJECT)
    _add_user(cloud, names.user, ours)
    for user, project in ((CLASSMATE, ours), (STRANGER, theirs)):
        _add_user(cloud, user, project)
        group = add_group(cloud, Group("allow-ssh", project.id, "TCP 22", [_opening(22)]), now, user)
        server = add_node(cloud, Names(user, project.name, lease=f"lease-data-{user}", server=f"node-data-{user}"), now)
        cloud.ports[server.port].groups.add(group.id)
        give_address(cloud, server, now)
    cloud.audit.clear()
    return cloud


def _furnish(cloud: Cloud) -> None:
    for number, (name, size) in enumerate(FLAVORS.items(), 1):
        cloud.flavors[str(number)] = Flavor(str(number), name, *size)
    for image in map(Image, IMAGES):
        cloud.images[image.id] = image
    for network in (Network("public", external=True), Network("sharednet1")):
        cloud.networks[network.id] = network


def _add_project(cloud: Cloud, name: str) -> Project:
    project = Project(name)
    cloud.projects[project.id] = project
    add_group(cloud, Group("default", project.id, "Default security group"), 0, "")
    return project


def _add_user(cloud: Cloud, name: str, project: Project) -> None:
    user = User(name, [project.id])
    cloud.users[user.id] = user


def _opening(port: int) -> Rule:
    return Rule("ingress", "tcp", port, port)


def add_lease(cloud: Cloud, names: Names, now: float, ends: float | None = None) -> Lease:
    """An active lease of one server, from an hour ago until seven hours from now; or one that has ended."""
    flavor = cloud.flavor(names.flavor).id
    project, user = cloud.project(names.project).id, cloud.user(names.user).id
    ends = now + 7 * HOUR if ends is None else ends
    starts = min(now, ends) - HOUR
    lease = Lease(names.lease, project, user, starts, starts, ends, [Reservation(flavor, 1)])
    cloud.leases[lease.id] = lease
    advance(cloud, now)
    return lease


def add_node(cloud: Cloud, names: Names, now: float) -> Server:
    """A lease, and a server that runs on it since half an hour."""
    flavor = cloud.flavors[add_lease(cloud, names, now).reservations[0].id]
    project, user = cloud.project(names.project), cloud.user(names.user)
    if not cloud.keypair(user.id, names.key):
        cloud.keypairs.append(Keypair(names.key, user.id, names.public_key))
    image = next(one.id for one in cloud.images.values() if one.name == names.image)
    default = next(one.id for one in cloud.groups.values() if (one.project, one.name) == (project.id, "default"))
    network = cloud.network("sharednet1").id
    port = Port(project.id, network, "", cloud.fixed_address(), {default})
    server = Server(names.server, project.id, user.id, now - HOUR / 2, flavor, image, names.key, port.id, network)
    port.server = server.id
    add_server(cloud, server, port, names.user)
    advance(cloud, now)
    return server


def give_address(cloud: Cloud, server: Server, now: float) -> str:
    """A floating IP for a server."""
    floating = add_address(cloud, server.project, next(cloud.free_addresses()), now, "")
    floating.port, floating.description = server.port, server.name
    return floating.address


def add_groups(cloud: Cloud, names: Names, server: Server | None, now: float) -> None:
    """The security groups that the notebook makes, one for each port, attached to the server if there is one."""
    for port in names.ports:
        name = names.group.format(port=port)
        group = add_group(
            cloud, Group(name, cloud.project(names.project).id, f"TCP {port}", [_opening(port)]), now, names.user
        )
        if server:
            cloud.ports[server.port].groups.add(group.id)
