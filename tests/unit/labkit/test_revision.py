import subprocess
from pathlib import Path

import pytest

from labkit.revision import UNKNOWN, archived_revision, code_revision


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "services").mkdir()
    for name in ("services/code.py", "README.md"):
        (tmp_path / name).write_text("first\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def test_it_is_the_commit(checkout: Path) -> None:
    commit = git(checkout, "log", "-1", "--format=%H")
    assert len(commit) == 40
    assert code_revision(checkout) == commit


def test_only_changes_of_the_services_count(checkout: Path) -> None:
    commit = code_revision(checkout)
    (checkout / "README.md").write_text("other\n")
    assert code_revision(checkout) == commit
    (checkout / "services/new.py").write_text("new\n")
    assert code_revision(checkout) == f"{commit}-dirty"
    git(checkout, "add", "services")
    assert code_revision(checkout) == f"{commit}-dirty"
    git(checkout, "commit", "--quiet", "--message=second")
    assert code_revision(checkout) == git(checkout, "log", "-1", "--format=%H") != commit


def test_an_archive_knows_its_commit(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (checkout / "labkit").mkdir()
    (checkout / "labkit/REVISION").write_text("$Format:%H$\n")
    (checkout / ".gitattributes").write_text("/labkit/REVISION export-subst\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message=archived")
    commit = git(checkout, "log", "-1", "--format=%H")
    assert code_revision(checkout) == commit
    assert archived_revision(checkout) is None

    around = tmp_path_factory.mktemp("somebody else's checkout")
    unpacked = around / "lab"
    git(around, "init", "--quiet")
    git(around, "commit", "--quiet", "--allow-empty", "--message=other")
    unpacked.mkdir()
    git(checkout, "archive", "--output", str(around / "lab.tar"), "HEAD")
    subprocess.run(["tar", "-xf", around / "lab.tar", "-C", unpacked], check=True)
    assert code_revision(unpacked) == archived_revision(unpacked) == commit
    (unpacked / "labkit/REVISION").write_text("$Format:%H$\n")  # copied, not archived
    assert code_revision(unpacked).startswith(git(around, "log", "-1", "--format=%H"))


def test_what_cannot_be_known_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_revision(tmp_path) == UNKNOWN  # no checkout
    git(tmp_path, "init", "--quiet")
    assert code_revision(tmp_path) == UNKNOWN  # no commit
    monkeypatch.setenv("PATH", "")
    assert code_revision(tmp_path) == UNKNOWN  # no git
