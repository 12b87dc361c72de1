"""Flavors: the public ones, and those of the project's active reservations."""

from typing import Any

from fastapi import APIRouter

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.nova import PREFIX
from tests.chameleon.lookalike.resources import Flavor, Project
from tests.chameleon.lookalike.world import Caller, Here, World

routes = APIRouter(prefix=f"{PREFIX}/flavors")


@routes.get("/detail")
async def every(world: Here, caller: Caller) -> Any:
    seen = (one for one in world.cloud.flavors.values() if one.seen_by in (None, caller.project.id))
    return {"flavors": [_shown(one) for one in seen]}


@routes.get("/{id}")
async def show(world: Here, id: str, caller: Caller) -> Any:
    return {"flavor": _shown(_find(world, id, caller.project))}


@routes.get("/{id}/os-extra_specs")
async def specs(world: Here, id: str, caller: Caller) -> Any:
    return {"extra_specs": _specs(_find(world, id, caller.project))}


def _find(world: World, id: str, project: Project) -> Flavor:
    flavor = world.cloud.flavors.get(id)
    if flavor is None or flavor.seen_by not in (None, project.id):
        raise errors.nova(404, f"Flavor {id} could not be found.")
    return flavor


def _specs(flavor: Flavor) -> dict[str, str]:
    if not flavor.reservation:
        return {}
    resource = f"resources:CUSTOM_RESERVATION_{flavor.reservation.upper().replace('-', '_')}"
    return {"aggregate_instance_extra_specs:reservation": flavor.reservation, resource: "1"}


def _shown(flavor: Flavor) -> dict[str, Any]:
    return {
        "id": flavor.id,
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "description": flavor.description,
        "os-flavor-access:is_public": flavor.seen_by is None,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "rxtx_factor": 1.0,
        "swap": "",
        "links": [],
        "extra_specs": _specs(flavor),
    }
