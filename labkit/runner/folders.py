"""The folder of each run, and what is kept of earlier ones."""

import os
import shutil
from datetime import datetime
from itertools import count
from pathlib import Path

from labkit.stack import Stack

KEPT = 5
"""How many runs are kept."""

LATEST = "latest"

STACK = "stack"
"""In the folder of a run: the data and logs of its embedded stack."""


def new(runs: Path, now: datetime) -> Path:
    """Make the folder of a run that starts now, and point `latest` at it; two runs never share one."""
    runs.mkdir(parents=True, exist_ok=True)
    runs.chmod(0o755)  # embedded PostgreSQL may run as another user, and has to reach its data
    stamp = now.strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        folder = runs / (stamp if number == 1 else f"{stamp}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        break
    folder.chmod(0o755)
    (folder / "pid").write_text(str(os.getpid()))
    _point(runs / LATEST, folder)
    return folder


def remove_old(runs: Path, keep: int = KEPT) -> list[Path]:
    """Delete all but the newest runs and those that still go on, or whose services do; what was deleted."""
    folders = sorted((path for path in runs.iterdir() if path.is_dir() and not path.is_symlink()), key=_age)
    old = [folder for folder in folders[:-keep] if not (_goes_on(folder) or Stack(folder / STACK, "embedded").ps())]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return old


def end(folder: Path) -> None:
    """Say that the run of this folder is over."""
    (folder / "pid").unlink(missing_ok=True)


def _point(link: Path, folder: Path) -> None:
    fresh = link.with_name(f".latest-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(link)


def _age(folder: Path) -> float:
    return folder.stat().st_mtime


def _goes_on(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
