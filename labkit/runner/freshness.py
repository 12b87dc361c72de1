"""Notebooks are made from snippets: make them where they are missing, and say when they are stale."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from labkit.paths import BUILD, ROOT
from labkit.runner.errors import RunError

BUILD_DOCS = ROOT / "build_docs.sh"
SOLVED = BUILD / "solved"


def ensure(notebooks: Path, say: Callable[[str], None]) -> None:
    """Build the notebooks if there are none. Stale ones run as they are, after a warning: somebody may be editing.

    Raises:
        RunError: they could not be built; holds what the builder said.
    """
    if not any(notebooks.glob("*.ipynb")):
        say("There are no notebooks yet: building them from snippets/.")
        if (built := _build_docs("--notebooks")).returncode:
            raise RunError(f"./build_docs.sh failed:\n{built.stdout}")
    elif (checked := _build_docs("--check", "--notebooks")).returncode:
        say(f"The notebooks that run now are not what the snippets say. {checked.stdout.strip()}")


def with_solutions() -> Path:
    """Build the notebooks in which the exercises are solved; returns their folder.

    Raises:
        RunError: they could not be built, or this copy of the lab has no solutions.
    """
    if (built := _build_docs("--notebooks")).returncode:
        raise RunError(f"./build_docs.sh failed:\n{built.stdout}")
    if not any(SOLVED.glob("*.ipynb")):
        raise RunError("this copy of the lab has no solutions/: only instructors' copies do")
    return SOLVED


def _build_docs(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUILD_DOCS, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
