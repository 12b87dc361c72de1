"""What students are told when Chameleon says no. The texts are the services' own, as their sources have them."""

import pytest

from labkit.chameleon.causes import CAUSES, cause_of

SAID = {
    "no project": "RuntimeError: you are in no project",
    "several projects": "RuntimeError: you are in several projects: CHI-1, CHI-2",
    "no user name": "RuntimeError: this Jupyter does not say who you are",
    "name taken": "RuntimeError: another user of your project has taken the name node-data-ana",
    "models not packed": "RuntimeError: the models are not packed; all else is",
    "server switched off": "RuntimeError: server status SHUTOFF",
    "login expired": "Unauthorized: The request you have made requires authentication. (HTTP 401)",
    "allocation used up": "reservation for project chi-251409 would spend 8.00 sus, only 2.50 left",
    "allocation expired": "Cannot create a lease beyond Chameleon project expiration date. Please ask your PI",
    "lease too long": "lease duration of 9 seconds must be less than or equal to the maximum lease duration of 8",
    "too early to extend": "Lease can only be extended within 172800 seconds of the leases current end time.",
    "no machines left": "not enough hosts available\nResourceError: Unable to make lease",
    "lease has not started": "ResourceError: Lease did not reach 'active' status within 120 seconds",
    "lease failed": "RuntimeError: lease has failed",
    "quota reached": "403: Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
    "no floating IP left": "IpAddressGenerationFailureClient: No more IP addresses available on network 7cc1f3fe.",
    "server failed": "RuntimeError: server has failed: No valid host was found. There are not enough hosts available.",
    "server not found": "ResourceError: Could not refresh server: No Server found for None",
    "key missing": "FileNotFoundError: [Errno 2] No such file or directory: '/work/.ssh/id_rsa.pub'",
    "image missing": "CHIValueError: No images found matching name or ID CC-Ubuntu24.04",
    "flavor missing": "CHIValueError: No flavors found matching name m1.xlarge",
    "host key changed": "BadHostKeyException: Host key for server '192.0.2.7' does not match: got 'AA'",
    "SSH denied": "AuthenticationException: Authentication failed.",
    "SSH refused": "Waited too long for the port 22 on host 192.0.2.7 to start accepting connections.",
    "service down": "HttpException: 503 Server Error for url: https://kvm.tacc.chameleoncloud.org:9292/v2/images",
}


@pytest.mark.parametrize(("name", "said"), SAID.items())
def test_a_message_of_a_service_has_its_cause(name: str, said: str) -> None:
    cause = cause_of(said)
    assert cause is not None
    assert cause.name == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("server not found", "NotFound: Instance 7f could not be found. (HTTP 404)"),
        ("service down", "ConnectFailure: Unable to establish connection to https://x: ('Connection aborted.', R…"),
        ("service down", "HttpException: HttpException: 503: Server Error for url: https://x, (HTTP 503)"),
        ("login expired", "Unauthorized: The request you have made requires authentication. (HTTP 401)"),
    ],
)
def test_a_server_that_could_not_be_looked_at_need_not_be_gone(name: str, said: str) -> None:
    found = cause_of(f"{said}\nResourceError: Could not refresh server: {said.partition(': ')[2]}")
    assert found is not None
    assert found.name == name


def test_each_cause_is_known_to_this_test_and_says_what_to_do() -> None:
    assert {cause.name for cause in CAUSES} == set(SAID)
    assert all(cause.happened.endswith(".") and len(cause.remedy) > 20 for cause in CAUSES)


@pytest.mark.parametrize("said", ["", "KeyError: 'x'", "port 5000 of 401k", "a lease of 500 hours"])
def test_anything_else_has_none(said: str) -> None:
    assert cause_of(said) is None
