"""The embedded place when something dies that should not, or two people start it at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from labkit.paths import ROOT
from labkit.stack import Stack
from tests.integration.labkit.processes import ask, is_alive, processes_of, wait_until


def leader_of(stack: Stack, module: str) -> psutil.Process:
    (found,) = [one for one in processes_of(stack.home) if one.cmdline()[1:] == ["-m", module]]
    return found


def supervisor_of(stack: Stack) -> psutil.Process:
    return psutil.Process(int((stack.home / "supervisor.pid").read_text()))


def test_workers_of_a_killed_service_do_not_keep_its_port(own_stack: Stack) -> None:
    own_stack.up("api_v1", API_WORKERS=2)
    leader = leader_of(own_stack, "gourmetgram.api")
    workers = leader.children(recursive=True)
    assert len(workers) >= 2
    leader.kill()  # the leader alone, as when memory runs out
    wait_until(lambda: leader_of(own_stack, "gourmetgram.api").pid != leader.pid)
    wait_until(lambda: httpx.get(f"{own_stack.url('api')}/health").status_code == 200)
    wait_until(lambda: not any(is_alive(worker) for worker in workers))


def test_a_killed_supervisor_leaves_nothing_in_the_way(own_stack: Stack) -> None:
    own_stack.up("postgres", "minio")
    ask(own_stack, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = processes_of(own_stack.home)
    supervisor_of(own_stack).kill()
    own_stack.up("postgres", "minio")
    assert ask(own_stack, "SELECT answer FROM kept") == (42,)
    assert not any(is_alive(process) for process in before)


def test_a_reused_process_number_is_left_alone(own_stack: Stack) -> None:
    own_stack.up("postgres")
    own_stack.down()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        (own_stack.home / "processes/postgres.group").write_text(str(stranger.pid))
        own_stack.up("postgres")
        assert stranger.poll() is None
        stranger.communicate(b"\n")
    assert stranger.returncode == 0


def test_two_commands_may_start_a_stack_at_once(own_stack: Stack) -> None:
    code = (
        "import sys; from pathlib import Path; from labkit.stack import Stack;"
        "Stack(Path(sys.argv[1]), 'embedded', int(sys.argv[2])).up('postgres', 'minio')"
    )
    argv = [sys.executable, "-c", code, str(own_stack.home), str(own_stack.port_offset)]
    both = [subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [("", 0)] * 2
    assert {one.name for one in own_stack.ps()} == {"postgres", "minio"}
    assert ask(own_stack, "SELECT count(*) FROM pg_roles WHERE rolname = 'student'") == (1,)


def test_a_service_added_to_the_compose_file_starts_beside_the_others(
    own_stack: Stack, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_stack.up("minio")
    running = supervisor_of(own_stack)
    shutil.copytree(ROOT / "docker", home / "docker", ignore=shutil.ignore_patterns(".env*"))
    file = home / "docker/docker-compose.yaml"
    more = '\n  waiter:\n    build: .\n    command: [python, -c, "import time; time.sleep(600)"]\n'
    file.write_text(file.read_text().replace("\nservices:\n", f"\nservices:{more}", 1))
    monkeypatch.setenv("LAB_COMPOSE_FILE", str(file))

    Stack(own_stack.home, "embedded", own_stack.port_offset).up("waiter")

    assert {one.name for one in own_stack.ps() if one.state == "running"} >= {"minio"}
    assert supervisor_of(own_stack) == running
    assert any("time.sleep(600)" in one.cmdline()[-1] for one in processes_of(own_stack.home))


def test_a_file_of_another_user_is_never_trusted_by_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from labkit.stack import StackError
    from labkit.stack.servers import base

    if os.geteuid() != 0:
        pytest.skip("only root runs servers as somebody else")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = base.public_folder(closed)
    try:
        assert folder != closed
        os.chown(folder, 65533, 65533)
        with pytest.raises(StackError, match="was not made by the lab"):
            base.public_folder(closed)
    finally:
        folder.rmdir()
