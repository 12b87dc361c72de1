"""Servers, flavors and key pairs over HTTP."""

from typing import Any

import httpx
import pytest

from tests.chameleon.lookalike import changes, population
from tests.chameleon.lookalike.population import A_KEY, CLASSMATE, OTHER_PROJECT
from tests.chameleon.small_cloud import NAMES, NOW, SmallCloud, message

SERVERS = "/compute/v2.1/servers"
KEYPAIRS = "/compute/v2.1/os-keypairs"


def server(small: SmallCloud, **more: Any) -> dict[str, Any]:
    """The body for a server on the student's lease, which must be there."""
    cloud = small.world.cloud
    lease = next(one for one in cloud.leases.values() if one.name == NAMES.lease)
    image = next(one.id for one in cloud.images.values() if one.name == NAMES.image)
    network = cloud.network("sharednet1").id
    asked = {"name": NAMES.server, "flavorRef": lease.reservations[0].id, "imageRef": image, "key_name": None}
    return {"server": asked | {"networks": [{"uuid": network}]} | more}


async def shown(client: httpx.AsyncClient, id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"{SERVERS}/{id}")).json()["server"]
    return answer


async def names(client: httpx.AsyncClient) -> list[str]:
    return sorted(one["name"] for one in (await client.get(f"{SERVERS}/detail")).json()["servers"])


async def test_a_server_builds_runs_and_is_deleted(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_only")
    id = (await student.post(SERVERS, json=server(small))).json()["server"]["id"]
    building = await shown(student, id)
    assert (building["status"], building["OS-EXT-STS:task_state"], building["addresses"]) == ("BUILD", "spawning", {})
    small.move(10)
    running = await shown(student, id)
    assert (running["status"], running["flavor"]["vcpus"], running["security_groups"]) == (
        *("ACTIVE", 8),
        [{"name": "default"}],
    )
    assert [one["OS-EXT-IPS:type"] for one in running["addresses"]["sharednet1"]] == ["fixed"]
    assert (await student.delete(f"{SERVERS}/{id}")).status_code == 204
    assert (await shown(student, id))["OS-EXT-STS:task_state"] == "deleting"
    small.move(10)
    assert (await student.get(f"{SERVERS}/{id}")).status_code == 404
    assert await names(student) == ["node-data-classmate"]


async def test_a_server_with_an_address_shows_it(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("everything")
    servers = (await student.get(f"{SERVERS}/detail")).json()["servers"]
    addresses = next(one for one in servers if one["name"] == NAMES.server)["addresses"]["sharednet1"]
    assert [(one["OS-EXT-IPS:type"], one["addr"]) for one in addresses] == [
        ("fixed", "10.56.0.6"),
        ("floating", "203.0.113.12"),
    ]


async def test_servers_of_other_projects_are_not_there(small: SmallCloud, student: httpx.AsyncClient) -> None:
    cloud = small.world.cloud
    id = next(one.id for one in cloud.servers.values() if one.name == "node-data-stranger")
    assert await names(student) == ["node-data-classmate"]
    group = {"addSecurityGroup": {"name": "allow-ssh"}}
    for answer in (
        await student.get(f"{SERVERS}/{id}"),
        await student.delete(f"{SERVERS}/{id}"),
        await student.post(f"{SERVERS}/{id}/action", json=group),
    ):
        assert (answer.status_code, message(answer)) == (404, f"Instance {id} could not be found.")
    assert cloud.servers[id].deleted is None


async def test_the_quota_of_instances(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_only+quota_instances")
    answer = await student.post(SERVERS, json=server(small))
    words = "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    assert (answer.status_code, answer.json()) == (403, {"forbidden": {"code": 403, "message": words}})


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"flavorRef": "none"}, 404, "Flavor none could not be found."),
        ({"imageRef": "none"}, 400, "Invalid imageRef provided: image none could not be found."),
        ({"key_name": "none"}, 400, "Invalid key_name provided."),
        ({"networks": [{"uuid": "none"}]}, 400, "Network none could not be found."),
        ({"networks": []}, 400, "Network None could not be found."),
    ],
)
async def test_a_server_that_makes_no_sense(
    small: SmallCloud, student: httpx.AsyncClient, more: dict[str, Any], status: int, words: str
) -> None:
    small.set("lease_only")
    answer = await student.post(SERVERS, json=server(small, **more))
    assert (answer.status_code, message(answer)) == (status, words)


