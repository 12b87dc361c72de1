"""What tests may look at and change from outside, under /lookalike; OpenStack has no such paths."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from tests.chameleon.lookalike import changes, scenarios
from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.gate import Request
from tests.chameleon.lookalike.nodes import Nodes
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.world import World


class ScenarioBody(BaseModel):
    """A scenario to set now."""

    name: str


class TimeBody(BaseModel):
    """Time that is to pass at once."""

    seconds: float


class RemoveBody(BaseModel):
    """Something to remove: its kind and its name, or its address."""

    kind: str
    name: str


@dataclass(frozen=True)
class Lever:
    """Everything that can be looked at and changed."""

    world: World
    names: Names
    nodes: Nodes
    requests: list[Request]

    async def cloud(self) -> Any:
        """The state now."""
        return self.world.cloud.picture()

    async def asked(self) -> Any:
        """All requests to OpenStack so far."""
        return [asdict(one) for one in self.requests]

    async def commands(self) -> Any:
        """What was done on the nodes."""
        return {"commands": self.nodes.commands(), "sessions": [asdict(one) for one in self.nodes.sessions]}

    async def scenario(self, body: ScenarioBody) -> Any:
        """Set a scenario, on top of what is there."""
        try:
            scenarios.apply(self.world, self.names, body.name)
        except KeyError as error:
            known = ", ".join(scenarios.SCENARIOS)
            raise HTTPException(404, f"there is no scenario {error}; there are: {known}") from error
        return await self._afterwards()

    async def time(self, body: TimeBody) -> Any:
        """Let time pass."""
        self.world.clock.move(body.seconds)
        return await self._afterwards()

    async def remove(self, body: RemoveBody) -> Any:
        """Remove everything of this kind and name, whoever's it is, as an administrator would."""
        if body.kind not in REMOVERS:
            raise HTTPException(400, f"expected one of {', '.join(REMOVERS)}, got {body.kind}")
        REMOVERS[body.kind](self.world.cloud, body.name, self.world.now())
        return await self._afterwards()

    async def _afterwards(self) -> Any:
        self.world.advance()
        await self.nodes.follow()
        return await self.cloud()


def _remove_servers(cloud: Cloud, name: str, now: float) -> None:
    for server in [one for one in cloud.servers.values() if one.name == name]:
        changes.remove_server(cloud, server, now)


def _remove_leases(cloud: Cloud, name: str, now: float) -> None:
    for lease in [one for one in cloud.leases.values() if one.name == name]:
        changes.delete_lease(cloud, lease, now, "")


def _remove_floating_ips(cloud: Cloud, address: str, now: float) -> None:
    for floating in [one for one in cloud.floating_ips.values() if one.address == address]:
        changes.release_address(cloud, floating, now, "")


def _remove_groups(cloud: Cloud, name: str, now: float) -> None:
    for group in [one for one in cloud.groups.values() if one.name == name]:
        changes.delete_group(cloud, group, now, "")


REMOVERS = {
    "server": _remove_servers,
    "lease": _remove_leases,
    "floating_ip": _remove_floating_ips,
    "group": _remove_groups,
}


def router(lever: Lever) -> APIRouter:
    """The paths."""
    routes = APIRouter(prefix="/lookalike")
    routes.get("/cloud")(lever.cloud)
    routes.get("/requests")(lever.asked)
    routes.get("/commands")(lever.commands)
    routes.post("/scenario")(lever.scenario)
    routes.post("/time")(lever.time)
    routes.post("/remove")(lever.remove)
    return routes
