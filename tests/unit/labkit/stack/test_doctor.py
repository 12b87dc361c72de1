import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.stack import Stack, doctor, processes
from labkit.stack.place import ServiceState


@pytest.mark.parametrize(("free", "state"), [(2 * doctor.GIGABYTE, "ok"), (2 * doctor.GIGABYTE - 1, "bad")])
def test_memory_must_reach_what_is_needed(free: int, state: str) -> None:
    found = doctor.memory(free, 2 * doctor.GIGABYTE)
    assert found.state == state
    assert bool(found.remedy) == (state == "bad")


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o640, "bad"), (0o604, "bad")])
def test_passwords_that_others_can_read_are_found(tmp_path: Path, mode: int, state: str) -> None:
    file = tmp_path / ".env"
    file.touch()
    file.chmod(mode)
    found = doctor.passwords(file)
    assert found.state == state
    assert found.remedy == ("" if state == "ok" else f"chmod 600 {file}")


def test_a_program_says_its_version() -> None:
    found = doctor.program("Python", lambda: [sys.executable, "-c", "print('one'); print('two')"])
    assert (found.state, found.text) == ("ok", "one")


def test_a_program_that_is_not_there_or_fails_is_bad_and_says_why() -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('no such library')"]
    assert "no such library" in doctor.program("it", lambda: failing).text
    assert doctor.program("it", lambda: ["/nowhere/postgres"]).state == "bad"


def test_docker_is_missed_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.docker(is_needed=False).state == "note"
    needed = doctor.docker(is_needed=True)
    assert needed.state == "bad"
    assert "docs.docker.com" in needed.remedy


@pytest.mark.parametrize(("version", "state"), [("24.0.7", "bad"), ("25.0.0", "ok"), ("28.2.2-rc1", "ok")])
def test_an_engine_that_is_too_old_is_bad(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, state: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho {version}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = doctor.docker(is_needed=True)
    assert (found.state, bool(found.remedy)) == (state, state == "bad")


@pytest.mark.parametrize(("count", "state"), [(1, "bad"), (2, "ok")])
def test_containers_need_two_processors(count: int, state: str) -> None:
    assert doctor.processors(count).state == state


def test_a_taken_port_is_named_with_its_service_and_its_holder(tmp_path: Path) -> None:
    stack = Stack.free(tmp_path)
    listen = "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
    code = f"import socket, sys; {listen}; print('up', flush=True); input()"
    argv = [sys.executable, "-c", code, str(stack.port("postgres"))]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        (found,) = doctor.taken_ports(stack)
        holder.communicate("\n")
    assert found.state == "bad"
    assert f"{stack.port('postgres')}, which postgres needs" in found.text
    assert f"process {holder.pid}" in found.text
    assert [one.state for one in doctor.taken_ports(stack)] == ["ok"]


def test_who_listens_is_known_by_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        holder = processes.listeners()[server.getsockname()[1]]
    assert holder is not None
    assert holder.pid == os.getpid()


def test_a_container_that_could_not_get_its_port_does_not_hide_who_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker lists it, for it was made; it waits for ever."""
    stack = Stack.free(tmp_path, "compose")
    listed: list[ServiceState] = []
    monkeypatch.setattr(stack, "ps", lambda: listed)
    with socket.create_server(("127.0.0.1", stack.port("postgres"))):
        for state, found in (("starting", "bad"), ("stopped", "bad"), ("running", "ok"), ("failed", "ok")):
            listed[:] = [ServiceState("postgres", state)]
            assert [one.state for one in doctor.taken_ports(stack)] == [found], state


def test_containers_have_the_machine_of_their_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac that is one of its own, with less memory."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho 1 {3 * doctor.GIGABYTE}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert doctor.engine_machine() == (1, 3 * doctor.GIGABYTE)
    docker.write_text("#!/bin/sh\necho no engine >&2; exit 1\n")
    assert doctor.engine_machine()[0] == os.cpu_count()
