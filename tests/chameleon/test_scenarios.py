"""Scenarios, the faults of the gate, and the control from outside."""

from typing import Any

import httpx
import pytest

from tests.chameleon.lookalike.faults import UNAVAILABLE
from tests.chameleon.lookalike.population import HOUR
from tests.chameleon.lookalike.scenarios import SCENARIOS
from tests.chameleon.lookalike.stage import FAILURES
from tests.chameleon.lookalike.starting_states import everything
from tests.chameleon.results import Result
from tests.chameleon.small_cloud import NAMES, SmallCloud

PROBES = {
    "nova": "/compute/v2.1/servers/detail",
    "blazar": "/reservation/v1/leases",
    "neutron": "/network/v2.0/networks",
    "glance": "/image/v2/images",
    "reference": "/reference/sites.json",
}


def ours(small: SmallCloud) -> dict[str, Any]:
    project: dict[str, Any] = small.world.cloud.picture()["by_project"][NAMES.project]
    return project


def test_every_scenario_can_be_set_and_says_what_it_is(small: SmallCloud) -> None:
    for name, set_up in SCENARIOS.items():
        SmallCloud(small.folder).set(name)
        assert set_up.__doc__, name


def test_an_unknown_scenario_is_an_error(small: SmallCloud) -> None:
    with pytest.raises(KeyError, match="lunch_break"):
        small.set("nothing+lunch_break")


def test_the_cloud_is_populated_from_the_start(small: SmallCloud) -> None:
    assert small.world.cloud.picture()["by_project"] == {
        NAMES.project: {
            "leases": {"lease-data-classmate": "ACTIVE"},
            "servers": {"node-data-classmate": "ACTIVE"},
            "floating_ips": {"203.0.113.10": "node-data-classmate"},
            "groups": {"default": [], "allow-ssh": [22]},
        },
        "CHI-240777": {
            "leases": {"lease-data-stranger": "ACTIVE"},
            "servers": {"node-data-stranger": "ACTIVE"},
            "floating_ips": {"203.0.113.11": "node-data-stranger"},
            "groups": {"default": [], "allow-ssh": [22]},
        },
    }


@pytest.mark.parametrize(
    ("scenario", "leases", "servers", "addresses", "groups"),
    [
        ("lease_only", ["ACTIVE"], [], {}, {}),
        ("lease_and_server", ["ACTIVE"], ["ACTIVE"], {}, {}),
        ("everything_but_address", ["ACTIVE"], ["ACTIVE"], {}, {"allow-22": [22], "allow-8888": [8888]}),
        ("everything", ["ACTIVE"], ["ACTIVE"], {"203.0.113.12": NAMES.server}, {"allow-22": [22]}),
        ("server_gone", ["ACTIVE"], [], {"203.0.113.12": None}, {}),
        ("group_without_rule", [], [], {}, {"allow-22": []}),
        ("lease_ended", ["TERMINATED"], [], {}, {}),
        ("spare_address", [], [], {"203.0.113.12": None}, {}),
    ],
)
def test_starting_states(
    small: SmallCloud,
    scenario: str,
    leases: list[str],
    servers: list[str],
    addresses: dict[str, str | None],
    groups: dict[str, list[int]],
) -> None:
    small.set(scenario)
    cloud, project = small.world.cloud, ours(small)
    assert [one.status for one in cloud.leases.values() if one.name == NAMES.lease] == leases
    assert [one.status for one in cloud.servers.values() if one.name == NAMES.server] == servers
    assert {address: holder for address, holder in project["floating_ips"].items() if address != "203.0.113.10"} == (
        addresses
    )
    assert groups.items() <= project["groups"].items()


def test_two_of_each(small: SmallCloud) -> None:
    small.set("two_servers")
    cloud = small.world.cloud
    assert [one.status for one in cloud.servers.values() if one.name == NAMES.server] == ["ACTIVE"] * 2
    assert [one.status for one in cloud.leases.values() if one.name == NAMES.lease] == ["ACTIVE"] * 2


@pytest.mark.parametrize("service", PROBES)
async def test_a_service_that_is_down_answers_as_the_proxy_before_it(
    small: SmallCloud, student: httpx.AsyncClient, service: str
) -> None:
    small.set(f"service_down:{service}")
    for other, path in PROBES.items():
        answer = await student.get(path)
        assert answer.status_code == (503 if other == service else 200)
        assert (answer.text == UNAVAILABLE) is (other == service)


