"""Identity, the hub, and the token check before all services."""

from typing import Any

import httpx
import pytest

from tests.chameleon.lookalike.population import CLASSMATE, OTHER_PROJECT
from tests.chameleon.small_cloud import NAMES, SmallCloud, message

FEDERATION = "/v3/OS-FEDERATION/identity_providers/chameleon/protocols/openid/auth"
REFUSED = "The request you have made requires authentication."


async def access_token(client: httpx.AsyncClient, small: SmallCloud) -> str:
    headers = {"authorization": f"token {small.world.tokens.hub}"}
    answer = await client.get(f"/hub/api/users/{NAMES.user}", headers=headers)
    return str(answer.json()["auth_state"]["access_token"])


async def log_in(client: httpx.AsyncClient, access: str) -> httpx.Response:
    return await client.post(FEDERATION, headers={"authorization": f"Bearer {access}", "X-Auth-Token": ""})


def scoped(token: str, project: str) -> dict[str, Any]:
    return {
        "auth": {
            "identity": {"methods": ["token"], "token": {"id": token}},
            "scope": {"project": {"name": project, "domain": {"name": "chameleon"}}},
        }
    }


async def test_from_the_hub_to_a_token_for_a_project(small: SmallCloud, student: httpx.AsyncClient) -> None:
    unscoped = await log_in(student, await access_token(student, small))
    assert unscoped.status_code == 201
    assert "catalog" not in unscoped.json()["token"]
    answer = await student.post("/v3/auth/tokens", json=scoped(unscoped.headers["X-Subject-Token"], NAMES.project))
    token = answer.json()["token"]
    assert (token["project"]["name"], token["user"]["name"]) == (NAMES.project, NAMES.user)
    assert {one["type"] for one in token["catalog"]} == {"identity", "compute", "network", "image", "reservation"}
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert (await student.get("/reservation/v1/leases", headers=headers)).status_code == 200


async def test_the_hub_gives_a_fresh_access_token_each_time_and_to_nobody_else(
    small: SmallCloud, student: httpx.AsyncClient
) -> None:
    assert await access_token(student, small) != await access_token(student, small)
    assert (await student.get(f"/hub/api/users/{NAMES.user}")).status_code == 403
    headers = {"authorization": f"token {small.world.tokens.hub}"}
    assert (await student.get("/hub/api/users/nobody", headers=headers)).status_code == 404


@pytest.mark.parametrize("why", ["made up", "expired", "login expired"])
async def test_a_bad_access_token_is_refused(small: SmallCloud, student: httpx.AsyncClient, why: str) -> None:
    token = "made up" if why == "made up" else await access_token(student, small)
    if why == "expired":
        small.move(3600)
    if why == "login expired":
        small.set("login_expired")
    answer = await log_in(student, token)
    assert (answer.status_code, message(answer)) == (401, REFUSED)


async def test_nobody_gets_a_token_for_a_project_that_is_not_his(small: SmallCloud, student: httpx.AsyncClient) -> None:
    for project in (OTHER_PROJECT, "no such project"):
        answer = await student.post("/v3/auth/tokens", json=scoped(small.token(project=None), project))
        assert (answer.status_code, message(answer)) == (401, REFUSED)


async def test_a_user_sees_his_own_projects(small: SmallCloud, student: httpx.AsyncClient) -> None:
    users = {one.name: one.id for one in small.world.cloud.users.values()}
    answer = await student.get(f"/v3/users/{users[NAMES.user]}/projects")
    projects = answer.json()["projects"]
    assert [one["name"] for one in projects] == [NAMES.project]
    assert (await student.get(f"/v3/projects/{projects[0]['id']}")).json()["project"]["name"] == NAMES.project
    assert (await student.get(f"/v3/users/{users[CLASSMATE]}/projects")).status_code == 403
    other = small.world.cloud.project(OTHER_PROJECT).id
    assert (await student.get(f"/v3/projects/{other}")).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/compute/v2.1/servers/detail", "/network/v2.0/networks", "/image/v2/images", "/reservation/v1/leases"],
)
async def test_the_services_want_a_good_token_for_a_project(small: SmallCloud, path: str) -> None:
    async with small.asked_by(project=None) as client:
        assert (await client.get(path)).status_code == 401
        refused = await client.get(path, headers={"X-Auth-Token": "made up"})
        assert (refused.status_code, message(refused)) == (401, REFUSED)
    async with small.asked_by() as client:
        assert (await client.get(path)).status_code == 200
        small.move(8 * 3600)
        assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/v3/", "/compute/v2.1/", "/network", "/image/", "/reference/sites.json"])
async def test_nobody_needs_a_token_to_ask_for_versions_and_sites(small: SmallCloud, path: str) -> None:
    async with small.asked_by() as client:
        assert (await client.get(path, headers={"X-Auth-Token": ""})).status_code == 200


async def test_requests_are_written_down_with_who_asked(small: SmallCloud, student: httpx.AsyncClient) -> None:
    await student.get("/compute/v2.1//servers/detail?limit=5")
    await student.get("/lookalike/cloud")
    await student.get("/reservation/v1/leases/none")
    seen = [(one.method, one.path, one.query, one.status, one.user, one.project) for one in small.gate.requests]
    who = (NAMES.user, NAMES.project)
    assert seen == [
        ("GET", "/compute/v2.1/servers/detail", "limit=5", 200, *who),
        ("GET", "/reservation/v1/leases/none", "", 404, *who),
    ]
