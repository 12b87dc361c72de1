"""Folders of this machine that a container writes to: the user it runs as must be let in."""

import os
from pathlib import Path

from labkit.stack.compose_file import Service
from labkit.stack.errors import StackError


def prepare(service: Service, compose_folder: Path) -> None:
    """Make the folders, and hand them to the service's user where we may.

    Raises:
        StackError: a folder belongs to somebody else, and we cannot change that.
    """
    user, _, group = service.user.partition(":")
    if not (user.isdigit() and group.isdigit()):
        return
    for source in service.writes:
        folder = (compose_folder / source).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        owner = folder.stat().st_uid
        if owner == int(user):
            continue
        if os.geteuid():
            raise StackError(
                f"The service {service.name} runs as user {user}, and {folder} belongs to user {owner}, so it cannot "
                f"write there. `sudo chown {user} {folder}`, or put LAB_UID={owner} into docker/.env.",
                service.name,
            )
        os.chown(folder, int(user), int(group))