async def test_a_service_that_is_down_for_two_requests(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("service_blips:neutron")
    assert [(await student.get(PROBES["neutron"])).status_code for _ in range(4)] == [503, 503, 200, 200]


async def test_a_token_that_wears_off(small: SmallCloud) -> None:
    small.set("token_expired:3")
    async with small.asked_by() as client:
        assert [(await client.get(PROBES["nova"])).status_code for _ in range(5)] == [200, 200, 200, 401, 401]
    async with small.asked_by() as client:
        assert (await client.get(PROBES["nova"])).status_code == 200


async def test_calm_ends_all_failures(small: SmallCloud, student: httpx.AsyncClient) -> None:
    before = small.world.cloud
    small.set("+".join(FAILURES.keys() - {"calm"}))
    small.set("calm")
    fresh = SmallCloud(small.folder).world.cloud
    assert (before.delays, before.troubles, before.capacity) == (fresh.delays, fresh.troubles, fresh.capacity)
    assert before.project(NAMES.project).quotas == fresh.project(NAMES.project).quotas
    assert len(before.user(NAMES.user).projects) == 1
    assert {(await student.get(path)).status_code for path in PROBES.values()} == {200}


async def test_control_from_outside(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.world.cloud.troubles.ssh = "refused"  # no node is to listen in this test
    await student.post("/lookalike/scenario", json={"name": "everything"})
    assert NAMES.server in ours(small)["servers"]
    changed = (await student.post("/lookalike/remove", json={"kind": "server", "name": NAMES.server})).json()
    assert changed["by_project"][NAMES.project]["floating_ips"] == {
        "203.0.113.10": "node-data-classmate",
        "203.0.113.12": None,
    }
    for kind, name in (("floating_ip", "203.0.113.12"), ("group", "allow-22"), ("lease", NAMES.lease)):
        assert (await student.post("/lookalike/remove", json={"kind": kind, "name": name})).status_code == 200
    assert ours(small)["leases"] == {"lease-data-classmate": "ACTIVE"}
    assert "allow-22" not in ours(small)["groups"]
    later = (await student.post("/lookalike/time", json={"seconds": 8 * HOUR})).json()
    assert later["by_project"][NAMES.project]["leases"] == {"lease-data-classmate": "TERMINATED"}
    assert (await student.get("/lookalike/commands")).json() == {"commands": [], "sessions": []}
    assert (await student.get("/lookalike/requests")).json() == []


async def test_control_says_what_it_does_not_know(student: httpx.AsyncClient) -> None:
    answer = await student.post("/lookalike/scenario", json={"name": "lunch_break"})
    assert (answer.status_code, everything.__name__ in answer.text) == (404, True)
    answer = await student.post("/lookalike/remove", json={"kind": "lunch", "name": "soup"})
    assert (answer.status_code, "expected one of server, lease" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("kind", "name", "damage"),
    [
        ("server", NAMES.server, []),
        ("lease", NAMES.lease, []),
        ("floating_ip", "203.0.113.12", []),
        ("group", "allow-22", []),
        (
            "server",
            "node-data-classmate",
            ["floating_ips: 203.0.113.10", "ports: 10.56.0.4", "servers: node-data-classmate"],
        ),
        ("floating_ip", "203.0.113.10", ["floating_ips: 203.0.113.10"]),
        (
            "lease",
            "lease-data-stranger",
            [
                "floating_ips: 203.0.113.11",
                "leases: lease-data-stranger",
                "ports: 10.56.0.5",
                "servers: node-data-stranger",
            ],
        ),
        ("group", "allow-ssh", ["groups: allow-ssh", "groups: allow-ssh", "ports: 10.56.0.4", "ports: 10.56.0.5"]),
    ],
)
async def test_damage_to_what_is_others_is_seen(
    small: SmallCloud, student: httpx.AsyncClient, kind: str, name: str, damage: list[str]
) -> None:
    small.world.cloud.troubles.ssh = "refused"
    small.set("everything")
    before = small.world.cloud.picture()
    after = (await student.post("/lookalike/remove", json={"kind": kind, "name": name})).json()
    assert Result([], after, before, [], [], []).damage == damage
