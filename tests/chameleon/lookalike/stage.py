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
SCENARIOS: dict[str, Scenario] = {}


def scenario(set_up: Scenario) -> Scenario:
    """Give a scenario the name of its function."""
    SCENARIOS[set_up.__name__] = set_up
    return set_up