async def test_nobody_uses_the_reservation_of_another_project(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_only")
    lease = next(one for one in small.world.cloud.leases.values() if one.name == "lease-data-stranger")
    answer = await student.post(SERVERS, json=server(small, flavorRef=lease.reservations[0].id))
    assert answer.status_code == 404


async def test_a_server_without_a_host_says_so(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_only+server_error")
    id = (await student.post(SERVERS, json=server(small))).json()["server"]["id"]
    small.move(10)
    failed = await shown(student, id)
    assert (failed["status"], failed["fault"]["message"]) == ("ERROR", changes.NO_VALID_HOST)
    assert failed["addresses"] == {}


async def test_security_groups_come_and_go(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_and_server")
    id = next(one.id for one in small.world.cloud.servers.values() if one.name == NAMES.server)
    for action in ("addSecurityGroup", "addSecurityGroup"):
        assert (await student.post(f"{SERVERS}/{id}/action", json={action: {"name": "allow-ssh"}})).status_code == 202
    assert (await shown(student, id))["security_groups"] == [{"name": "allow-ssh"}, {"name": "default"}]
    await student.post(f"{SERVERS}/{id}/action", json={"removeSecurityGroup": {"name": "allow-ssh"}})
    assert (await shown(student, id))["security_groups"] == [{"name": "default"}]


async def test_security_groups_that_are_not_one(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.set("lease_and_server+group_without_rule+group_without_rule")
    id = next(one.id for one in small.world.cloud.servers.values() if one.name == NAMES.server)
    project = small.world.cloud.project(NAMES.project).id
    for name, status, words in (
        ("none", 404, f"Security group none not found for project {project}."),
        ("allow-22", 409, "Multiple security_groups matches found for name 'allow-22', use an ID to be more specific."),
    ):
        answer = await student.post(f"{SERVERS}/{id}/action", json={"addSecurityGroup": {"name": name}})
        assert (answer.status_code, message(answer)) == (status, words)
    assert (await student.post(f"{SERVERS}/{id}/action", json={"reboot": {}})).status_code == 400


async def test_a_key_pair_is_a_users_own(small: SmallCloud, student: httpx.AsyncClient) -> None:
    body = {"keypair": {"name": NAMES.key, "public_key": A_KEY}}
    assert (await student.post(KEYPAIRS, json=body)).status_code == 201
    again = await student.post(KEYPAIRS, json=body)
    assert (again.status_code, message(again)) == (409, f"Key pair '{NAMES.key}' already exists.")
    pair = (await student.get(f"{KEYPAIRS}/{NAMES.key}")).json()["keypair"]
    assert (pair["public_key"], len(pair["fingerprint"].split(":"))) == (A_KEY, 16)
    assert len((await student.get(KEYPAIRS)).json()["keypairs"]) == 1
    assert (await student.delete(f"{KEYPAIRS}/{NAMES.key}")).status_code == 204
    assert (await student.get(f"{KEYPAIRS}/{NAMES.key}")).status_code == 404
    async with small.asked_by(CLASSMATE) as classmate:  # hers has the same name
        assert (await classmate.get(f"{KEYPAIRS}/{NAMES.key}")).status_code == 200


async def test_what_is_no_key(student: httpx.AsyncClient) -> None:
    for text in ("", "ssh-ed25519", "ssh-ed25519 not base64"):
        answer = await student.post(KEYPAIRS, json={"keypair": {"name": "bad", "public_key": text}})
        assert (answer.status_code, message(answer)) == (400, "Keypair data is invalid: failed to generate fingerprint")


async def test_flavors_that_everybody_sees(small: SmallCloud) -> None:
    async with small.asked_by("stranger", OTHER_PROJECT) as stranger:
        flavors = (await stranger.get("/compute/v2.1/flavors/detail")).json()["flavors"]
        public = [one["name"] for one in flavors if one["os-flavor-access:is_public"]]
        assert public == list(population.FLAVORS)
        one = next(one for one in flavors if one["name"] == "m1.xlarge")
        assert (await stranger.get(f"/compute/v2.1/flavors/{one['id']}")).json()["flavor"] == one
        assert (await stranger.get(f"/compute/v2.1/flavors/{one['id']}/os-extra_specs")).json() == {"extra_specs": {}}
        missing = await stranger.get("/compute/v2.1/flavors/m1.xlarge")
        assert missing.json() == {"itemNotFound": {"code": 404, "message": "Flavor m1.xlarge could not be found."}}


async def test_images(small: SmallCloud, student: httpx.AsyncClient) -> None:
    found = (await student.get("/image/v2/images", params={"name": NAMES.image, "limit": 200})).json()["images"]
    assert [one["name"] for one in found] == [NAMES.image]
    assert (await student.get(f"/image/v2/images/{found[0]['id']}")).json() == found[0]
    small.set("image_missing")
    assert (await student.get(f"/image/v2/images/{found[0]['id']}")).status_code == 404
    assert (await student.get("/image/v2/images", params={"name": NAMES.image})).json()["images"] == []
    assert len((await student.get("/image/v2/images")).json()["images"]) == len(population.IMAGES) - 1


def test_the_time_of_these_tests_stands_still(small: SmallCloud) -> None:
    assert small.world.now() == NOW
