"""The embedded place on real servers: start, crash, stop, side by side."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.paths import ROOT
from labkit.stack import Stack, StackError, ports, starting
from tests.integration.labkit.processes import ask, is_alive, processes_of, wait_until

SERVERS = ("postgres", "minio", "redpanda")


@pytest.fixture
def changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Use a copy of the Compose file in which one text is replaced by another."""

    def change(old: str, new: str) -> None:
        folder = home / "docker"
        shutil.copytree(ROOT / "docker", folder, ignore=shutil.ignore_patterns(".env*"))
        file = folder / "docker-compose.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        monkeypatch.setenv("LAB_COMPOSE_FILE", str(file))

    return change


def test_stopping_leaves_no_process_and_no_port(own_stack: Stack) -> None:
    own_stack.up(*SERVERS)
    running = processes_of(own_stack.home)
    taken = [port + own_stack.port_offset for port in own_stack.file.ports.values()]
    assert {one.name for one in own_stack.ps() if one.state == "running"} == set(SERVERS)
    assert running

    own_stack.down()

    assert not any(is_alive(process) for process in running)
    assert not processes_of(own_stack.home)
    assert all(ports.is_free(port) for port in taken)
    assert own_stack.ps() == []


def test_what_is_ready_is_running_at_once(own_stack: Stack) -> None:
    for _ in range(2):
        own_stack.up("postgres")
        assert [(one.name, one.state) for one in own_stack.ps()] == [("postgres", "running")]
        own_stack.stop("postgres")
        assert own_stack.ps() == []


def test_data_survives_a_stop(own_stack: Stack) -> None:
    own_stack.up("postgres")
    ask(own_stack, "CREATE TABLE kept AS SELECT 42 AS answer")
    own_stack.down()
    own_stack.up("postgres")
    assert ask(own_stack, "SELECT answer FROM kept") == (42,)


def test_a_killed_server_comes_back_with_its_data(own_stack: Stack) -> None:
    own_stack.up(*SERVERS)
    ask(own_stack, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = {one.name: one.detail for one in own_stack.ps()}
    for name in SERVERS:
        own_stack.kill(name)
    wait_until(lambda: ask(own_stack, "SELECT answer FROM kept") == (42,))
    own_stack.up(*SERVERS)  # returns only when each answers again
    assert {one.name for one in own_stack.ps() if one.state == "running"} == set(before)


def test_two_stacks_run_side_by_side(own_stack: Stack, home: Path) -> None:
    other = Stack.free(home / "other")
    try:
        own_stack.up("postgres")
        other.up("postgres")
        ask(own_stack, "CREATE TABLE only_here ()")
        assert ask(other, "SELECT to_regclass('only_here')") == (None,)
        other.down()
        assert ask(own_stack, "SELECT 1") == (1,)
    finally:
        other.destroy()


def test_starting_twice_changes_nothing(own_stack: Stack) -> None:
    own_stack.up("postgres")
    since = own_stack.ps()
    started = ask(own_stack, "SELECT pg_postmaster_start_time()")
    own_stack.up("postgres")
    assert own_stack.ps() == since
    assert ask(own_stack, "SELECT pg_postmaster_start_time()") == started


def test_other_settings_restart_a_service(stack: Stack) -> None:
    def api_process() -> int:
        (found,) = [p.pid for p in processes_of(stack.home) if "gourmetgram.api" in p.cmdline()]
        return found

    stack.up("api_v1", API_WORKERS=1)
    first = api_process()
    stack.up("api_v1", API_WORKERS=1)
    assert api_process() == first
    stack.up("api_v1", API_WORKERS=2)
    assert api_process() != first
    stack.stop("api_v1")


def test_an_unfinished_first_start_is_done_again(own_stack: Stack) -> None:
    own_stack.up("postgres")
    ask(own_stack, "DROP DATABASE IF EXISTS nothing")
    own_stack.down()
    (own_stack.home / "servers/postgres/initialized").unlink()  # as if it had been killed just before its end
    own_stack.up("postgres")
    assert ask(own_stack, "SELECT count(*) FROM pg_roles WHERE rolname = 'student'") == (1,)


def test_a_service_that_cannot_start_is_named_with_its_log(
    changed: Callable[[str, str], None], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "CRASHING_SECONDS", 1)  # it need not be given up as late as on a busy machine
    changed('["python", "-m", "gourmetgram.api"]', '["python", "-m", "gourmetgram.apy"]')
    stack = Stack.free(home / "stack")
    try:
        with pytest.raises(StackError, match=r"service api_v1 ends again[\s\S]*gourmetgram\.apy") as caught:
            stack.up("api_v1")
        assert caught.value.service == "api_v1"
    finally:
        stack.destroy()


def test_a_failed_one_shot_is_named_and_not_what_waits_for_it(changed: Callable[[str, str], None], home: Path) -> None:
    changed("gourmetgram_owner:${OWNER_DB_PASSWORD:?}@", "gourmetgram_owner:wrong@")
    stack = Stack.free(home / "stack")
    try:
        with pytest.raises(StackError, match=r"service migrate ended with status 1[\s\S]*password") as caught:
            stack.up("api_v1")
        assert caught.value.service == "migrate"
    finally:
        stack.destroy()


@pytest.mark.parametrize(
    ("port", "service", "wanted"), [("postgres", "postgres", "migrate"), ("api", "api_v1", "api_v1")]
)
def test_a_taken_port_is_named_before_anything_starts(own_stack: Stack, port: str, service: str, wanted: str) -> None:
    with (
        socket.create_server(("127.0.0.1", own_stack.port(port))),
        pytest.raises(StackError, match="LAB_PORT_OFFSET") as caught,
    ):
        own_stack.up(wanted)
    assert caught.value.service == service
    assert f"The service {service} needs port {own_stack.port(port)}" in str(caught.value)
    assert f"process {os.getpid()} of user" in str(caught.value)
    assert own_stack.ps() == []


def test_a_stack_ends_with_its_owner(home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from labkit.stack import Stack;"
        "Stack.free(Path(sys.argv[1])).up('postgres', 'minio'); print('up', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen(
        ["/bin/sh", "-c", 'LAB_OWNER_PID=$$ exec "$0" -c "$1" "$2"', sys.executable, code, str(home / "stack")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    running = [process for process in processes_of(home / "stack") if process.pid != owner.pid]
    assert len(running) > 3
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    wait_until(lambda: not any(is_alive(process) for process in running))
