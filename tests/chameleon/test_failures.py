"""Each usual failure on Chameleon: what the student is told, and that the notebook then goes on where it stopped."""

import pytest

from tests.chameleon.place import Place, open_place
from tests.chameleon.portal import EVERYTHING, create_server_only, own
from tests.chameleon.student import Student

LEASE, SERVER, ADDRESS, DOORS, REACH = (
    "reserve a machine",
    "start the server",
    "get an address",
    "open the ports",
    "reach the server",
)
FAILURES = {
    "no_project": ("log in to Chameleon", "no project"),
    "login_expired": ("log in to Chameleon", "login expired"),
    "no_allocation": (LEASE, "allocation expired"),
    "allocation_spent": (LEASE, "allocation used up"),
    "flavors_exhausted": (LEASE, "no machines left"),
    "lease_stays_pending": (LEASE, "lease has not started"),
    "lease_error": (LEASE, "lease failed"),
    "service_down:blazar": (LEASE, "service down"),
    "image_missing": (SERVER, "image missing"),
    "quota_instances": (SERVER, "quota reached"),
    "server_error": (SERVER, "server failed"),
    "service_down:nova": (LEASE, "service down"),
    "no_floating_ip": (ADDRESS, "no floating IP left"),
    "quota_floating_ips": (ADDRESS, "quota reached"),
    "quota_security_groups": (DOORS, "quota reached"),
    "service_down:neutron": (SERVER, "service down"),
    "ssh_refused": (REACH, "SSH refused"),
    "ssh_denied": (REACH, "SSH denied"),
}


@pytest.mark.parametrize(("scenario", "doing", "cause"), [(name, *told) for name, told in FAILURES.items()])
def test_a_failure_is_explained_and_the_next_run_goes_on(scenario: str, doing: str, cause: str, me: Student) -> None:
    with open_place(f"at_once+{scenario}", me.node_files) as place:
        failed = create_server_only(place, me, patience=8)
        assert failed.error.startswith(f"ChameleonError: ✗ Could not {doing}: {cause}."), failed.error
        assert "\n→ " in failed.error
        assert "Chameleon says:" in failed.error
        assert "Traceback" not in failed.traceback
        place.set("calm+at_once")
        if any(own(place).values()) and scenario != "image_missing":  # which stays away: one takes another image
            assert_goes_on(place, me)


def assert_goes_on(place: Place, me: Student) -> None:
    resumed = create_server_only(place, me)
    assert not resumed.error, resumed.traceback
    assert own(place) == EVERYTHING
    assert place.result().damage == []


def test_a_student_without_a_key(me: Student) -> None:
    with open_place("at_once+no_keypair", me.node_files) as place:
        failed = create_server_only(place, me)
        assert failed.error.startswith(f"ChameleonError: ✗ Could not {SERVER}: key missing."), failed.error
        assert "ssh-keygen" in failed.error


def test_tokens_are_renewed_without_a_word(me: Student) -> None:
    with open_place("at_once+token_expired", me.node_files) as place:
        assert_goes_on(place, me)


def test_a_service_that_is_down_for_a_moment_takes_as_many_runs(me: Student) -> None:
    with open_place("at_once+service_blips:nova", me.node_files) as place:
        for _ in range(2):
            assert "service down" in create_server_only(place, me).error
        assert_goes_on(place, me)
