"""Which commit the services are at, so that what they make can say so."""

import subprocess
from pathlib import Path

from labkit.paths import ROOT

UNKNOWN = "unknown"


def code_revision(root: Path = ROOT) -> str:
    """The commit of a checkout, with `-dirty` behind it if its services are not as committed; `unknown` without git."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None or commit.returncode:
        return UNKNOWN
    changed = _git(root, "status", "--porcelain", "--", "services")
    return commit.stdout.strip() + ("-dirty" if changed and changed.stdout.strip() else "")


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
