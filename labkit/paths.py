"""Where things are in this checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
CACHE = BUILD / "cache"
NOTEBOOKS = ROOT / "notebooks"
SNIPPETS = ROOT / "snippets"
ENV_TEMPLATE = ROOT / "docker" / "env.template"
SECRETS = ROOT / "docker" / ".env"
PROGRESS = "progress.json"
"""Which stages and exercises a student has passed; in the folder of a stack, or of a run."""

STATE_ARCHIVE = "lab-state.tar.gz"
"""What `./lab save` calls its archive: the platform's data, which are nobody's own work."""


def compose_file() -> Path:
    """The description of the stack; LAB_COMPOSE_FILE names another one."""
    return Path(os.environ.get("LAB_COMPOSE_FILE", ROOT / "docker" / "docker-compose.yaml"))


def default_home() -> Path:
    """Where the data and logs of a stack are kept; LAB_HOME names another folder."""
    return Path(os.environ.get("LAB_HOME", BUILD / "lab"))
