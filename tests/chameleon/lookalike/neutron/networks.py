"""Networks, which all projects share here, and the ports that Nova makes."""

from typing import Any

from fastapi import APIRouter, Request

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.neutron import PREFIX
from tests.chameleon.lookalike.neutron.lists import matching
from tests.chameleon.lookalike.resources import Network, Port
from tests.chameleon.lookalike.world import Caller, Here

routes = APIRouter(prefix=PREFIX)


@routes.get("")
async def versions(world: Here) -> Any:
    link = {"rel": "self", "href": f"{world.base}{PREFIX}/v2.0/"}
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}


@routes.get("/v2.0/networks")
async def every(world: Here, request: Request) -> Any:
    return {"networks": matching(map(_shown, world.cloud.networks.values()), request.query_params)}


@routes.get("/v2.0/networks/{id}")
async def show(world: Here, id: str) -> Any:
    if id not in world.cloud.networks:
        raise errors.neutron(404, "NetworkNotFound", f"Network {id} could not be found.")
    return {"network": _shown(world.cloud.networks[id])}


@routes.get("/v2.0/ports")
async def ports(world: Here, request: Request, caller: Caller) -> Any:
    mine = (_shown_port(one) for one in world.cloud.ports.values() if one.project == caller.project.id)
    return {"ports": matching(mine, request.query_params)}


def _shown(network: Network) -> dict[str, Any]:
    return {
        "id": network.id,
        "name": network.name,
        "router:external": network.external,
        "shared": True,
        "status": "ACTIVE",
        "admin_state_up": True,
        "subnets": [],
        "tags": [],
        "project_id": "services",
    }


def _shown_port(port: Port) -> dict[str, Any]:
    return {
        "id": port.id,
        "name": "",
        "device_id": port.server,
        "device_owner": "compute:nova",
        "network_id": port.network,
        "project_id": port.project,
        "status": "ACTIVE",
        "fixed_ips": [{"subnet_id": port.subnet, "ip_address": port.address}],
        "security_groups": sorted(port.groups),
        "tags": [],
    }
