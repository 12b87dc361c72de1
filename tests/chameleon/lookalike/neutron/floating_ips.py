"""Floating IPs; everybody in a project may take and give back all of the project's."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.changes import add_address, release_address
from tests.chameleon.lookalike.neutron import PREFIX
from tests.chameleon.lookalike.neutron.lists import matching
from tests.chameleon.lookalike.resources import FloatingIp, Project
from tests.chameleon.lookalike.world import Caller, Here, World

routes = APIRouter(prefix=f"{PREFIX}/v2.0/floatingips")


class FloatingIpFields(BaseModel):
    """A floating IP that is asked for, or what is to change of one."""

    floating_network_id: str | None = None
    port_id: str | None = None
    description: str = ""


class FloatingIpBody(BaseModel):
    """Body of POST and PUT /floatingips."""

    floatingip: FloatingIpFields


@routes.get("")
async def every(world: Here, request: Request, caller: Caller) -> Any:
    mine = (_shown(world, one) for one in world.cloud.floating_ips.values() if one.project == caller.project.id)
    return {"floatingips": matching(mine, request.query_params)}


@routes.get("/{id}")
async def show(world: Here, id: str, caller: Caller) -> Any:
    return {"floatingip": _shown(world, _find(world, id, caller.project))}


@routes.post("", status_code=201)
async def create(world: Here, body: FloatingIpBody, caller: Caller) -> Any:
    address = _free_address(world, body.floatingip.floating_network_id, caller.project)
    floating = add_address(world.cloud, caller.project.id, address, world.now(), caller.user.name)
    floating.description = body.floatingip.description
    return {"floatingip": _shown(world, floating)}


@routes.put("/{id}")
async def attach(world: Here, id: str, body: FloatingIpBody, caller: Caller) -> Any:
    floating = _find(world, id, caller.project)
    floating.port = _port(world, body.floatingip.port_id, caller.project)
    what = "attached" if floating.port else "detached"
    world.cloud.note(world.now(), caller.user.name, f"floating IP {what}", floating.address)
    return {"floatingip": _shown(world, floating)}


@routes.delete("/{id}", status_code=204)
async def delete(world: Here, id: str, caller: Caller) -> Response:
    release_address(world.cloud, _find(world, id, caller.project), world.now(), caller.user.name)
    return Response(status_code=204)


def _find(world: World, id: str, project: Project) -> FloatingIp:
    floating = world.cloud.floating_ips.get(id)
    if floating is None or floating.project != project.id:
        raise errors.neutron(404, "FloatingIPNotFound", f"Floating IP {id} could not be found")
    return floating


def _free_address(world: World, network: str | None, project: Project) -> str:
    cloud = world.cloud
    if network not in cloud.networks or not cloud.networks[network].external:
        message = f"Bad floatingip request: Network {network} is not a valid external network."
        raise errors.neutron(400, "BadRequest", message)
    if sum(one.project == project.id for one in cloud.floating_ips.values()) >= project.quotas.floating_ips:
        raise errors.neutron(409, "OverQuota", "Quota exceeded for resources: ['floatingip'].")
    address = next(cloud.free_addresses(), None)
    if address is None:
        message = f"No more IP addresses available on network {network}."
        raise errors.neutron(409, "IpAddressGenerationFailure", message)
    return address


def _port(world: World, id: str | None, project: Project) -> str | None:
    port = world.cloud.ports.get(id or "")
    if id and (port is None or port.project != project.id):
        raise errors.neutron(404, "PortNotFound", f"Port {id} could not be found.")
    return id


def _shown(world: World, one: FloatingIp) -> dict[str, Any]:
    return {
        "id": one.id,
        "floating_ip_address": one.address,
        "floating_network_id": one.network,
        "port_id": one.port,
        "fixed_ip_address": world.cloud.ports[one.port].address if one.port else None,
        "project_id": one.project,
        "tenant_id": one.project,
        "status": "ACTIVE" if one.port else "DOWN",
        "description": one.description,
        "tags": [],
    }
