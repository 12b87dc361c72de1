"""Notebook 1 goes on from whatever was left half finished, and notebook 9 ends it."""

import pytest

from tests.chameleon.place import open_place
from tests.chameleon.portal import EVERYTHING, MINE, NOTHING, PORTS, create_server_only, delete, opened, own
from tests.chameleon.student import Student


@pytest.mark.parametrize(
    "state",
    ["lease_only", "lease_ended", "lease_and_server", "everything_but_address", "server_gone", "group_without_rule"],
)
def test_a_half_finished_set_up_is_resumed(state: str, me: Student) -> None:
    with open_place(f"at_once+{state}", me.node_files) as place:
        made = create_server_only(place, me)
        assert not made.error, made.traceback
        assert own(place) == EVERYTHING
        assert "hello from" in made.text
        assert opened(place) == PORTS
        assert place.result().damage == []


def test_an_address_that_a_classmate_has_not_used_yet_is_left_alone(me: Student) -> None:
    with open_place("at_once+spare_address", me.node_files) as place:
        spare = next(one for one in place.cloud()["floating_ips"] if one["port"] is None)
        made = create_server_only(place, me)
        assert not made.error, made.traceback
        assert own(place) == EVERYTHING
        ended = delete(place, me, delete_unsaved=True)
        assert not ended.error, ended.traceback
        assert own(place) == NOTHING
        assert spare in place.cloud()["floating_ips"]
        assert f"addresses that no server uses: {spare['address']}" in ended.text


@pytest.mark.parametrize("state", ["lease_only", "server_gone", "two_leases", "two_servers"])
def test_what_is_left_of_a_set_up_is_deleted(state: str, me: Student) -> None:
    with open_place(f"at_once+{state}", me.node_files) as place:
        ended = delete(place, me, delete_unsaved=True)
        assert not ended.error, ended.traceback
        assert own(place) == NOTHING
        assert place.result().damage == []


def test_a_server_with_unsaved_work_is_not_deleted(me: Student) -> None:
    with open_place("at_once+everything+ssh_refused", me.node_files) as place:
        ended = delete(place, me)
        assert "your work is saved, or not wanted" in ended.error
        assert "NOT SAVED" in ended.text
        assert own(place) == EVERYTHING


def test_what_a_classmate_has_under_the_same_name_is_not_touched(me: Student) -> None:
    with open_place("at_once+name_taken", me.node_files) as place:
        failed = create_server_only(place, me)
        assert "Could not reserve a machine: name taken." in failed.error
        refused = delete(place, me, delete_unsaved=True)
        assert "name taken." in refused.error
        assert place.result().damage == []
        assert place.cloud()["by_project"]["CHI-251409"]["servers"] == {MINE[1]: "ACTIVE"}
