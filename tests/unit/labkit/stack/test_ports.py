import socket
import subprocess
import sys

import pytest

from labkit.stack import StackError, ports


def test_variables_tell_port_address_and_where_to_listen() -> None:
    assert ports.variables({"API": 8000}, 100) == {
        "API_PORT": "8100",
        "API_ADDRESS": "127.0.0.1:8100",
        "API_LISTEN": "127.0.0.1:8100",
        "API_LISTEN_HOST": "127.0.0.1",
        "API_LISTEN_NUMBER": "8100",
    }


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_an_offset_with_a_taken_port_is_not_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        for _ in range(20):
            assert ports.free_offset([taken - 40]) != 40


def test_two_processes_get_different_offsets() -> None:
    code = "from labkit.stack import ports; print(ports.free_offset([8000]), flush=True); input()"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    offsets = []
    for process in started:
        assert process.stdout is not None
        offsets.append(process.stdout.readline())
    for process in started:
        process.communicate("\n")
    assert len(set(offsets)) == 3


def test_what_is_released_may_be_had_again(monkeypatch: pytest.MonkeyPatch) -> None:
    only = ports.free_offset([8000])
    monkeypatch.setattr(ports, "OFFSETS", range(only, only + 1))
    with pytest.raises(StackError, match="No free ports"):
        ports.free_offset([8000])
    ports.release(only)
    assert ports.free_offset([8000]) == only
    ports.release(only)
    ports.release(only)  # not ours any more: nothing happens
