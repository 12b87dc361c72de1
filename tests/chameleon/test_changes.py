"""What time brings about, without HTTP."""

import pytest

from tests.chameleon.lookalike import changes, population
from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.population import HOUR, Names
from tests.chameleon.lookalike.resources import Lease, Reservation, Rule
from tests.chameleon.small_cloud import NAMES, NOW


@pytest.fixture
def cloud() -> Cloud:
    return population.populated(NAMES, NOW)


def new_lease(cloud: Cloud, hours: float = 8) -> Lease:
    user, project = cloud.user(NAMES.user).id, cloud.project(NAMES.project).id
    reservation = Reservation(cloud.flavor("m1.xlarge").id, 1)
    lease = Lease(NAMES.lease, project, user, NOW, NOW, NOW + hours * HOUR, [reservation])
    cloud.leases[lease.id] = lease
    return lease


def test_a_lease_becomes_active_after_its_delay_and_ends_at_its_end(cloud: Cloud) -> None:
    lease = new_lease(cloud)
    seen = []
    for seconds in (0, cloud.delays.lease - 0.01, cloud.delays.lease, 8 * HOUR - 1, 8 * HOUR):
        changes.advance(cloud, NOW + seconds)
        seen.append((lease.status, lease.reservations[0].id in cloud.flavors))
    assert seen == [
        ("PENDING", False),
        ("PENDING", False),
        ("ACTIVE", True),
        ("ACTIVE", True),
        ("TERMINATED", False),
    ]
    assert lease.id in cloud.leases


def test_a_lease_that_starts_later_waits(cloud: Cloud) -> None:
    lease = new_lease(cloud)
    lease.starts += HOUR
    changes.advance(cloud, NOW + HOUR - 1)
    assert lease.status == "PENDING"
    changes.advance(cloud, NOW + HOUR)
    assert lease.status == "ACTIVE"


def test_a_lease_that_never_started_ends_all_the_same(cloud: Cloud) -> None:
    cloud.delays.lease = float("inf")
    lease = new_lease(cloud)
    changes.advance(cloud, NOW + 8 * HOUR)
    assert lease.status == "TERMINATED"


def test_the_end_of_a_lease_takes_the_server_and_leaves_the_address(cloud: Cloud) -> None:
    server = population.add_node(cloud, NAMES, NOW)
    address = population.give_address(cloud, server, NOW)
    others = [one.id for one in cloud.servers.values() if one.id != server.id]
    changes.end_lease(cloud, next(one for one in cloud.leases.values() if one.name == NAMES.lease), NOW)
    assert list(cloud.servers) == others
    assert server.port not in cloud.ports
    assert [(one.address, one.port) for one in cloud.floating_ips.values() if one.address == address] == [
        (address, None)
    ]


def test_the_reserved_flavor_is_seen_by_its_project_only_and_looks_like_its_source(cloud: Cloud) -> None:
    lease = new_lease(cloud)
    changes.advance(cloud, NOW + 10)
    flavor = cloud.flavors[lease.reservations[0].id]
    assert (flavor.seen_by, flavor.ram) == (lease.project, cloud.flavor("m1.xlarge").ram)
    assert flavor.name == f"reservation:{lease.reservations[0].id}"


def test_a_server_boots_after_its_delay(cloud: Cloud) -> None:
    server = population.add_node(cloud, NAMES, NOW)
    server.status, server.created = "BUILD", NOW
    changes.advance(cloud, NOW + cloud.delays.boot - 0.01)
    assert server.status == "BUILD"
    changes.advance(cloud, NOW + cloud.delays.boot)
    assert server.status == "ACTIVE"


@pytest.mark.parametrize("why", ["no host", "no reservation", "reservation is full"])
def test_a_server_that_finds_no_host_is_an_error(cloud: Cloud, why: str) -> None:
    server = population.add_node(cloud, NAMES, NOW)
    server.status, server.created = "BUILD", NOW
    cloud.troubles.no_valid_host = why == "no host"
    if why == "no reservation":
        server.flavor = cloud.flavor("m1.xlarge")
    if why == "reservation is full":
        lease = next(one for one in cloud.leases.values() if one.name == NAMES.lease)
        lease.reservations[0].amount = 0
    changes.advance(cloud, NOW + 10)
    assert (server.status, server.fault) == ("ERROR", changes.NO_VALID_HOST)


def test_a_deleted_server_is_gone_a_moment_later(cloud: Cloud) -> None:
    server = population.add_node(cloud, NAMES, NOW)
    server.deleted = NOW
    changes.advance(cloud, NOW + cloud.delays.delete - 0.01)
    assert server.id in cloud.servers
    changes.advance(cloud, NOW + cloud.delays.delete)
    assert server.id not in cloud.servers


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        (Rule("ingress", "tcp", 22, 22), True),
        (Rule("ingress", "tcp", 1, 65535), True),
        (Rule("ingress", None), True),
        (Rule("ingress", "tcp"), True),
        (Rule("egress", "tcp", 22, 22), False),
        (Rule("ingress", "udp", 22, 22), False),
        (Rule("ingress", "tcp", 80, 80), False),
        (Rule("ingress", "tcp", 22, 22, remote="10.0.0.0/8"), False),
    ],
)
def test_what_opens_port_22(rule: Rule, opens: bool) -> None:
    assert rule.opens(22) is opens


def test_addresses_are_given_once(cloud: Cloud) -> None:
    server = population.add_node(cloud, NAMES, NOW)
    for _ in range(20):
        population.give_address(cloud, server, NOW)
    addresses = [one.address for one in cloud.floating_ips.values()]
    assert len(set(addresses)) == len(addresses) == 22
    population.add_node(cloud, Names(server="second"), NOW)
    fixed = [one.address for one in cloud.ports.values()]
    assert len(set(fixed)) == len(fixed) == 4
