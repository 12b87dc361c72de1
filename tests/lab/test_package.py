"""What students get: packed by the real command, unpacked as the portal does, opened in a real Jupyter."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from labkit.paths import ROOT
from tests.support.processes import ENDS_WITH_ITS_PARENT, free_port, wait_until
from tests.support.trovi import imported, refusals

FIRST = "notebooks/0_intro.ipynb"
TOKEN = "let-me-in-" + "x" * 20

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this copy of the lab has no git: nothing to pack")


def run(*argv: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env=os.environ | environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("package") / "lab.tar.gz"
    packed = run(ROOT / "lab", "package", "--ref", "HEAD", "--out", file)
    assert packed.returncode == 0, packed.stderr
    return file


@pytest.fixture(scope="module")
def copy(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder."""
    folder = tmp_path_factory.mktemp("student") / "work"
    folder.mkdir()
    assert run("tar", "-C", folder, "-xf", archive).returncode == 0
    return folder


def head() -> str:
    return run("git", "rev-parse", "HEAD").stdout.strip()


def test_packed_twice_it_is_the_same_file(archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar.gz"
    said = run(ROOT / "lab", "package", "--ref", head(), "--out", again)
    assert again.read_bytes() == archive.read_bytes()
    assert head() in said.stdout
    assert "Share → Package as a new artifact" in said.stdout


def test_it_holds_all_that_is_tracked_but_what_is_not_for_students(copy: Path) -> None:
    tracked = set(run("git", "ls-tree", "-r", "--name-only", "HEAD").stdout.splitlines())
    held = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if not file.is_dir()}
    left_out = {name.partition("/")[0] for name in tracked - held}
    assert held <= tracked
    assert left_out == {".ci", ".github", "solutions"}
    assert not (copy / ".git").exists()
    assert not (copy / "requirements.txt").exists()
    for program in ("lab", "build_docs.sh", "docker/proxy/start"):
        assert os.access(copy / program, os.X_OK)


def test_the_portal_can_import_it(copy: Path) -> None:
    assert refusals(imported(copy)) == []


def test_the_readme_points_to_the_first_notebook_at_once(copy: Path) -> None:
    beginning = "\n".join((copy / "README.md").read_text().splitlines()[:8])
    assert f"]({FIRST})" in beginning
    assert (copy / FIRST).is_file()


def test_the_code_in_it_runs_and_knows_its_commit(copy: Path) -> None:
    code = "import labkit, labkit.revision as r; print(labkit.__file__); print(r.code_revision())"
    said = run(sys.executable, "-c", code, cwd=copy, PYTHONPATH=f"{copy}:{copy / 'services'}").stdout.split()
    assert said == [str(copy / "labkit/__init__.py"), head()]


def test_its_notebooks_are_those_of_its_snippets(copy: Path) -> None:
    checked = run(sys.executable, "-m", "labkit.book", "--check", "--notebooks", cwd=copy, PYTHONPATH=str(copy))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_images_can_be_built_from_it(copy: Path) -> None:
    """Each file that the Dockerfile copies is there, seen from where the Compose file builds."""
    compose = copy / "docker/docker-compose.yaml"
    builds = [yaml.safe_load(found)["build"] for found in re.findall(r"^ *(build: \{.*\})$", compose.read_text(), re.M)]
    assert {build["target"] for build in builds} == {"services", "airflow", "training", "proxy"}
    (context,) = {compose.parent / build["context"] for build in builds}
    (dockerfile,) = {context / build["dockerfile"] for build in builds}
    copied = " ".join(re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile.read_text(), re.M)).split()
    for lock in filter(None, (build.get("args", {}).get("LOCK") for build in builds)):
        copied += [source.replace("${LOCK}", lock) for source in copied if "${LOCK}" in source]
    sources = {source for source in copied if "${LOCK}" not in source}
    assert len(sources) >= 10
    assert {source for source in sources if not (context / source).exists()} == set()


@pytest.fixture
def jupyter(copy: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """Jupyter with the student's folder as its root, and nothing of ours in its settings."""
    port = free_port()
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = os.environ | folders | {"HOME": str(tmp_path), "JUPYTER_NO_CONFIG": "1"}
    argv = [*ENDS_WITH_ITS_PARENT, sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    argv += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={copy}"]
    log = tmp_path / "jupyter.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*argv, f"--IdentityProvider.token={TOKEN}"], cwd=copy, env=environment, stdout=output, stderr=output
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"token {TOKEN}"})
        try:
            wait_until(lambda: server.poll() is not None or answers(client), "Jupyter answers", 90)
            assert server.poll() is None, log.read_text()
            yield client
        finally:
            client.close()
            server.terminate()
            server.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api").is_success
    except httpx.TransportError:
        return False


def test_jupyter_opens_it_at_the_first_notebook(jupyter: httpx.Client, copy: Path) -> None:
    before = {file for file in copy.rglob("*") if "__pycache__" not in file.parts}
    notebook: dict[str, Any] = jupyter.get(f"/api/contents/{FIRST}").raise_for_status().json()
    assert notebook["type"] == "notebook"
    assert notebook["content"]["metadata"]["kernelspec"]["name"] == "python3"
    assert "# GourmetGram, part 0" in notebook["content"]["cells"][0]["source"]
    assert jupyter.get(f"/lab/tree/{FIRST}").status_code == 200
    names = {one["name"] for one in jupyter.get("/api/contents/").raise_for_status().json()["content"]}
    assert {"README.md", "lab", "notebooks"} <= names
    assert jupyter.get("/api/contents/solutions").status_code == 404
    assert {file for file in copy.rglob("*") if "__pycache__" not in file.parts} == before
