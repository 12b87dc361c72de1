"""Reservations: leases of flavors."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.changes import delete_lease
from tests.chameleon.lookalike.clock import utc
from tests.chameleon.lookalike.resources import Lease, Project, Reservation
from tests.chameleon.lookalike.world import Caller, Here, World

ASKED, SHOWN, CREATED = "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"
EXPIRED = (
    "Cannot create a lease beyond Chameleon project expiration date. Please ask your PI to request an allocation "
    "renewal. https://chameleoncloud.readthedocs.io/en/latest/user/project.html#recharge-or-extend-your-allocation"
)


class ReservationBody(BaseModel):
    """A reservation that is asked for; only flavors are known here, as at KVM@TACC."""

    resource_type: str
    flavor_id: str | None = None
    amount: int = 1
    affinity: bool | None = None


class LeaseBody(BaseModel):
    """Body of POST /leases."""

    name: str
    start_date: str
    end_date: str
    reservations: list[ReservationBody]


class NewEnd(BaseModel):
    """Body of PUT /leases/{id}, of which only the end can be changed here."""

    end_date: str


routes = APIRouter(prefix="/reservation/v1")
"""Blazar, version 1."""


@routes.get("/leases")
async def leases(world: Here, caller: Caller) -> Any:
    return {"leases": [_shown(one) for one in world.cloud.leases.values() if one.project == caller.project.id]}


@routes.get("/leases/{id}")
async def show(world: Here, id: str, caller: Caller) -> Any:
    return {"lease": _shown(_find(world, id, caller.project))}


@routes.post("/leases", status_code=201)
async def create(world: Here, body: LeaseBody, caller: Caller) -> Any:
    lease = _lease(world, body, caller)
    _check_allocation(caller.project, lease)
    world.cloud.leases[lease.id] = lease
    world.cloud.note(world.now(), caller.user.name, "lease created", lease.name)
    return {"lease": _shown(lease)}


@routes.put("/leases/{id}")
async def prolong(world: Here, id: str, body: NewEnd, caller: Caller) -> Any:
    lease = _find(world, id, caller.project)
    ends, left = _seconds(body.end_date), caller.project.service_units
    more = (ends - lease.ends) / 3600 * sum(one.amount for one in lease.reservations)
    if more > left:
        raise errors.blazar(400, f"Reservation update would spend {more:.2f} more SUs, only {left:.2f} left")
    if ends > caller.project.allocation_ends:
        raise errors.blazar(400, EXPIRED)
    lease.ends = ends
    world.cloud.note(world.now(), caller.user.name, "lease prolonged", lease.name)
    return {"lease": _shown(lease)}


@routes.delete("/leases/{id}", status_code=204)
async def delete(world: Here, id: str, caller: Caller) -> Response:
    delete_lease(world.cloud, _find(world, id, caller.project), world.now(), caller.user.name)
    return Response(status_code=204)


def _find(world: World, id: str, project: Project) -> Lease:
    lease = world.cloud.leases.get(id)
    if lease is None or lease.project != project.id:
        raise errors.blazar(404, f"Object with {{'lease_id': '{id}'}} not found")
    return lease


def _lease(world: World, body: LeaseBody, caller: Caller) -> Lease:
    now = world.now()
    starts = now if body.start_date == "now" else _seconds(body.start_date)
    ends = _seconds(body.end_date)
    if ends <= starts:
        raise errors.blazar(400, "End date must be later than start date.")
    reservations = [_reservation(world, one) for one in body.reservations]
    taken = sum(one.amount for lease in _open(world) for one in lease.reservations)
    if taken + sum(one.amount for one in reservations) > world.cloud.capacity:
        raise errors.blazar(500, "Not enough hosts available")
    return Lease(body.name, caller.project.id, caller.user.id, now, starts, ends, reservations)


def _open(world: World) -> list[Lease]:
    return [one for one in world.cloud.leases.values() if one.status in ("PENDING", "ACTIVE")]


def _reservation(world: World, body: ReservationBody) -> Reservation:
    if body.resource_type != "flavor:instance":
        raise errors.blazar(500, f"The {body.resource_type} resource type is not supported")
    if body.flavor_id not in world.cloud.flavors:
        raise errors.blazar(500, "Internal Server Error")
    if body.affinity is not None:
        raise errors.blazar(400, "Malformed parameter affinity (not supported for flavor reservations)")
    return Reservation(body.flavor_id, body.amount, body.affinity)


def _check_allocation(project: Project, lease: Lease) -> None:
    """Chameleon's usage enforcement: first the service units, then the end of the allocation."""
    spent = (lease.ends - lease.starts) / 3600 * sum(one.amount for one in lease.reservations)
    if spent > project.service_units:
        left = f"only {project.service_units:.2f} left"
        raise errors.blazar(400, f"Reservation for project {project.name} would spend {spent:.2f} SUs, {left}")
    if lease.ends > project.allocation_ends:
        raise errors.blazar(400, EXPIRED)


def _seconds(text: str) -> float:
    try:
        return datetime.strptime(text, ASKED).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise errors.blazar(400, f"{text} is an invalid date. Required format: {ASKED}") from error


def _shown(lease: Lease) -> dict[str, Any]:
    return {
        "id": lease.id,
        "name": lease.name,
        "status": lease.status,
        "user_id": lease.user,
        "project_id": lease.project,
        "start_date": utc(lease.starts, SHOWN),
        "end_date": utc(lease.ends, SHOWN),
        "created_at": utc(lease.created, CREATED),
        "updated_at": None,
        "degraded": False,
        "trust_id": "",
        "events": [],
        "reservations": [_shown_reservation(lease, one) for one in lease.reservations],
    }


def _shown_reservation(lease: Lease, one: Reservation) -> dict[str, Any]:
    return {
        "id": one.id,
        "lease_id": lease.id,
        "resource_id": one.id,
        "resource_type": "flavor:instance",
        "flavor_id": one.id,
        "amount": one.amount,
        "affinity": one.affinity,
        "status": one.status,
        "missing_resources": False,
        "resources_changed": False,
    }
