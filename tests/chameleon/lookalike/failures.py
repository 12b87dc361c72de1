"""What goes wrong: for a while, until `calm`, or for ever."""

from tests.chameleon.lookalike.cloud import Cloud, Delays, Troubles
from tests.chameleon.lookalike.faults import Fault
from tests.chameleon.lookalike.population import HOUR
from tests.chameleon.lookalike.resources import EVER, Quotas
from tests.chameleon.lookalike.stage import Stage, failure
from tests.chameleon.lookalike.tokens import Tokens

PATHS = {
    "keystone": "/v3/(auth|OS-FEDERATION)",
    "blazar": "/reservation/",
    "nova": "/compute/v2.1/",
    "neutron": "/network/v2.0/",
    "glance": "/image/v2/",
    "hub": "/hub/",
    "reference": "/reference/",
}
"""Where each service is."""


@failure
def no_project(stage: Stage) -> None:
    """The student is a member of no project."""
    stage.world.cloud.user(stage.names.user).projects.clear()


@failure
def no_allocation(stage: Stage) -> None:
    """The project's allocation has expired."""
    stage.project.allocation_ends = stage.world.now() - HOUR


@failure
def allocation_spent(stage: Stage) -> None:
    """The project has one service unit left."""
    stage.project.service_units = 1.0


@failure
def flavors_exhausted(stage: Stage) -> None:
    """Everything that can be reserved is."""
    stage.world.cloud.capacity = 0


@failure
def lease_stays_pending(stage: Stage) -> None:
    """A new lease never starts."""
    stage.world.cloud.delays.lease = EVER


@failure
def lease_error(stage: Stage) -> None:
    """A new lease goes into the status ERROR."""
    stage.world.cloud.troubles.leases_fail = True


@failure
def quota_instances(stage: Stage) -> None:
    """The project may have no more servers."""
    stage.project.quotas.instances = sum(one.project == stage.project.id for one in stage.world.cloud.servers.values())


@failure
def quota_security_groups(stage: Stage) -> None:
    """The project may have no more security groups."""
    stage.project.quotas.security_groups = sum(
        one.project == stage.project.id for one in stage.world.cloud.groups.values()
    )


@failure
def quota_floating_ips(stage: Stage) -> None:
    """The project may hold no more floating IPs."""
    stage.project.quotas.floating_ips = sum(
        one.project == stage.project.id for one in stage.world.cloud.floating_ips.values()
    )


@failure
def no_floating_ip(stage: Stage) -> None:
    """All public addresses are taken."""
    stage.world.cloud.addresses = 0


@failure
def server_error(stage: Stage) -> None:
    """No host is found for a new server."""
    stage.world.cloud.troubles.no_valid_host = True


@failure
def server_stays_in_build(stage: Stage) -> None:
    """A new server never comes up."""
    stage.world.cloud.delays.boot = EVER


@failure
def no_keypair(stage: Stage) -> None:
    """The student has no key, here or in her Jupyter: the files that OS_KEYPAIR_* name are not there."""
    keys, user = stage.world.cloud.keypairs, stage.world.cloud.user(stage.names.user).id
    keys[:] = [one for one in keys if one.user != user]


@failure
def image_missing(stage: Stage) -> None:
    """The image is not there."""
    images = stage.world.cloud.images
    for image in [one for one in images.values() if one.name == stage.names.image]:
        del images[image.id]


@failure
def ssh_refused(stage: Stage) -> None:
    """Port 22 of nodes never answers."""
    stage.world.cloud.troubles.ssh = "refused"


@failure
def ssh_denied(stage: Stage) -> None:
    """Nodes answer, and accept no key."""
    stage.world.cloud.troubles.ssh = "denied"


@failure
def token_expired(stage: Stage) -> None:
    """Keystone's tokens are good for a few requests (10, or as many as the word says), then there is a new one."""
    stage.world.tokens.uses = float(stage.word or 10)


@failure
def login_expired(stage: Stage) -> None:
    """The access tokens of Jupyter are refused, until the student logs in again (`calm`)."""
    stage.world.tokens.login_expired = True


@failure
def service_down(stage: Stage) -> None:
    """A service (nova, or the one after the colon) answers 503."""
    stage.world.faults.append(Fault(PATHS[stage.word or "nova"]))


@failure
def service_blips(stage: Stage) -> None:
    """A service (nova, or the one after the colon) answers 503 two times, and is well then."""
    stage.world.faults.append(Fault(PATHS[stage.word or "nova"], remaining=2))


@failure
def calm(stage: Stage) -> None:
    """The end of all failures; what is there stays."""
    world, cloud = stage.world, stage.world.cloud
    world.faults.clear()
    world.tokens.uses, world.tokens.login_expired = Tokens().uses, False
    cloud.delays, cloud.troubles = Delays(), Troubles()
    cloud.capacity, cloud.addresses = Cloud().capacity, Cloud().addresses
    project = cloud.project(stage.names.project)
    project.quotas, project.allocation_ends, project.service_units = Quotas(), EVER, 20_000
    cloud.user(stage.names.user).projects[:] = [project.id]
