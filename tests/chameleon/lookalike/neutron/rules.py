"""The rules of security groups."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.neutron import PREFIX
from tests.chameleon.lookalike.neutron.lists import matching
from tests.chameleon.lookalike.resources import Group, Project, Rule
from tests.chameleon.lookalike.world import Caller, Here, World

routes = APIRouter(prefix=f"{PREFIX}/v2.0/security-group-rules")


class RuleFields(BaseModel):
    """A rule that is asked for."""

    security_group_id: str
    direction: str
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    ethertype: str = "IPv4"
    remote_ip_prefix: str | None = None


class RuleBody(BaseModel):
    """Body of POST /security-group-rules."""

    security_group_rule: RuleFields


@routes.get("")
async def every(world: Here, request: Request, caller: Caller) -> Any:
    mine = (one for one in world.cloud.groups.values() if one.project == caller.project.id)
    shown = (show_rule(group, rule) for group in mine for rule in group.rules)
    return {"security_group_rules": matching(shown, request.query_params)}


@routes.post("", status_code=201)
async def create(world: Here, body: RuleBody, caller: Caller) -> Any:
    asked = body.security_group_rule
    group = find_group(world, asked.security_group_id, caller.project)
    rule = Rule(
        asked.direction,
        asked.protocol,
        asked.port_range_min,
        asked.port_range_max,
        asked.ethertype,
        asked.remote_ip_prefix if asked.remote_ip_prefix != "0.0.0.0/0" else None,
    )
    _check_new(group, rule)
    group.rules.append(rule)
    world.cloud.note(world.now(), caller.user.name, f"rule for port {rule.first} added", group.name)
    return {"security_group_rule": show_rule(group, rule)}


def _check_new(group: Group, rule: Rule) -> None:
    for one in group.rules:
        if {**vars(one), "id": ""} == {**vars(rule), "id": ""}:
            message = f"Security group rule already exists. Rule id is {one.id}."
            raise errors.neutron(409, "SecurityGroupRuleExists", message)


def find_group(world: World, id: str, project: Project) -> Group:
    """A group of the project."""
    group = world.cloud.groups.get(id)
    if group is None or group.project != project.id:
        raise errors.neutron(404, "SecurityGroupNotFound", f"Security group {id} does not exist")
    return group


def show_rule(group: Group, rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "security_group_id": group.id,
        "project_id": group.project,
        "direction": rule.direction,
        "ethertype": rule.ethertype,
        "protocol": rule.protocol,
        "port_range_min": rule.first,
        "port_range_max": rule.last,
        "remote_ip_prefix": rule.remote,
        "remote_group_id": None,
        "description": "",
    }
