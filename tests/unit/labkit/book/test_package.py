import gzip
import hashlib
import io
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from labkit.book import package
from labkit.book.__main__ import main
from labkit.book.build import Book
from labkit.book.errors import PackageError, SnippetError
from labkit.book.package import Package, make
from tests.unit.labkit.book.small_artifact import commit, git, make_repository, write
from tests.unit.labkit.book.small_lab import PASSWORD


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path)


def made(root: Path, ref: str | None = None, out: Path | None = None) -> Package:
    return make(root, Book(root).secrets(), ref, out)


def refusal(root: Path, ref: str | None = None) -> str:
    with pytest.raises((PackageError, SnippetError)) as refused:
        made(root, ref)
    assert not list((root / "build").glob("*.tar.gz"))
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name: opened.read() for member in members if (opened := archive.extractfile(member))}


def test_it_holds_the_commit_without_solutions(root: Path) -> None:
    packed = made(root)
    files = contents(packed.file)
    assert packed.file == root / "build/small.tar.gz"
    tracked = set(git(root, "ls-files").splitlines())
    assert set(files) == tracked - {"solutions/0_start.md"}
    assert "solutions/0_start.md" in tracked
    assert files["labkit/REVISION"].decode() == f"{packed.commit}\n" == git(root, "rev-parse", "HEAD") + "\n"
    assert files["trovi.json"] == (root / "trovi.json").read_bytes()


def test_it_says_what_it_holds(root: Path) -> None:
    packed = made(root)
    files = contents(packed.file)
    assert (packed.files, packed.unpacked) == (len(files), sum(map(len, files.values())))
    assert packed.sha256 == hashlib.sha256(packed.file.read_bytes()).hexdigest()
    assert packed.packed == packed.file.stat().st_size


def test_a_commit_always_gives_the_same_bytes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(root)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 100_000)
    git(root, "config", "tar.umask", "0077")
    git(root, "config", "core.autocrlf", "true")
    (root / "README.md").touch()
    old = os.umask(0o077)
    try:
        second = made(root, out=root / "build/other/name.tar.gz")
    finally:
        os.umask(old)
    assert second.file.read_bytes() == first.file.read_bytes()
    assert first.file.read_bytes()[3:8] == bytes(5)  # RFC 1952: no flags, such as a name, and no time
    commit(root, {"README.md": "# Other\n"})
    assert made(root).sha256 != first.sha256


def test_what_is_not_committed_is_no_part_of_it(root: Path) -> None:
    head = git(root, "rev-parse", "HEAD")
    git(root, "tag", "v1")
    (root / "new.txt").write_text("nobody added this\n")
    assert "new.txt" not in contents(made(root).file)
    (root / "build/small.tar.gz").unlink()
    (root / "README.md").write_text("# Half a change\n")
    said = refusal(root)
    assert "README.md" in said
    assert "--ref" in said
    for ref in ("HEAD", "v1", head, head[:10]):
        packed = made(root, ref)
        assert packed.commit == head
        assert b"Half" not in contents(packed.file)["README.md"]


def test_an_older_commit_is_judged_by_itself(root: Path) -> None:
    good = git(root, "rev-parse", "HEAD")
    commit(root, {"requirements.txt": "numpy\n"})
    assert "requirements.txt" in refusal(root)
    assert made(root, good).commit == good


BAD: Mapping[str, tuple[dict[str, str], str]] = {
    "solutions": ({".gitattributes": "/labkit/REVISION export-subst\n"}, "solutions/ is for instructors"),
    "commit": ({".gitattributes": "/solutions export-ignore\n"}, "labkit/REVISION does not name the commit"),
    "passwords": ({"docker/.env": "DB_PASSWORD=other-password\n"}, "docker/.env holds the passwords"),
    "a password": ({"services/settings.py": f'password = "{PASSWORD}"\n'}, "settings.py contains the value of DB_PASS"),
    "requirements": ({"requirements.txt": "numpy\n"}, "would install requirements.txt at each launch"),
    "stale": ({"snippets/0_start.md": "---\nkernelspec: {name: python3}\n---\n\n# Other\n"}, "trovi.json is stale"),
    "edited": ({"trovi.json": "{}\n"}, "trovi.json is stale"),
    "invalid": ({"docs/artifact.yaml": "title: x\n"}, "docs/artifact.yaml: short_description: Field required"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_must_not_go_out_is_refused(root: Path, name: str) -> None:
    files, said = BAD[name]
    commit(root, files)
    assert said in refusal(root, "HEAD")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("README.md", "README.md is missing"),
        ("notebooks/0_start.ipynb", "notebooks/0_start.ipynb is missing"),
        ("trovi.json", "trovi.json is stale"),
        ("docs/artifact.yaml", "docs/artifact.yaml is missing"),
        ("labkit/REVISION", "labkit/REVISION does not name the commit"),
    ],
)
def test_what_students_would_miss_is_refused(root: Path, file: str, said: str) -> None:
    git(root, "rm", "--quiet", file)
    commit(root)
    assert said in refusal(root)


def test_a_password_in_a_binary_file_is_found(root: Path) -> None:
    (root / "picture.bin").write_bytes(b"\xff\x00\x80" + PASSWORD.encode() + b"\xfe")
    commit(root)
    assert "picture.bin contains the value of DB_PASSWORD" in refusal(root)


def test_more_than_the_portal_takes_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = made(root).unpacked
    (root / "build/small.tar.gz").unlink()
    monkeypatch.setattr(package, "LARGEST", size - 1)
    assert f"expected at most {size - 1:,} bytes, which is Trovi's limit, got {size:,}" in refusal(root)
    monkeypatch.setattr(package, "LARGEST", size)
    assert made(root).unpacked == size
    assert package.__dict__["LARGEST"] == size


def test_it_says_where_there_is_nothing_to_pack(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert "there is no commit nonsense here" in refusal(root, "nonsense")
    assert "there is no commit --help here" in refusal(root, "--help")
    elsewhere = tmp_path_factory.mktemp("copy")
    write(elsewhere, {"README.md": "# A copy\n"})
    with pytest.raises(PackageError, match="expected a git checkout"):
        make(elsewhere, {})


def test_nothing_is_left_beside_the_archive(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "build"))
    before = set((root / "build").iterdir())
    packed = made(root)
    refusal_left = set((root / "build").iterdir()) - before
    assert refusal_left == {packed.file}
    assert git(root, "status", "--porcelain") == ""
    with gzip.open(packed.file) as archive, tarfile.open(fileobj=io.BytesIO(archive.read())) as tar:
        assert not any(member.name.startswith(("/", "..")) for member in tar)


def test_packing_needs_no_build_before(root: Path) -> None:
    """A fresh clone has no build/, and its notebooks are those that were committed."""
    assert main(["--check"], root) == 0
    for file in sorted((root / "build").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (root / "build").rmdir()
    assert made(root).file.exists()
