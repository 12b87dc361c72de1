"""Scenarios by name: starting states and failures.

Several are joined with a plus, first the state: `lease_only+no_floating_ip`. A word may follow a colon:
`service_down:neutron`.
"""

from tests.chameleon.lookalike import failures, starting_states
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.stage import SCENARIOS, Stage
from tests.chameleon.lookalike.world import World

__all__ = ["SCENARIOS", "apply", "failures", "starting_states"]


def apply(world: World, names: Names, text: str) -> None:
    """Set the scenarios that a text names, one after the other.

    Raises:
        KeyError: there is no scenario of that name.
    """
    for part in text.split("+"):
        name, _, word = part.strip().partition(":")
        SCENARIOS[name](Stage(world, names, word))
