"""What the modules of the services share: the cloud, its clock, its tokens, its address."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from tests.chameleon.lookalike.changes import advance
from tests.chameleon.lookalike.clock import Clock, SystemClock
from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.faults import Fault
from tests.chameleon.lookalike.resources import Project, User
from tests.chameleon.lookalike.tokens import Token, Tokens

BASE = "https://kvm.tacc.chameleoncloud.org:5000"


@dataclass
class World:
    """One cloud, as it is being asked."""

    cloud: Cloud
    clock: Clock = field(default_factory=SystemClock)
    tokens: Tokens = field(default_factory=Tokens)
    faults: list[Fault] = field(default_factory=list)
    base: str = BASE

    def now(self) -> float:
        """Unix seconds."""
        return self.clock.now()

    def advance(self) -> None:
        """Bring the cloud up to now."""
        advance(self.cloud, self.now())


@dataclass(frozen=True)
class Who:
    """Whose request it is, in which project."""

    user: User
    project: Project


async def _here(request: Request) -> World:
    world = request.app.state.world
    assert isinstance(world, World)
    return world


Here = Annotated[World, Depends(_here)]


def token_of(request: Request) -> Token:
    """The token that the gate has found good."""
    token = request.scope["token"]
    assert isinstance(token, Token)
    return token


async def _who(request: Request) -> Who:
    token = token_of(request)
    assert token.project, "the gate lets nobody through without a project, but to Keystone"
    return Who(token.user, token.project)


Caller = Annotated[Who, Depends(_who)]
