"""A notebook in a container: what it can do without Docker, and with the packages that its image has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.paths import ROOT
from labkit.stack import Stack, StackError

TOLD = {"LAB_PLACE": "inside", "LAB_SERVICE": "jupyter", "S3_ENDPOINT": "http://minio:9000", "POLICY_VERSION": "v1"}

AS_IN_THE_IMAGE = """
import importlib.abc, re, sys
from importlib.metadata import packages_distributions
locked = set(re.findall(r"^([a-z0-9._-]+)==", open(sys.argv[1]).read(), re.MULTILINE))
known = packages_distributions()
class OnlyLocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        owners = {one.lower().replace("_", "-").replace(".", "-") for one in known.get(name.partition(".")[0], [])}
        if owners and not owners & locked and name.partition(".")[0] not in ("labkit", "gourmetgram"):
            raise ModuleNotFoundError(f"the image has no {name}", name=name)
sys.meta_path.insert(0, OnlyLocked())
"""
USED_INSIDE = """
import os
os.environ.update(LAB_PLACE="inside", LAB_SERVICE="jupyter")
from labkit import lab
lab.up("api_v2"), lab.links(), lab.environment("training")
with lab.stage("x") as stage: stage.check("true", True, "")
import gourmetgram.training.__main__, matplotlib.pyplot, pandas, httpx, redis, kafka, minio
"""


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Stack(tmp_path)


def in_the_image(code: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run code as with the packages of the image alone."""
    argv = [sys.executable, "-c", AS_IN_THE_IMAGE + code, str(ROOT / "locks/training.txt")]
    environment = {**os.environ, "LAB_HOME": str(folder)}
    return subprocess.run(argv, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_the_packages_of_the_image_are_enough(tmp_path: Path) -> None:
    done = in_the_image(USED_INSIDE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "api_v2               is left out here: this notebook runs in a container" in done.stdout


def test_what_the_image_does_not_have_is_missed_by_this_test(tmp_path: Path) -> None:
    assert "the image has no supervisor" in in_the_image("import supervisor", tmp_path).stderr


def test_it_learns_what_the_container_was_told_and_nothing_else(inside: Stack) -> None:
    assert inside.environment("training") == {"S3_ENDPOINT": "http://minio:9000", "POLICY_VERSION": "v1"}
    assert inside.setting("POLICY_VERSION") == "v1"
    with pytest.raises(StackError, match="not told STUDENT_DB_PASSWORD"):
        inside.setting("STUDENT_DB_PASSWORD")


def test_it_makes_no_secrets_of_its_own(inside: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("secrets were asked for")

    monkeypatch.setattr("labkit.stack.secrets.ensure", refuse)
    Stack(inside.home).environment("training")


def test_services_are_reached_by_their_names(inside: Stack) -> None:
    assert inside.address("postgres") == "postgres:5432"
    assert inside.address("redpanda") == "redpanda:9092"
    assert inside.url("api") == "http://api:8000"
    assert inside.address("scorer") == "risk_scoring_service:8003"
    with pytest.raises(StackError, match="Containers do not talk to adminer"):
        inside.address("adminer")


def test_a_tool_of_the_same_image_runs_here(inside: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "services"))
    assert "train" in inside.run("training", "--help")
    with pytest.raises(StackError, match=r"status 2[\s\S]*invalid choice: 'fly'"):
        inside.run("training", "fly")


@pytest.mark.parametrize(
    ("do", "command"),
    [
        (lambda stack: stack.run("lakehouse", "status"), "./lab lakehouse status"),
        (lambda stack: stack.stop("api_v2"), "./lab stop api_v2"),
        (lambda stack: stack.kill("api_v2"), "./lab stop api_v2"),
        (lambda stack: stack.logs("api_v2", 3), "./lab logs -n 3 api_v2"),
        (lambda stack: stack.down(), "./lab down"),
        (lambda stack: stack.destroy(), "./lab reset"),
    ],
)
def test_anything_else_is_for_a_terminal_of_the_machine(inside: Stack, do: object, command: str) -> None:
    assert callable(do)
    with pytest.raises(StackError, match="no Docker in this container") as caught:
        do(inside)
    assert str(caught.value).endswith(command)


def test_a_place_that_nobody_chooses_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"There are: embedded, compose, chameleon\."):
        Stack(tmp_path, "moon")
