import base64
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.paths import ROOT, SECRETS
from labkit.stack import StackError, secrets

TEMPLATE = "# About\nADMIN=admin\nPASSWORD=<generate>\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "env.template"
    file.write_text(TEMPLATE)
    return file


def test_secrets_are_random_long_and_private(template: Path, tmp_path: Path) -> None:
    first = secrets.ensure(template, tmp_path / "one.env")
    second = secrets.ensure(template, tmp_path / "two.env")
    assert first["ADMIN"] == "admin"
    assert len(first["PASSWORD"]) == secrets.LENGTH
    assert first["PASSWORD"] != second["PASSWORD"]
    assert (tmp_path / "one.env").stat().st_mode & 0o777 == 0o600


def test_existing_values_never_change_and_new_ones_are_added(template: Path, tmp_path: Path) -> None:
    target = tmp_path / ".env"
    before = secrets.ensure(template, target)
    template.write_text(TEMPLATE + "TOKEN=<generate>\n")
    after = secrets.ensure(template, target)
    assert {name: after[name] for name in before} == before
    assert len(after["TOKEN"]) == secrets.LENGTH
    assert target.stat().st_mode & 0o777 == 0o600


def test_two_first_starts_agree(template: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from labkit.stack import secrets;"
        "print(secrets.ensure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))['PASSWORD'])"
    )
    argv = [sys.executable, "-c", code, str(template), str(tmp_path / ".env")]
    started = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_an_unknown_setting_is_named(template: Path, tmp_path: Path) -> None:
    secrets.ensure(template, tmp_path / ".env")
    with pytest.raises(StackError, match="no setting PASWORD"):
        secrets.setting("PASWORD", tmp_path / ".env")


def test_no_secret_of_this_checkout_is_in_git() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    values = [value for value in secrets.ensure().values() if len(value) == secrets.LENGTH]
    assert values
    assert SECRETS.relative_to(ROOT).as_posix() not in tracked.split("\0")
    for name in filter(None, tracked.split("\0")):
        content = (ROOT / name).read_bytes()
        assert not any(value.encode() in content for value in values), name


def test_a_key_is_32_bytes_in_the_base64_that_fernet_takes(template: Path, tmp_path: Path) -> None:
    template.write_text("KEY=<generate-key>\n")
    key = secrets.ensure(template, tmp_path / ".env")["KEY"]
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_a_new_setting_is_a_line_of_its_own(template: Path, tmp_path: Path) -> None:
    """Also behind a line that somebody has written in an editor that does not end it."""
    target = tmp_path / ".env"
    target.write_text("NIMTABLE_TAG=nightly")
    found = secrets.ensure(template, target)
    assert found["NIMTABLE_TAG"] == "nightly"
    assert len(found["PASSWORD"]) == secrets.LENGTH
