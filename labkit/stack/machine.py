"""What this machine is in the lab: its place, and where browsers find it.

The environment says so, or else `docker/.env`, where `./lab place` notes it. Docker Compose reads that file too, so a
command that somebody types by hand means the same as ours.
"""

import ipaddress
import os
from typing import Final

from labkit.paths import SECRETS
from labkit.stack import secrets
from labkit.stack.errors import StackError

PLACES: Final = ("embedded", "compose", "chameleon")
NOTEBOOK_PORT: Final = 8888
"""Of the Jupyter that `./lab notebook` starts on the machine itself."""

LOCAL: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - only what browsers open, and only where `./lab place chameleon` was typed


def place() -> str:
    """Where services run when a command does not say it."""
    return _said("LAB_PLACE") or "embedded"


def public_host() -> str:
    """The name or address of this machine that a browser can open: the floating IP on Chameleon."""
    return _said("LAB_PUBLIC_HOST") or LOCAL


def settle(place: str, host: str) -> None:
    """Note what this machine is. On Chameleon, pages for browsers are then open to the network, and to no other place.

    Raises:
        StackError: there is no such place, or `host` is no IPv4 address.
    """
    if place not in PLACES:
        raise StackError(f"There is no place {place}. There are: {', '.join(PLACES)}.")
    bind = EVERYWHERE if place == "chameleon" else LOCAL
    secrets.ensure()
    secrets.note({"LAB_PLACE": place, "LAB_PUBLIC_HOST": _address(host), "LAB_BIND": bind})


def _address(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise StackError(f"expected an address such as 129.114.25.7, got {host!r}") from None


def _said(name: str) -> str:
    return os.environ.get(name) or secrets.read(SECRETS).get(name, "")
