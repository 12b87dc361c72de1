import subprocess
from pathlib import Path

from labkit.chameleon.transfer import TOP, files
from labkit.paths import ROOT

NEEDED = {
    "lab",
    "docker/docker-compose.yaml",
    "notebooks/2_application.ipynb",
    "labkit/chameleon/node.sh",
    "locks/lab.txt",
}


def test_of_a_checkout_what_git_knows_is_taken() -> None:
    taken = set(files(ROOT))
    assert taken >= NEEDED
    assert "docker/.env" not in taken
    assert not any(name.startswith((".venv/", "build/", ".git/")) for name in taken)


def test_the_top_of_the_lab_is_known() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {name.partition("/")[0] for name in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} - {"solutions", "work"} == TOP


def test_of_an_unpacked_copy_nothing_goes_along_that_is_not_the_labs(tmp_path: Path) -> None:
    """Chameleon's Jupyter unpacks an artifact into the folder in which a student's keys are."""
    strange = (".ssh/id_rsa", "id_rsa", "other/thesis.pdf", "work/mine.tar.gz", "solutions/0_intro.md", "docker/.env")
    made = ("build/runs/x", ".venv/bin/python", "labkit/__pycache__/b.pyc", "notebooks/.ipynb_checkpoints/x.ipynb")
    for name in ("lab", "docker/env.template", "labkit/cli.py", *strange, *made):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert files(tmp_path) == ["docker/env.template", "lab", "labkit/cli.py"]


def test_a_file_that_git_lists_and_somebody_has_deleted_is_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "docs").mkdir()
    for name in ("lab", "docs/deleted.md"):
        (tmp_path / name).write_text("x")
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    (tmp_path / "docs/deleted.md").unlink()
    assert files(tmp_path) == ["lab"]
