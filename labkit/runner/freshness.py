"""Notebooks are made from snippets: make them where they are missing, and say when they are stale."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from labkit.paths import ROOT
from labkit.runner.errors import RunError

BUILD_DOCS = ROOT / "build_docs.sh"


def ensure(notebooks: Path, say: Callable[[str], None]) -> None:
    """Build the notebooks if there are none. Stale ones run as they are, after a warning: somebody may be editing.

    Raises:
        RunError: they could not be built; holds what the builder said.
    """
    if not any(notebooks.glob("*.ipynb")):
        say("There are no notebooks yet: building them from snippets/.")
        if (built := _build_docs()).returncode:
            raise RunError(f"./build_docs.sh failed:\n{built.stdout}")
    elif (checked := _build_docs("--check")).returncode:
        say(f"The notebooks that run now are not what the snippets say. {checked.stdout.strip()}")


def _build_docs(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUILD_DOCS, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
