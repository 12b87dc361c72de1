"""What the student has when a notebook begins."""

from tests.chameleon.lookalike import changes, population
from tests.chameleon.lookalike.cloud import Delays
from tests.chameleon.lookalike.population import HOUR
from tests.chameleon.lookalike.resources import Group
from tests.chameleon.lookalike.stage import Stage, state


@state
def nothing(stage: Stage) -> None:
    """The student has nothing yet; others have."""


@state
def lease_only(stage: Stage) -> None:
    """An active lease, and no server."""
    population.add_lease(stage.world.cloud, stage.names, stage.world.now())


@state
def lease_and_server(stage: Stage) -> None:
    """A lease and a server that runs, without an address or a group of its own."""
    population.add_node(stage.world.cloud, stage.names, stage.world.now())


@state
def everything_but_address(stage: Stage) -> None:
    """A server with its security groups, and no floating IP."""
    cloud, now = stage.world.cloud, stage.world.now()
    population.add_groups(cloud, stage.names, population.add_node(cloud, stage.names, now), now)


@state
def everything(stage: Stage) -> None:
    """What the first notebook leaves when it succeeds."""
    cloud, now = stage.world.cloud, stage.world.now()
    server = population.add_node(cloud, stage.names, now)
    population.add_groups(cloud, stage.names, server, now)
    population.give_address(cloud, server, now)


@state
def server_gone(stage: Stage) -> None:
    """A lease and a floating IP; somebody has deleted the server."""
    cloud, now = stage.world.cloud, stage.world.now()
    server = population.add_node(cloud, stage.names, now)
    population.give_address(cloud, server, now)
    changes.remove_server(cloud, server, now)


@state
def group_without_rule(stage: Stage) -> None:
    """Security groups of the right names, which open nothing."""
    cloud, now = stage.world.cloud, stage.world.now()
    for port in stage.names.ports:
        changes.add_group(cloud, Group(stage.names.group.format(port=port), stage.project.id), now, stage.names.user)


@state
def groups_of_a_classmate(stage: Stage) -> None:
    """A classmate has run the notebook: the security groups are there, and her server uses them."""
    cloud, now = stage.world.cloud, stage.world.now()
    server = next(one for one in cloud.servers.values() if one.name.endswith(population.CLASSMATE))
    population.add_groups(cloud, stage.names, server, now)


@state
def spare_address(stage: Stage) -> None:
    """The project holds a floating IP that is attached to nothing, for whatever reason."""
    cloud = stage.world.cloud
    changes.add_address(cloud, stage.project.id, next(cloud.free_addresses()), stage.world.now(), population.CLASSMATE)


@state
def lease_ended(stage: Stage) -> None:
    """A lease of the same name has ended a week ago, and is still listed."""
    now = stage.world.now()
    population.add_lease(stage.world.cloud, stage.names, now, ends=now - 7 * 24 * HOUR)


@state
def two_leases(stage: Stage) -> None:
    """Two active leases of the same name, as two runs at a time make them."""
    lease_only(stage)
    lease_only(stage)


@state
def two_servers(stage: Stage) -> None:
    """Two leases and two servers of the same names."""
    lease_and_server(stage)
    lease_and_server(stage)


@state
def docker_there(stage: Stage) -> None:
    """Nodes have Docker from the start."""
    stage.world.cloud.docker_installed = True


@state
def name_taken(stage: Stage) -> None:
    """A classmate's lease and server have the very names that the student's would have."""
    cloud, names = stage.world.cloud, stage.names
    next(one for one in cloud.leases.values() if one.name.endswith(population.CLASSMATE)).name = names.lease
    next(one for one in cloud.servers.values() if one.name.endswith(population.CLASSMATE)).name = names.server


@state
def at_once(stage: Stage) -> None:
    """Leases begin, servers boot and go away without a delay; for tests of other things."""
    stage.world.cloud.delays = Delays(lease=0, boot=0, delete=0)
