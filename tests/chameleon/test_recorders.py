"""What nodes are asked to do to the machine is written down, and not done."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chameleon.lookalike.node_home import ABSENT, ANSWERS, RECORDED, NodeHome


@pytest.fixture
def place(tmp_path: Path) -> NodeHome:
    place = NodeHome("node-1", tmp_path / "node", tmp_path / "commands.jsonl")
    place.make(None, docker=False)
    return place


def bash(place: NodeHome, command: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    argv = ["/bin/bash", "-c", command]
    environment = place.environment
    return subprocess.run(
        argv, env=environment, cwd=place.home, input=stdin, capture_output=True, text=True, timeout=20, check=False
    )


def recorded(place: NodeHome) -> list[Any]:
    return [json.loads(line)["argv"] for line in place.log.read_text().splitlines()] if place.log.exists() else []


@pytest.mark.parametrize("name", RECORDED)
def test_each_recorder_succeeds_and_is_found_before_the_real_one(place: NodeHome, name: str) -> None:
    done = bash(place, f"command -v {name} && {name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{place.recorders}/{name}\n")
    assert recorded(place) == [[name]]


def test_no_program_that_is_recorded_or_absent_is_reached_by_its_name(place: NodeHome) -> None:
    for folder in place.environment["PATH"].split(":")[1:]:
        assert not {one.name for one in Path(folder).iterdir()} & {*RECORDED, *ABSENT}


def test_arguments_and_the_input_of_tee_are_kept_as_they_were(place: NodeHome) -> None:
    done = bash(place, """sudo -E tee "/etc/a file" <<< '{"x": "ä"}' """)
    assert done.stdout == '{"x": "ä"}\n'
    assert [json.loads(line) for line in place.log.read_text().splitlines()] == [
        {"node": "node-1", "argv": ["sudo", "-E", "tee", "/etc/a file"], "stdin": '{"x": "ä"}\n'}
    ]
    assert not Path("/etc/a file").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sudo apt-get update", [["sudo", "apt-get", "update"], ["apt-get", "update"]]),
        (
            "sudo DEBIAN_FRONTEND=noninteractive apt-get -y install jq",
            [
                ["sudo", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "install", "jq"],
                ["apt-get", "-y", "install", "jq"],
            ],
        ),
        (
            "sudo -u cc -H usermod -aG docker cc",
            [["sudo", "-u", "cc", "-H", "usermod", "-aG", "docker", "cc"], ["usermod", "-aG", "docker", "cc"]],
        ),
        (
            "sudo bash -c 'systemctl restart docker'",
            [["sudo", "bash", "-c", "systemctl restart docker"], ["systemctl", "restart", "docker"]],
        ),
        ("sg docker -c 'systemctl status'", [["sg", "docker", "-c", "systemctl status"], ["systemctl", "status"]]),
        ("sg docker 'service x'", [["sg", "docker", "service x"], ["service", "x"]]),
        ("sudo", [["sudo"]]),
        ("sudo -i", [["sudo", "-i"]]),
    ],
)
def test_sudo_and_sg_go_on(place: NodeHome, command: str, expected: list[list[str]]) -> None:
    done = bash(place, command)
    assert (done.returncode, done.stderr) == (0, "")
    assert recorded(place) == expected


def test_what_sudo_would_do_to_the_machine_is_not_done(place: NodeHome, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.touch()
    for command in (f"rm -f {keep}", f"mkdir -p {tmp_path}/new", f"install -d {tmp_path}/new", f"chmod 000 {keep}"):
        assert bash(place, f"sudo {command}").returncode == 0
    assert keep.stat().st_mode & 0o777
    assert not (tmp_path / "new").exists()
    assert len(recorded(place)) == 4


def test_docker_comes_with_its_package(place: NodeHome) -> None:
    assert bash(place, "docker ps").returncode == 127
    bash(place, "sudo apt-get update && sudo apt-get install -y docker.io")
    assert bash(place, "sudo docker compose up -d && sg docker -c 'docker ps'").returncode == 0
    assert recorded(place)[-4:] == [
        ["sudo", "docker", "compose", "up", "-d"],
        ["docker", "compose", "up", "-d"],
        ["sg", "docker", "-c", "docker ps"],
        ["docker", "ps"],
    ]


def test_docker_may_be_there_from_the_start(tmp_path: Path) -> None:
    place = NodeHome("node-1", tmp_path / "node", tmp_path / "commands.jsonl")
    place.make(None, docker=True)
    assert bash(place, "docker ps").returncode == 0


def test_a_test_may_answer_for_a_recorder(place: NodeHome) -> None:
    answers = place.log.with_name(ANSWERS)
    answers.mkdir()
    script = answers / "apt-get"
    script.write_text('#!/bin/bash\necho "E: Could not get lock, $1" >&2\nexit 100\n')
    script.chmod(0o755)
    done = bash(place, "sudo apt-get update")
    assert (done.returncode, done.stderr) == (100, "E: Could not get lock, update\n")
    assert recorded(place) == [["sudo", "apt-get", "update"], ["apt-get", "update"]]


def test_commands_see_nothing_of_our_environment(place: NodeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_OURS", "x")
    names = {line.split("=")[0] for line in bash(place, "env").stdout.splitlines()}
    assert names - {"PWD", "SHLVL", "_"} == set(place.environment)
    assert os.environ["PATH"] not in bash(place, "echo $PATH").stdout
