"""Leases over HTTP."""

from typing import Any

import httpx
import pytest

from tests.chameleon.lookalike.blazar import ASKED, EXPIRED
from tests.chameleon.lookalike.clock import utc
from tests.chameleon.lookalike.population import CLASSMATE, HOUR, OTHER_PROJECT
from tests.chameleon.small_cloud import NAMES, NOW, SmallCloud, message

LEASES = "/reservation/v1/leases"


def lease(small: SmallCloud, hours: float = 8, **more: Any) -> dict[str, Any]:
    flavor = small.world.cloud.flavor("m1.xlarge").id
    reservation = {"resource_type": "flavor:instance", "flavor_id": flavor, "amount": 1, "affinity": None}
    end = utc(NOW + hours * HOUR, ASKED)
    asked: dict[str, Any] = {"name": NAMES.lease, "start_date": "now", "end_date": end, "events": []}
    return asked | {"reservations": [reservation | more]}


async def names(client: httpx.AsyncClient) -> list[str]:
    return sorted(one["name"] for one in (await client.get(LEASES)).json()["leases"])


async def test_a_lease_is_made_starts_and_is_deleted(small: SmallCloud, student: httpx.AsyncClient) -> None:
    made = await student.post(LEASES, json=lease(small))
    assert (made.status_code, made.json()["lease"]["status"]) == (201, "PENDING")
    path = f"{LEASES}/{made.json()['lease']['id']}"
    small.move(10)
    shown = (await student.get(path)).json()["lease"]
    assert (shown["status"], shown["reservations"][0]["status"]) == ("ACTIVE", "active")
    assert shown["project_id"] == small.world.cloud.project(NAMES.project).id
    assert await names(student) == ["lease-data-classmate", NAMES.lease]
    assert (await student.delete(path)).status_code == 204
    assert (await student.get(path)).status_code == 404
    assert await names(student) == ["lease-data-classmate"]


async def test_what_python_chi_reads_of_a_lease(small: SmallCloud, student: httpx.AsyncClient) -> None:
    shown = (await student.post(LEASES, json=lease(small))).json()["lease"]
    assert shown["start_date"] == utc(NOW, "%Y-%m-%dT%H:%M:%S.%f")
    assert shown["end_date"] == utc((NOW + 8 * HOUR) // 60 * 60, "%Y-%m-%dT%H:%M:%S.%f")
    assert shown["created_at"] == utc(NOW, "%Y-%m-%d %H:%M:%S")


async def test_the_reserved_flavor_is_there_while_the_lease_is_active(
    small: SmallCloud, student: httpx.AsyncClient
) -> None:
    async def reserved(client: httpx.AsyncClient, id: str) -> bool:
        flavors = (await client.get("/compute/v2.1/flavors/detail")).json()["flavors"]
        return any(one["name"] == f"reservation:{id}" for one in flavors)

    made = (await student.post(LEASES, json=lease(small))).json()["lease"]
    id = made["reservations"][0]["id"]
    assert not await reserved(student, id)
    small.move(10)
    assert await reserved(student, id)
    specs = (await student.get(f"/compute/v2.1/flavors/{id}/os-extra_specs")).json()["extra_specs"]
    assert specs["aggregate_instance_extra_specs:reservation"] == id
    async with small.asked_by("stranger", OTHER_PROJECT) as stranger:
        assert not await reserved(stranger, id)
        assert (await stranger.get(f"/compute/v2.1/flavors/{id}")).status_code == 404
    small.move(8 * HOUR)  # the token has expired, too
    async with small.asked_by() as later:
        assert not await reserved(later, id)


async def test_a_lease_is_seen_by_its_project_and_by_no_other(small: SmallCloud, student: httpx.AsyncClient) -> None:
    id = (await student.post(LEASES, json=lease(small))).json()["lease"]["id"]
    async with small.asked_by(CLASSMATE) as classmate:
        assert (await classmate.get(f"{LEASES}/{id}")).status_code == 200
    async with small.asked_by("stranger", OTHER_PROJECT) as stranger:
        assert await names(stranger) == ["lease-data-stranger"]
        for answer in (await stranger.get(f"{LEASES}/{id}"), await stranger.delete(f"{LEASES}/{id}")):
            assert (answer.status_code, message(answer)) == (404, f"Object with {{'lease_id': '{id}'}} not found")


@pytest.mark.parametrize(
    ("scenario", "status", "words"),
    [
        ("no_allocation", 400, EXPIRED),
        ("allocation_spent", 400, "Reservation for project CHI-251409 would spend 8.00 SUs, only 1.00 left"),
        ("flavors_exhausted", 500, "Not enough hosts available"),
    ],
)
async def test_a_lease_that_is_refused(
    small: SmallCloud, student: httpx.AsyncClient, scenario: str, status: int, words: str
) -> None:
    small.set(scenario)
    answer = await student.post(LEASES, json=lease(small))
    assert (answer.status_code, message(answer)) == (status, words)
    assert await names(student) == ["lease-data-classmate"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"resource_type": "physical:host"}, 500, "The physical:host resource type is not supported"),
        ({"flavor_id": "none"}, 500, "Internal Server Error"),
        ({"affinity": True}, 400, "Malformed parameter affinity (not supported for flavor reservations)"),
    ],
)
async def test_a_reservation_that_makes_no_sense(
    small: SmallCloud, student: httpx.AsyncClient, change: dict[str, Any], status: int, words: str
) -> None:
    answer = await student.post(LEASES, json=lease(small, **change))
    assert (answer.status_code, message(answer)) == (status, words)


