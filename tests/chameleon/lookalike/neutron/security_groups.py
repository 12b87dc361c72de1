"""Security groups, which everybody in a project shares."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.changes import add_group, delete_group
from tests.chameleon.lookalike.neutron import PREFIX
from tests.chameleon.lookalike.neutron.lists import matching
from tests.chameleon.lookalike.neutron.rules import find_group, show_rule
from tests.chameleon.lookalike.resources import Group, Project
from tests.chameleon.lookalike.world import Caller, Here, World

routes = APIRouter(prefix=f"{PREFIX}/v2.0/security-groups")


class GroupFields(BaseModel):
    """A group that is asked for."""

    name: str
    description: str | None = ""


class GroupBody(BaseModel):
    """Body of POST /security-groups."""

    security_group: GroupFields


def _mine(world: World, project: Project) -> list[Group]:
    return [one for one in world.cloud.groups.values() if one.project == project.id]


@routes.get("")
async def every(world: Here, request: Request, caller: Caller) -> Any:
    return {"security_groups": matching(map(_shown, _mine(world, caller.project)), request.query_params)}


@routes.get("/{id}")
async def show(world: Here, id: str, caller: Caller) -> Any:
    return {"security_group": _shown(find_group(world, id, caller.project))}


@routes.post("", status_code=201)
async def create(world: Here, body: GroupBody, caller: Caller) -> Any:
    if len(_mine(world, caller.project)) >= caller.project.quotas.security_groups:
        raise errors.neutron(409, "OverQuota", "Quota exceeded for resources: ['security_group'].")
    group = Group(body.security_group.name, caller.project.id, body.security_group.description or "")
    return {"security_group": _shown(add_group(world.cloud, group, world.now(), caller.user.name))}


@routes.delete("/{id}", status_code=204)
async def delete(world: Here, id: str, caller: Caller) -> Response:
    group = find_group(world, id, caller.project)
    if any(group.id in port.groups for port in world.cloud.ports.values()):
        raise errors.neutron(409, "SecurityGroupInUse", f"Security Group {id} in use.")
    delete_group(world.cloud, group, world.now(), caller.user.name)
    return Response(status_code=204)


def _shown(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "project_id": group.project,
        "tenant_id": group.project,
        "stateful": True,
        "tags": [],
        "security_group_rules": [show_rule(group, one) for one in group.rules],
    }
