"""The reference of services, ports and pages, made from the Compose file."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

_PORT = re.compile(r"(?P<bind>127\.0\.0\.1|\$\{LAB_BIND:-127\.0\.0\.1\}):\$\{\w+_PORT:-(?P<port>\d+)\}")
_KEPT = r"\1"
_DEFAULT = re.compile(r"\$\{[A-Z0-9_]+:?-([^}]*)\}")

PAGE = """# Services and ports

Made from `docker/docker-compose.yaml`, the one description of the stack. On Chameleon, ports for browsers are open to
the network and the others are not; everywhere else all of them can be reached from the same machine only.

{tables}
"""

HEAD = """| Service | What it runs | Port | Reached from | Memory, at most | Without Docker |
| --- | --- | --- | --- | --- | --- |"""

_EMBEDDED = {"postgres": "PostgreSQL", "valkey": "Valkey", "seaweedfs": "SeaweedFS", "kafka": "Apache Kafka"}


def page(compose_file: Path) -> str:
    """The page, as Markdown."""
    services = yaml.safe_load(compose_file.read_text(encoding="utf-8"))["services"]
    groups: dict[str, list[str]] = {"Services that stay": [], "Services that run once, and end": [], "Commands": []}
    for name, service in services.items():
        groups[_group(service)].append(_row(name, service))
    tables = "\n\n".join(f"## {title}\n\n{HEAD}\n" + "\n".join(rows) for title, rows in groups.items() if rows)
    return PAGE.format(tables=tables)


def _group(service: Mapping[str, Any]) -> str:
    if "tools" in service.get("profiles", []):
        return "Commands"
    return "Services that run once, and end" if service.get("restart") == "no" else "Services that stay"


def _row(name: str, service: Mapping[str, Any]) -> str:
    ports = [_PORT.match(text) for text in service.get("ports", [])]
    found = [match for match in ports if match]
    reached = ["browsers" if "LAB_BIND" in match["bind"] else "this machine" for match in found]
    cells = (
        f"`{name}`",
        _runs(service),
        "<br>".join(match["port"] for match in found) or "none",
        "<br>".join(reached) or "other services",
        _DEFAULT.sub(_KEPT, str(service.get("mem_limit", "not limited"))),
        _without_docker(service),
    )
    return f"| {' | '.join(cells)} |"


def _runs(service: Mapping[str, Any]) -> str:
    """The image of others, or the program of ours."""
    if "build" not in service:
        return f"`{_DEFAULT.sub(_KEPT, service['image'])}`"
    command = list(service.get("command", [])) or [service["image"]]
    return f"`{_without_values(command[:3])}`"


def _without_values(words: Iterable[str]) -> str:
    return " ".join(_DEFAULT.sub(_KEPT, str(word)) for word in words)


def _without_docker(service: Mapping[str, Any]) -> str:
    if server := service.get("x-embedded", {}).get("server"):
        return _EMBEDDED.get(server, str(server))
    if reason := service.get("x-compose-only"):
        return f"left out: {reason}"
    return "the same"
