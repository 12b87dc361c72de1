"""A populated cloud in this process, with time that stands still, for tests that ask it over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chameleon.lookalike import population, scenarios
from tests.chameleon.lookalike.app import build
from tests.chameleon.lookalike.clock import FakeClock
from tests.chameleon.lookalike.gate import Gate
from tests.chameleon.lookalike.nodes import Nodes
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.world import World

NAMES = Names()
NOW = FakeClock().now()


@dataclass
class SmallCloud:
    """The cloud, and how to ask it as one of its users."""

    folder: Path
    names: Names = NAMES
    where: Any = None
    world: World = field(init=False)
    nodes: Nodes = field(init=False)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        clock = FakeClock()
        self.world = World(population.populated(self.names, clock.now()), clock)
        self.nodes = Nodes(self.world.cloud, self.folder, self.where or (lambda address: (address, 22)))
        self.gate = build(self.world, self.names, self.nodes)

    def set(self, scenario: str) -> None:
        """Set scenarios."""
        scenarios.apply(self.world, self.names, scenario)

    def move(self, seconds: float) -> None:
        """Let time pass, and the cloud follow."""
        self.world.clock.move(seconds)
        self.world.advance()

    def token(self, user: str = NAMES.user, project: str | None = NAMES.project) -> str:
        """A token for a user, in a project or in none."""
        cloud = self.world.cloud
        scope = cloud.project(project) if project else None
        return self.world.tokens.issue(cloud.user(user), scope, "test", self.world.now()).id

    @asynccontextmanager
    async def asked_by(
        self, user: str = NAMES.user, project: str | None = NAMES.project
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A client with such a token."""
        headers = {"X-Auth-Token": self.token(user, project)}
        transport = httpx.ASGITransport(self.gate)
        async with httpx.AsyncClient(transport=transport, base_url=self.world.base, headers=headers) as client:
            yield client


def message(answer: httpx.Response) -> str:
    """The words of an error, whichever service's shape it has; blazar's is flat."""
    body = answer.json()
    return str(body.get("error_message") or next(iter(body.values()))["message"])
