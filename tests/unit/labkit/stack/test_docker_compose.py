"""What Docker Compose is told; it reads the file without an engine."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from labkit.paths import ROOT, compose_file
from labkit.stack import secrets
from labkit.stack.compose_file import ComposeFile
from labkit.stack.docker_compose import DockerCompose, command, environment
from labkit.stack.errors import StackError


def has_compose() -> bool:
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_ours_wins_over_docker_env_and_that_over_the_shell() -> None:
    shell = {"PASSWORD": "of the shell", "API_PORT": "1", "LAB_BIND": "0.0.0.0", "COMPOSE_ANSI": "always"}
    told = environment(shell, {"PASSWORD": "of the file", "API_PORT": "2"}, {"API": 8000}, 100)
    assert told == {
        "PASSWORD": "of the file",
        "API_PORT": "8100",
        "LAB_BIND": "0.0.0.0",
        "COMPOSE_ANSI": "never",
        "COMPOSE_PROGRESS": "plain",
    }


def test_addresses_for_processes_never_reach_a_container() -> None:
    told = environment({"API_ADDRESS": "127.0.0.1:1", "API_LISTEN": "127.0.0.1:1"}, {}, {"API": 8000}, 0)
    assert not {"API_ADDRESS", "API_LISTEN"} & set(told)


@pytest.mark.skipif(not has_compose(), reason="Docker Compose is not installed")
def test_compose_fills_in_what_docker_env_says(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = secrets.ensure()
    monkeypatch.setenv("POSTGRES_PASSWORD", "forgotten")
    monkeypatch.setenv("POSTGRES_PORT", "1")
    file = ComposeFile(compose_file())
    told = environment(os.environ, settings, file.ports, 40)
    argv = command(file, "config", "--format", "json")
    said = subprocess.run(argv, cwd=ROOT, env=told, capture_output=True, text=True, check=True).stdout
    postgres = json.loads(said)["services"]["postgres"]
    assert postgres["environment"]["POSTGRES_PASSWORD"] == settings["POSTGRES_PASSWORD"]
    assert postgres["ports"][0]["published"] == str(file.ports["POSTGRES"] + 40)


def test_to_stop_nothing_stops_nothing(tmp_path: Path) -> None:
    """As without Docker; Compose itself would take no names for all."""
    place = DockerCompose(
        "compose", ComposeFile(compose_file()), tmp_path, tmp_path / "nowhere", {}, 0, is_default=True
    )
    place.stop(())
    with pytest.raises((StackError, FileNotFoundError)):
        place.stop(("postgres",))


def test_what_is_left_of_a_service_that_is_no_more_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two copies of the lab of different age share their containers."""
    place = DockerCompose("compose", ComposeFile(compose_file()), tmp_path, tmp_path, {}, 0, is_default=True)
    ended = {"State": "exited", "Status": "Exited (0)", "ExitCode": 0}
    left = [ended | {"Service": "of-yesterday"}, ended | {"Service": "migrate"}]
    monkeypatch.setattr(place, "_containers", lambda: left)
    assert {one.name: one.state for one in place.states()} == {"of-yesterday": "stopped", "migrate": "done"}
