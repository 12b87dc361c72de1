"""Servers, and their security groups."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.changes import add_server
from tests.chameleon.lookalike.clock import iso
from tests.chameleon.lookalike.nova import PREFIX
from tests.chameleon.lookalike.resources import Flavor, Group, Port, Project, Server
from tests.chameleon.lookalike.world import Caller, Here, World


class NetworkBody(BaseModel):
    """A network that the server is to be on."""

    uuid: str


class ServerBody(BaseModel):
    """A server that is asked for."""

    name: str
    flavorRef: str
    imageRef: str
    key_name: str | None = None
    networks: list[NetworkBody]


class CreateBody(BaseModel):
    """Body of POST /servers."""

    server: ServerBody


class GroupName(BaseModel):
    """A security group, by its name."""

    name: str


class ActionBody(BaseModel):
    """Body of POST /servers/ID/action: one of them."""

    addSecurityGroup: GroupName | None = None
    removeSecurityGroup: GroupName | None = None


routes = APIRouter(prefix=PREFIX)
"""Nova, version 2.1."""


@routes.get("")
async def version(world: Here) -> Any:
    link = {"rel": "self", "href": f"{world.base}{PREFIX}/"}
    return {"version": {"id": "v2.1", "status": "CURRENT", "version": "2.96", "min_version": "2.1", "links": [link]}}


@routes.get("/servers/detail")
async def servers(world: Here, caller: Caller) -> Any:
    return {"servers": [_shown(world, one) for one in world.cloud.servers.values() if one.project == caller.project.id]}


@routes.get("/servers/{id}")
async def show(world: Here, id: str, caller: Caller) -> Any:
    return {"server": _shown(world, _find(world, id, caller.project))}


@routes.post("/servers", status_code=202)
async def create(world: Here, body: CreateBody, caller: Caller) -> Any:
    server, port = _server(world, body.server, caller)
    add_server(world.cloud, server, port, caller.user.name)
    return {"server": {"id": server.id, "links": [], "security_groups": [{"name": "default"}], "adminPass": "x"}}


@routes.post("/servers/{id}/action", status_code=202)
async def act(world: Here, id: str, body: ActionBody, caller: Caller) -> Response:
    groups = world.cloud.ports[_find(world, id, caller.project).port].groups
    if body.addSecurityGroup:
        groups.add(_group(world, body.addSecurityGroup.name, caller.project).id)
    elif body.removeSecurityGroup:
        groups.discard(_group(world, body.removeSecurityGroup.name, caller.project).id)
    else:
        raise errors.nova(400, "There is no such action.")
    return Response(status_code=202)


@routes.delete("/servers/{id}", status_code=204)
async def delete(world: Here, id: str, caller: Caller) -> Response:
    server = _find(world, id, caller.project)
    server.deleted = server.deleted or world.now()
    world.cloud.note(world.now(), caller.user.name, "server deleted", server.name)
    return Response(status_code=204)


def _find(world: World, id: str, project: Project) -> Server:
    server = world.cloud.servers.get(id)
    if server is None or server.project != project.id:
        raise errors.nova(404, f"Instance {id} could not be found.")
    return server


def _group(world: World, name: str, project: Project) -> Group:
    found = [one for one in world.cloud.groups.values() if one.project == project.id and name in (one.name, one.id)]
    if not found:
        raise errors.nova(404, f"Security group {name} not found for project {project.id}.")
    if len(found) > 1:
        raise errors.nova(
            409, f"Multiple security_groups matches found for name '{name}', use an ID to be more specific."
        )
    return found[0]


def _server(world: World, body: ServerBody, caller: Caller) -> tuple[Server, Port]:
    cloud, project = world.cloud, caller.project
    flavor = _flavor(world, body, project)
    if body.imageRef not in cloud.images:
        raise errors.nova(400, f"Invalid imageRef provided: image {body.imageRef} could not be found.")
    if body.key_name and not cloud.keypair(caller.user.id, body.key_name):
        raise errors.nova(400, "Invalid key_name provided.")
    if len(body.networks) != 1 or body.networks[0].uuid not in cloud.networks:
        raise errors.nova(400, f"Network {body.networks[0].uuid if body.networks else None} could not be found.")
    _check_quota(world, project)
    network = body.networks[0].uuid
    port = Port(project.id, network, "", cloud.fixed_address(), {_group(world, "default", project).id})
    server = Server(
        body.name, project.id, caller.user.id, world.now(), flavor, body.imageRef, body.key_name, port.id, network
    )
    port.server = server.id
    return server, port


def _flavor(world: World, body: ServerBody, project: Project) -> Flavor:
    flavor = world.cloud.flavors.get(body.flavorRef)
    if flavor is None or flavor.seen_by not in (None, project.id):
        raise errors.nova(404, f"Flavor {body.flavorRef} could not be found.")
    return flavor


def _check_quota(world: World, project: Project) -> None:
    used = sum(one.project == project.id for one in world.cloud.servers.values())
    if used >= project.quotas.instances:
        limit = f"Requested 1, but already used {used} of {project.quotas.instances} instances"
        raise errors.nova(403, f"Quota exceeded for instances: {limit}")


def _shown(world: World, server: Server) -> dict[str, Any]:
    cloud, flavor = world.cloud, server.flavor
    shown = {
        "id": server.id,
        "name": server.name,
        "status": server.status,
        "OS-EXT-STS:task_state": "deleting" if server.deleted else "spawning" if server.status == "BUILD" else None,
        "OS-EXT-STS:vm_state": {"BUILD": "building"}.get(server.status, server.status.lower()),
        "tenant_id": server.project,
        "user_id": server.user,
        "created": iso(server.created),
        "updated": iso(server.created),
        "links": [],
        "key_name": server.key,
        "image": {"id": server.image, "links": []},
        "flavor": {"original_name": flavor.name, "vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk}
        | {"ephemeral": 0, "swap": 0, "extra_specs": {}},
        "hostId": server.project if server.status == "ACTIVE" else "",
        "locked": False,
        "metadata": {},
        "tags": [],
        "addresses": _addresses(world, server) if server.status == "ACTIVE" else {},
        "security_groups": [{"name": one.name} for one in cloud.groups_of(server)],
    }
    if server.fault:
        shown["fault"] = {"code": 500, "created": iso(server.created), "message": server.fault}
    return shown


def _addresses(world: World, server: Server) -> dict[str, Any]:
    fixed, floating = world.cloud.ports[server.port].address, world.cloud.address_of(server)
    found = [("fixed", fixed)] + ([("floating", floating)] if floating else [])
    card = {"OS-EXT-IPS-MAC:mac_addr": f"fa:16:3e:{server.id[:2]}:{server.id[2:4]}:{server.id[4:6]}", "version": 4}
    shown = [card | {"OS-EXT-IPS:type": kind, "addr": address} for kind, address in found]
    return {world.cloud.networks[server.network].name: shown}
