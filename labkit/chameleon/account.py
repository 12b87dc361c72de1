"""Who we are on Chameleon, and for which project and site we speak."""

import os
import re
from typing import Final

from chi import context

SHARED: Final = ("jovyan", "root", "cc")
"""Names that a Jupyter may have for everybody."""


def username() -> str:
    """Who we are, as part of the names of all that is ours.

    Raises:
        RuntimeError: this Jupyter does not say it, or calls everybody the same.
    """
    for variable in ("USER", "OS_USERNAME", "JUPYTERHUB_USER"):
        name = re.sub(r"[^A-Za-z0-9-]", "-", os.environ.get(variable, ""))
        if name and name not in SHARED:
            return name
    raise RuntimeError("this Jupyter does not say who you are")


def choose(project: str, site: str) -> None:
    """Choose a project and a site for all that follows; without a name, the only project that we are in.

    Raises:
        RuntimeError: we are in none, or in several.
    """
    context.version = "1.0"
    projects = context.list_projects()
    if not projects:
        raise RuntimeError("you are in no project")
    if len(projects) > 1 and not project:
        raise RuntimeError(f"you are in several projects: {', '.join(projects)}")
    context.use_project(project or projects[0])
    context.use_site(site)