async def test_dates_that_make_no_sense(small: SmallCloud, student: httpx.AsyncClient) -> None:
    for end, words in (("tomorrow", "tomorrow is an invalid date."), (utc(NOW - 60, ASKED), "End date must be later")):
        answer = await student.post(LEASES, json=lease(small) | {"end_date": end})
        assert (answer.status_code, message(answer)[: len(words)]) == (400, words)


async def test_capacity_comes_back_when_a_lease_ends(small: SmallCloud, student: httpx.AsyncClient) -> None:
    small.world.cloud.capacity = 3  # two are others'
    path = f"{LEASES}/{(await student.post(LEASES, json=lease(small))).json()['lease']['id']}"
    assert (await student.post(LEASES, json=lease(small))).status_code == 500
    await student.delete(path)
    assert (await student.post(LEASES, json=lease(small))).status_code == 201


@pytest.mark.parametrize(("scenario", "status"), [("lease_stays_pending", "PENDING"), ("lease_error", "ERROR")])
async def test_a_lease_that_does_not_start(
    small: SmallCloud, student: httpx.AsyncClient, scenario: str, status: str
) -> None:
    small.set(scenario)
    path = f"{LEASES}/{(await student.post(LEASES, json=lease(small))).json()['lease']['id']}"
    small.move(HOUR)
    assert (await student.get(path)).json()["lease"]["status"] == status


async def test_a_lease_is_prolonged_as_far_as_the_allocation_goes(
    small: SmallCloud, student: httpx.AsyncClient
) -> None:
    made = (await student.post(LEASES, json=lease(small))).json()["lease"]
    path = f"{LEASES}/{made['id']}"
    longer = await student.put(path, json={"end_date": utc(NOW + 10 * HOUR, ASKED)})
    assert longer.json()["lease"]["end_date"] > made["end_date"]
    small.set("allocation_spent")
    refused = await student.put(path, json={"end_date": utc(NOW + 90 * HOUR, ASKED)})
    assert (refused.status_code, message(refused)[:28]) == (400, "Reservation update would spe")
    assert (await student.get(path)).json()["lease"]["end_date"] == longer.json()["lease"]["end_date"]
