"""Scenarios by name: starting states and failures.

Several are joined with a plus: `lease_only+no_floating_ip`. A word may follow a colon: `service_down:neutron`.
"""

from tests.chameleon.lookalike import failures, starting_states
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.stage import FAILURES, STATES, Stage
from tests.chameleon.lookalike.world import World

SCENARIOS = STATES | FAILURES
__all__ = ["SCENARIOS", "apply", "failures", "starting_states"]


def apply(world: World, names: Names, text: str) -> None:
    """Set the scenarios that a text names, first the states: what is there was made before anything failed.

    Raises:
        KeyError: there is no scenario of that name.
    """
    parts = [part.strip().partition(":") for part in text.split("+")]
    for name, _, word in sorted(parts, key=lambda part: part[0] in FAILURES):
        SCENARIOS[name](Stage(world, names, word))
