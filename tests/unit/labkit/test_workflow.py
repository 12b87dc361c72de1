"""The workflow on GitHub does what .ci/run does."""

import shutil
import subprocess

import pytest
import yaml

from labkit.paths import ROOT

WORKFLOW = ROOT / ".github/workflows/lab.yaml"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_it_runs_what_ci_runs_and_publishes_only_after_that() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    commands = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert commands == [".ci/run", "./build_docs.sh"]
    assert jobs["publish"]["needs"] == "test"
    assert all((ROOT / command).exists() for command in commands)


def test_it_may_do_no_more_than_it_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["test"]
    assert set(workflow["jobs"]["publish"]["permissions"]) == {"pages", "id-token"}


def test_it_is_valid() -> None:
    tool = [found] if (found := shutil.which("actionlint")) else ["go", "run", ACTIONLINT]
    if not shutil.which(tool[0]):
        pytest.skip("neither actionlint nor Go is on this machine: the workflow was not checked")
    looked = subprocess.run([*tool, str(WORKFLOW)], capture_output=True, text=True, check=False, timeout=300)
    assert looked.returncode == 0, looked.stdout + looked.stderr
