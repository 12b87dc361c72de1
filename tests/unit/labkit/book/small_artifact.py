"""A small lab in a git repository, to pack."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from labkit.book.__main__ import main
from tests.unit.labkit.book.small_lab import FRONT_MATTER, make_lab

FACTS = """title: "A small lab: “one stage”"
short_description: Short.
long_description: |
  Takes $hours hours.

  $stages
tags: [education, reproducible research]
authors: {authors}
environment: jupyterhub
archive: small
begin: notebooks/0_start.ipynb
"""
AUTHORS = """
  - {name: Ana Díaz, email: ana@uni.example.org, affiliation: A university}
  - {name: Ben, email: ben@example.org}"""
FILES = {
    "docs/artifact.yaml": FACTS.format(authors="[]"),
    "README.md": "# Small\n\n[begin](notebooks/0_start.ipynb)\n",
    "labkit/REVISION": "$Format:%H$\n",
    ".gitattributes": "/solutions export-ignore\n/labkit/REVISION export-subst\n",
    ".gitignore": "/build/\n/docker/.env\n",
}


def git(root: Path, *arguments: str) -> str:
    """What git says, in a repository that knows nobody."""
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write these texts, by their paths in the lab."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def commit(root: Path, files: Mapping[str, str] | None = None) -> str:
    """Commit these files, even those that git should ignore, and all else that changed; returns the commit."""
    write(root, files or {})
    git(root, "add", "--all")
    if files:
        git(root, "add", "--force", *files)
    git(root, "commit", "--quiet", "--allow-empty", "--message=more")
    return git(root, "rev-parse", "HEAD")


def make_repository(root: Path) -> Path:
    """A lab of one stage with its solutions, built and committed; returns `root`."""
    make_lab(root)
    write(root, FILES)
    assert main([], root) == 0
    git(root, "init", "--quiet")
    commit(root, {"solutions/0_start.md": FRONT_MATTER + "# Solutions\n"})
    return root
