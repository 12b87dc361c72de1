"""How a scenario is written: a function with a line about it, which gets a stage."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.resources import Project
from tests.chameleon.lookalike.world import World


@dataclass(frozen=True)
class Stage:
    """Where a scenario is set: the cloud, what the student's things are called, and the word after the colon."""

    world: World
    names: Names
    word: str = ""

    @property
    def project(self) -> Project:
        """The student's."""
        return self.world.cloud.project(self.names.project)


Scenario = Callable[[Stage], None]
STATES: dict[str, Scenario] = {}
FAILURES: dict[str, Scenario] = {}


def state(set_up: Scenario) -> Scenario:
    """A starting state, by the name of its function."""
    STATES[set_up.__name__] = set_up
    return set_up


def failure(set_up: Scenario) -> Scenario:
    """A failure, by the name of its function."""
    FAILURES[set_up.__name__] = set_up
    return set_up
