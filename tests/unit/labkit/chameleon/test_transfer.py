import subprocess
from pathlib import Path

from labkit.chameleon.transfer import files
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


def test_of_an_unpacked_copy_all_is_taken_but_what_was_made_there(tmp_path: Path) -> None:
    for name in (
        "lab",
        "docker/.env",
        "docker/env.template",
        "build/runs/x",
        ".venv/bin/python",
        "a/__pycache__/b.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert files(tmp_path) == ["lab", "docker/env.template"]


def test_a_file_that_git_lists_and_somebody_has_deleted_is_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in ("kept", "deleted"):
        (tmp_path / name).write_text("x")
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    (tmp_path / "deleted").unlink()
    assert files(tmp_path) == ["kept"]
