"""The Compose place on a real engine; skipped where there is none."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack, StackError


def has_engine() -> bool:
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not has_engine(), reason="no Docker engine answers here")


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL with its schema, in a project of its own."""
    stack = Stack.free(tmp_path_factory.mktemp("compose"), place="compose")
    try:
        stack.up("postgres", "migrate")
        yield stack
    finally:
        stack.destroy()


def states(stack: Stack) -> dict[str, str]:
    return {one.name: one.state for one in stack.ps()}


def test_lasting_services_run_and_one_shots_are_done(compose: Stack) -> None:
    assert states(compose) == {"postgres": "running", "migrate": "done"}
    socket.create_connection(("127.0.0.1", compose.port("postgres")), timeout=5).close()


def test_logs_are_what_the_service_wrote(compose: Stack) -> None:
    lines = compose.logs("migrate").splitlines()
    assert lines
    assert not any("\x1b" in line or line.startswith("migrate-1") for line in lines)


def test_a_tool_gets_arguments_and_returns_what_it_printed(compose: Stack) -> None:
    tokens = {compose.run("token", "--scope", "import").split()[-1] for _ in range(2)}
    assert len(tokens) == 2


def test_what_was_stopped_is_stopped_and_not_failed(compose: Stack) -> None:
    compose.stop("postgres")
    assert states(compose)["postgres"] == "stopped"
    compose.up("postgres")
    assert states(compose)["postgres"] == "running"


def test_a_taken_port_names_its_service(compose: Stack) -> None:
    with (
        socket.create_server(("127.0.0.1", compose.port("adminer"))),
        pytest.raises(StackError, match="The service adminer did not start") as caught,
    ):
        compose.up("adminer")
    assert caught.value.service == "adminer"
    assert "LAB_PORT_OFFSET" in str(caught.value)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def test_destroying_leaves_no_container_and_no_volume(tmp_path: Path) -> None:
    stack = Stack.free(tmp_path, place="compose")
    try:
        stack.up("postgres")
        label = "com.docker.compose.project"
        project = docker("ps", f"--filter=publish={stack.port('postgres')}", f'--format={{{{.Label "{label}"}}}}')
        mine = f"--filter=label={label}={project}"
        assert docker("ps", "--all", "--quiet", mine)
        assert docker("volume", "ls", "--quiet", mine)
    finally:
        stack.destroy()
    assert not docker("ps", "--all", "--quiet", mine)
    assert not docker("volume", "ls", "--quiet", mine)
