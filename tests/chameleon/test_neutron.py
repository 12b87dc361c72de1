"""Networks, floating IPs and security groups over HTTP."""

from typing import Any

import httpx
import pytest

from tests.chameleon.lookalike.population import CLASSMATE, OTHER_PROJECT
from tests.chameleon.small_cloud import NAMES, SmallCloud, message

NETWORKS = "/network/v2.0/networks"
FLOATING = "/network/v2.0/floatingips"
GROUPS = "/network/v2.0/security-groups"
RULES = "/network/v2.0/security-group-rules"


def wanted(small: SmallCloud, network: str = "public") -> dict[str, Any]:
    return {"floatingip": {"floating_network_id": small.world.cloud.network(network).id}}


def rule(group: str, port: int = 22, **more: Any) -> dict[str, Any]:
    asked = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    return {"security_group_rule": asked | {"port_range_min": port, "port_range_max": port} | more}


async def held(client: httpx.AsyncClient) -> list[str]:
    return sorted(one["floating_ip_address"] for one in (await client.get(FLOATING)).json()["floatingips"])


async def new_group(client: httpx.AsyncClient, name: str = "allow-22") -> str:
    answer = await client.post(GROUPS, json={"security_group": {"name": name, "description": None}})
    assert answer.status_code == 201
    return str(answer.json()["security_group"]["id"])


async def test_networks_by_id_and_by_name(small: SmallCloud, student: httpx.AsyncClient) -> None:
    every = (await student.get(NETWORKS)).json()["networks"]
    assert {one["name"]: one["router:external"] for one in every} == {"public": True, "sharednet1": False}
    one = (await student.get(NETWORKS, params={"name": "public"})).json()["networks"]
    assert [one["id"] for one in one] == [small.world.cloud.network("public").id]
    by_name = await student.get(f"{NETWORKS}/sharednet1")
    words = "Network sharednet1 could not be found."
    assert by_name.json() == {"NeutronError": {"type": "NetworkNotFound", "message": words, "detail": ""}}


