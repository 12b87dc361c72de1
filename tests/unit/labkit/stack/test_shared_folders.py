import os
from pathlib import Path

import pytest

from labkit.paths import ROOT
from labkit.stack import StackError, secrets, shared_folders
from labkit.stack.compose_file import ComposeFile, Service


def jupyter(folder: Path, user: str) -> Service:
    return Service("jupyter", "own", writes=["../work"], user=user, folders={"/lab/work": "../work"})


def test_only_jupyter_writes_to_the_checkout_and_there_to_one_folder() -> None:
    file = ComposeFile(ROOT / "docker/docker-compose.yaml")
    settings = secrets.ensure() | {"LAB_UID": "1234", "LAB_GID": "99"}
    services = [file.service(name, settings) for name in file.names]
    assert [(one.name, one.writes, one.user) for one in services if one.writes] == [("jupyter", ["../work"], "1234:99")]


def test_a_folder_is_made_for_the_user_of_the_service(tmp_path: Path) -> None:
    user = "10001" if os.geteuid() == 0 else str(os.geteuid())
    shared_folders.prepare(jupyter(tmp_path, f"{user}:{os.getegid()}"), tmp_path / "docker")
    assert (tmp_path / "work").stat().st_uid == int(user)


def test_who_may_not_hand_it_over_is_told_how_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    mine = os.getuid()
    with pytest.raises(StackError, match=f"belongs to user {mine}, .*sudo chown {mine + 1} .*LAB_UID={mine} into"):
        shared_folders.prepare(jupyter(tmp_path, f"{mine + 1}:1"), tmp_path / "docker")


@pytest.mark.parametrize("user", ["", "nobody"])
def test_where_no_numbers_are_said_nothing_is_touched(tmp_path: Path, user: str) -> None:
    shared_folders.prepare(jupyter(tmp_path, user), tmp_path / "docker")
    assert not (tmp_path / "work").exists()


def test_containers_never_write_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: 501)
    assert secrets.container_user(tmp_path) == "501"
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert secrets.container_user(tmp_path) == str(owner or secrets.IMAGE_USER)
    assert secrets.container_user(Path("/")) == str(secrets.IMAGE_USER)
    told = secrets.ensure(ROOT / "docker/env.template", tmp_path / ".env")
    assert told["LAB_UID"].isdigit()
    assert int(told["LAB_UID"]) > 0
    assert int(told["LAB_GID"]) > 0
