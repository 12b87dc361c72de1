import subprocess
import sys
from pathlib import Path

import pytest

from labkit.stack import environments
from labkit.stack.errors import StackError


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose lock file `small` names nothing, so that nothing is fetched."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "services").mkdir()
    (tmp_path / "services/gourmetgram_is_found.py").touch()
    (tmp_path / "locks/small.txt").write_text("# nothing\n")
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "environments")
    return tmp_path


def test_an_environment_is_made_once_and_again_when_its_lock_file_changes(small: Path) -> None:
    said: list[str] = []
    environments.ensure("small", said.append)
    assert [line.split()[0] for line in said] == ["installing", "installed"]
    environments.ensure("small", said.append)
    assert len(said) == 2
    (small / "locks/small.txt").write_text("# nothing else\n")
    environments.ensure("small", said.append)
    assert len(said) == 4


def test_programs_of_an_environment_find_our_packages(small: Path) -> None:
    environments.ensure("small", lambda _: None)
    python = environments.program("small", "python")
    assert Path(python).is_relative_to(small)
    subprocess.run([python, "-c", "import gourmetgram_is_found"], check=True)


def test_an_environment_may_be_without_our_packages(small: Path) -> None:
    environments.ensure("small", lambda _: None, finds_services=False)
    python = environments.program("small", "python")
    assert subprocess.run([python, "-c", "import gourmetgram_is_found"], check=False, capture_output=True).returncode


def test_without_an_environment_python_is_ours() -> None:
    assert environments.program("", "python") == sys.executable
    assert environments.program("", "true") == "true"


def test_a_missing_lock_file_is_said_in_a_sentence(small: Path) -> None:
    with pytest.raises(StackError, match="names the environment other, and there is no locks"):
        environments.ensure("other")


def test_what_cannot_be_installed_is_said_and_tried_again(small: Path) -> None:
    lock = small / "locks/small.txt"
    lock.write_text("no-checksum==1.0\n")
    with pytest.raises(StackError, match="uv pip failed"):
        environments.ensure("small", lambda _: None)
    lock.write_text("# nothing\n")
    environments.ensure("small", lambda _: None)
    assert (environments.folder("small") / "installed").exists()
