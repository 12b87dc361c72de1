"""The lab as one file for students: what `git archive` makes of a commit, after a look at everything in it."""

import gzip
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labkit.book import leaks
from labkit.book.artifact import CRATE, FACTS, Facts, crate_text, read_facts
from labkit.book.errors import PackageError
from labkit.book.snippets import read_all
from labkit.revision import archived_revision

LARGEST = 500 * 1024 * 1024
"""Bytes of all files together: what Chameleon's Jupyter packs, and Trovi launches."""

WITHHELD = {
    "solutions": "solutions/ is for instructors: .gitattributes should say `/solutions export-ignore`",
    "docker/.env": "docker/.env holds the passwords of one machine: `git rm --cached docker/.env`",
    "requirements.txt": "Chameleon's Jupyter would install requirements.txt at each launch: name that file otherwise",
}
"""What must not get out, and what to do about it."""


@dataclass(frozen=True)
class Package:
    """The archive `file`: its `commit`, how many `files` of how many bytes (`unpacked`) it holds, and its checksum."""

    file: Path
    facts: Facts
    commit: str
    files: int
    unpacked: int
    sha256: str

    @property
    def packed(self) -> int:
        """Bytes of the archive."""
        return self.file.stat().st_size


def make(root: Path, secrets: Mapping[str, str], ref: str | None = None, out: Path | None = None) -> Package:
    """Write the archive of the lab at `root`; the same commit always gives the same bytes.

    Args:
        root: the git checkout.
        secrets: values that must not be in it, by the names of their settings.
        ref: commit, branch or tag; HEAD without one, and then nothing may be uncommitted.
        out: the archive; build/ and the name that docs/artifact.yaml gives without one.

    Raises:
        PackageError: there is no such commit, or it holds what it must not, or lacks what it must have.
        SnippetError: its facts or snippets cannot be read, or a secret is in it.
    """
    commit = _commit(root, ref)
    with tempfile.TemporaryDirectory(prefix="lab-package-") as folder:
        tar, tree = Path(folder, "lab.tar"), Path(folder, "lab")
        # A setting of whoever packs must not change the bytes.
        _git(root, "-c", "tar.umask=0022", "-c", "core.autocrlf=false", "archive", f"--output={tar}", commit)
        files, unpacked = _measured(tar)
        tree.mkdir()
        subprocess.run(["tar", "-xf", str(tar), "-C", str(tree)], check=True)  # as Chameleon does
        facts = _looked_through(tree, commit, secrets)
        file = out or root / "build" / f"{facts.archive}.tar.gz"
        return Package(file, facts, commit, files, unpacked, _compressed(tar, file))


def _commit(root: Path, ref: str | None) -> str:
    if not (root / ".git").exists():
        raise PackageError(f"expected a git checkout, and {root} is none: clone the lab's repository")
    if ref is None and (changed := _git(root, "status", "--porcelain", "--untracked-files=no")):
        raise PackageError(f"only what is committed gets into the package. Commit these, or name a --ref:\n{changed}")
    try:
        return _git(root, "rev-parse", "--verify", f"{ref or 'HEAD'}^{{commit}}")
    except PackageError as error:
        raise PackageError(f"there is no commit {ref or 'HEAD'} here: {error}") from error


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PackageError("git makes the package, and is not on this machine: install it") from error
    if done.returncode:
        raise PackageError(f"git {arguments[-1]}: {done.stderr.strip()}")
    return done.stdout.rstrip()


def _measured(tar: Path) -> tuple[int, int]:
    """How many files the archive holds, and how many bytes they are together."""
    with tarfile.open(tar) as archive:
        sizes = [member.size for member in archive if not member.isdir()]
    if sum(sizes) > LARGEST:
        raise PackageError(f"expected at most {LARGEST:,} bytes, which is Trovi's limit, got {sum(sizes):,}")
    return len(sizes), sum(sizes)


def _looked_through(tree: Path, commit: str, secrets: Mapping[str, str]) -> Facts:
    """The facts of the unpacked lab at `tree`, in which all is as it should be."""
    facts = read_facts(tree)
    if facts is None:
        raise PackageError(f"{FACTS} is missing: it says what the portal shows")
    if wrong := [*_withheld(tree), *_missing(tree, facts, commit)]:
        raise PackageError("\n".join(wrong))
    leaks.refuse(_texts(tree), secrets)
    return facts


def _withheld(tree: Path) -> Iterator[str]:
    yield from (remedy for name, remedy in WITHHELD.items() if (tree / name).exists())


def _missing(tree: Path, facts: Facts, commit: str) -> Iterator[str]:
    """What students would miss, as sentences."""
    for name in ("README.md", facts.begin):
        if not (tree / name).is_file():
            yield f"{name} is missing, where students begin"
    crate = tree / CRATE
    if not crate.exists() or crate.read_text(encoding="utf-8") != crate_text(facts, read_all(tree / "snippets")):
        yield f"{CRATE} is stale: run ./build_docs.sh and commit what it changes"
    if archived_revision(tree) != commit:
        yield "labkit/REVISION does not name the commit: .gitattributes should say `/labkit/REVISION export-subst`"


def _texts(tree: Path) -> Iterator[tuple[Path, str]]:
    for file in sorted(tree.rglob("*")):
        if file.is_file():
            yield file, file.read_text(encoding="utf-8", errors="replace")


def _compressed(tar: Path, file: Path) -> str:
    """Compress without name and time, which would make each archive another one; returns its SHA-256."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with (
        tar.open("rb") as source,
        file.open("wb") as target,
        gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed,
    ):
        shutil.copyfileobj(source, packed)
    with file.open("rb") as made:
        return hashlib.file_digest(made, "sha256").hexdigest()
