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

Made from `docker/docker-compose.yaml`, the one description of the stack. A port is open to this machine only; those
that say *browsers* are open to the network on Chameleon. *Memory* is what a service may take at most, with Docker. What
is left out without Docker are browsers of data: the notebooks show the same from Python.

{tables}
"""

HEAD = """| Service | What it runs | Port | Memory | Without Docker |
| --- | --- | --- | --- | --- |"""

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
    found = [f"{match['port']}{' (browsers)' if 'LAB_BIND' in match['bind'] else ''}" for match in ports if match]
    cells = (
        f"`{name}`",
        _runs(service),
        "<br>".join(found) or "none",
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
    if "x-compose-only" in service:
        return "left out"
    return "the same"