async def test_an_address_is_held_attached_detached_and_released(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_and_server")
    server = next(one for one in small.world.cloud.servers.values() if one.name == NAMES.server)
    ports = (await student.get("/network/v2.0/ports", params={"device_id": server.id})).json()["ports"]
    assert [one["id"] for one in ports] == [server.port]
    floating = (await student.post(FLOATING, json=wanted(small))).json()["floatingip"]
    assert (floating["status"], floating["port_id"]) == ("DOWN", None)
    path = f"{FLOATING}/{floating['id']}"
    for port, status in ((server.port, "ACTIVE"), (None, "DOWN"), (server.port, "ACTIVE")):
        shown = (await student.put(path, json={"floatingip": {"port_id": port}})).json()["floatingip"]
        assert (shown["status"], shown["port_id"]) == (status, port)
    assert (await student.get(path)).json()["floatingip"]["fixed_ip_address"] == ports[0]["fixed_ips"][0]["ip_address"]
    assert (await student.delete(path)).status_code == 204
    assert (await student.get(path)).status_code == 404
    assert await held(student) == ["203.0.113.10"]


async def test_addresses_and_ports_of_other_projects_are_not_there(
    small: SmallCloud, student: httpx.AsyncClient
) -> None:
    cloud = small.world.cloud
    theirs = next(one for one in cloud.floating_ips.values() if one.address == "203.0.113.11")
    path = f"{FLOATING}/{theirs.id}"
    for answer in (
        await student.get(path),
        await student.delete(path),
        await student.put(path, json={"floatingip": {"port_id": None}}),
    ):
        assert (answer.status_code, message(answer)) == (404, f"Floating IP {theirs.id} could not be found")
    mine = (await student.post(FLOATING, json=wanted(small))).json()["floatingip"]["id"]
    answer = await student.put(f"{FLOATING}/{mine}", json={"floatingip": {"port_id": theirs.port}})
    assert (answer.status_code, message(answer)) == (404, f"Port {theirs.port} could not be found.")
    assert (await student.get("/network/v2.0/ports", params={"device_id": "none"})).json() == {"ports": []}
    assert len((await student.get("/network/v2.0/ports")).json()["ports"]) == 1


async def test_addresses_of_classmates_are_the_projects(small: SmallCloud, student: httpx.AsyncClient) -> None:
    async with small.asked_by(CLASSMATE) as classmate:
        assert await held(classmate) == await held(student) == ["203.0.113.10"]


@pytest.mark.parametrize(
    ("scenario", "kind", "words"),
    [
        ("no_floating_ip", "IpAddressGenerationFailure", "No more IP addresses available on network {network}."),
        ("quota_floating_ips", "OverQuota", "Quota exceeded for resources: ['floatingip']."),
    ],
)
async def test_there_is_no_address(
    small: SmallCloud, student: httpx.AsyncClient, scenario: str, kind: str, words: str
) -> None:
    small.set(scenario)
    answer = await student.post(FLOATING, json=wanted(small))
    error = answer.json()["NeutronError"]
    network = small.world.cloud.network("public").id
    assert (answer.status_code, error["type"], error["message"]) == (409, kind, words.format(network=network))


async def test_an_address_is_of_an_external_network(small: SmallCloud, student: httpx.AsyncClient) -> None:
    answer = await student.post(FLOATING, json=wanted(small, "sharednet1"))
    assert (answer.status_code, "is not a valid external network" in message(answer)) == (400, True)


async def test_a_group_and_its_rules(student: httpx.AsyncClient) -> None:
    id = await new_group(student)
    assert (await student.post(RULES, json=rule(id))).status_code == 201
    assert (await student.post(RULES, json=rule(id, remote_ip_prefix="10.0.0.0/8"))).status_code == 201
    shown = (await student.get(f"{GROUPS}/{id}")).json()["security_group"]
    rules = [(one["direction"], one["port_range_min"]) for one in shown["security_group_rules"]]
    assert rules == [("egress", None), ("egress", None), ("ingress", 22), ("ingress", 22)]
    assert len((await student.get(RULES, params={"security_group_id": id})).json()["security_group_rules"]) == 4
    again = await student.post(RULES, json=rule(id, remote_ip_prefix="0.0.0.0/0"))
    assert again.json()["NeutronError"]["type"] == "SecurityGroupRuleExists"
    assert (await student.delete(f"{GROUPS}/{id}")).status_code == 204
    assert (await student.get(f"{GROUPS}/{id}")).status_code == 404


async def test_groups_are_shared_by_the_project_and_hidden_from_others(
    small: SmallCloud, student: httpx.AsyncClient
) -> None:
    id = await new_group(student)
    async with small.asked_by(CLASSMATE) as classmate, small.asked_by("stranger", OTHER_PROJECT) as stranger:
        for client, names in ((classmate, ["allow-22", "allow-ssh", "default"]), (stranger, ["allow-ssh", "default"])):
            groups = (await client.get(GROUPS)).json()["security_groups"]
            assert sorted(one["name"] for one in groups) == names
        for answer in (await stranger.delete(f"{GROUPS}/{id}"), await stranger.post(RULES, json=rule(id))):
            assert (answer.status_code, message(answer)) == (404, f"Security group {id} does not exist")
        assert (await classmate.delete(f"{GROUPS}/{id}")).status_code == 204


async def test_groups_may_have_the_same_name(student: httpx.AsyncClient) -> None:
    assert await new_group(student) != await new_group(student)


async def test_a_group_in_use_stays(student: httpx.AsyncClient) -> None:
    groups = (await student.get(GROUPS, params={"name": "allow-ssh"})).json()["security_groups"]
    answer = await student.delete(f"{GROUPS}/{groups[0]['id']}")
    assert (answer.status_code, message(answer)) == (409, f"Security Group {groups[0]['id']} in use.")


async def test_the_quota_of_groups(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("quota_security_groups")
    answer = await student.post(GROUPS, json={"security_group": {"name": "one too many"}})
    error = answer.json()["NeutronError"]
    words = "Quota exceeded for resources: ['security_group']."
    assert (answer.status_code, error["type"], error["message"]) == (409, "OverQuota", words)
