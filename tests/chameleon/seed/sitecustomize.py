"""Leads connections to Chameleon's addresses to the ports of a look-alike on this machine.

For machines without network namespaces: Python imports this by itself where the folder is in PYTHONPATH. Only names are
looked up differently; python-chi and the notebooks stay as they are.
"""

import os
import socket
from typing import Any

CLOUD, NODES, SSH = "kvm.tacc.chameleoncloud.org", "203.0.113.", 22
_look_up: Any = socket.getaddrinfo


def led(host: Any, port: Any) -> tuple[Any, Any]:
    """Where a connection really goes; see `--port` and `--ssh-port` of the look-alike."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name == CLOUD:
        return "127.0.0.1", int(os.environ["LOOKALIKE_PORT"])
    if name.startswith(NODES) and str(port) == str(SSH):
        return "127.0.0.1", int(os.environ["LOOKALIKE_SSH_PORT"]) + int(name.removeprefix(NODES))
    return host, port


def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
    """As socket.getaddrinfo."""
    return _look_up(*led(host, port), *rest, **more)


socket.getaddrinfo = getaddrinfo
