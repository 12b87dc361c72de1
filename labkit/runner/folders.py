"""The folder of each run, and what is kept of earlier ones."""

import json
import os
import shutil
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from labkit.stack import Stack, StackError

KEPT = 5
"""How many runs are kept."""

LATEST = "latest"

STACK = "stack"
"""In the folder of a run: the logs of its stack, and the data of an embedded one while it runs."""

NOTE = "stack.json"
"""In the folder of a run: where its stack is."""


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
    old = [folder for folder in sorted(_all(runs), key=_age)[:-keep] if not (_goes_on(folder) or _has_services(folder))]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return old


def note_stack(folder: Path, stack: Stack, *, kept: bool) -> None:
    """Write down where the stack of a run is, and whether it shall go on when the run is over."""
    noted = {"place": stack.place, "port_offset": stack.port_offset, "kept": kept}
    (folder / NOTE).write_text(json.dumps(noted))


def stacks(runs: Path, *, only_lost: bool = False) -> list[Stack]:
    """The stacks of all runs that are still known here.

    `only_lost`: those of runs that were killed. Containers go on when the one who started them is gone.
    """
    found = []
    for folder in _all(runs):
        noted = _noted(folder)
        is_lost = noted and noted["place"] != "embedded" and not (noted["kept"] or _goes_on(folder))
        if noted and (is_lost or not only_lost):
            found.append(Stack(folder / STACK, noted["place"], noted["port_offset"]))
    return found


def _all(runs: Path) -> list[Path]:
    found = runs.iterdir() if runs.is_dir() else ()
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _noted(folder: Path) -> dict[str, Any]:
    """What is known of the stack of a run; empty when it never came to have one."""
    try:
        return dict(json.loads((folder / NOTE).read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _has_services(folder: Path) -> bool:
    """Whether something may still run there; nobody knows while Docker does not answer."""
    noted = _noted(folder) or {"place": "embedded", "port_offset": 0}  # of a version that wrote no note
    try:
        return bool(Stack(folder / STACK, noted["place"], noted["port_offset"]).ps())
    except StackError:
        return True


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
