"""Which commit the services are at, so that what they make can say so."""

import re
import subprocess
from pathlib import Path

from labkit.paths import ROOT

UNKNOWN = "unknown"
ARCHIVED = "labkit/REVISION"
"""In an archive that git made, the commit; in a checkout, the words in whose place git puts it."""

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def code_revision(root: Path = ROOT) -> str:
    """The commit of a checkout, with `-dirty` behind it if its services are not as committed, or of an archive.

    `unknown` where neither git nor the archive says it. In an archive nobody knows whether something was changed.
    """
    # Without this look, git would find the checkout around a folder into which the archive was unpacked.
    if not (root / ".git").exists() and (archived := archived_revision(root)):
        return archived
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None or commit.returncode:
        return UNKNOWN
    changed = _git(root, "status", "--porcelain", "--", "services")
    return commit.stdout.strip() + ("-dirty" if changed and changed.stdout.strip() else "")


def archived_revision(root: Path = ROOT) -> str | None:
    """The commit of an archive that was unpacked at `root`; None elsewhere."""
    file = root / ARCHIVED
    written = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    return written if _COMMIT.fullmatch(written) else None


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
