"""The Compose file, as the embedded place reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import yaml

from labkit.stack.errors import StackError
from labkit.stack.interpolation import interpolate

Kind = Literal["own", "native", "compose-only"]

_PORT = re.compile(r"\$\{([A-Z0-9_]+)_PORT:-(\d+)\}")
_ADDRESS = re.compile(r"\$\{([A-Z0-9_]+)_ADDRESS:-(?!127\.0\.0\.1)([^}]+)\}")
"""Where others find a service; with 127.0.0.1 it means itself."""


@dataclass(frozen=True)
class Service:
    """One service, variables filled in.

    `own` services run their command as a process, `native` ones start the server that `embedded` names, and
    `compose-only` ones exist where Docker is, for the reason given.
    """

    name: str
    kind: Kind
    one_shot: bool = False
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    """Services that come first, and the condition each must meet."""
    health: list[str] | None = None
    """A command that succeeds when the service is ready."""
    folders: dict[str, str] = field(default_factory=dict)
    """Mount targets and their sources."""
    writes: list[str] = field(default_factory=list)
    """Folders of this machine, seen from the Compose file's, that it may write to."""
    user: str = ""
    """Whom its container runs as, where that is not for the image to say."""
    profiles: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    """Services that must not run beside this one."""
    python: str = ""
    """The environment whose programs its command means without Docker; ours when empty."""
    embedded: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def read(cls, name: str, text: Mapping[str, Any]) -> Self:
        """A service from its description."""
        return cls(
            name=name,
            kind=_kind(name, text),
            one_shot=_is_one_shot(text),
            command=list(text.get("command", [])),
            environment={key: str(value) for key, value in text.get("environment", {}).items()},
            needs={other: one["condition"] for other, one in text.get("depends_on", {}).items()},
            health=_health(text.get("healthcheck", {})),
            folders=dict(reversed(mount.split(":")[:2]) for mount in text.get("volumes", [])),
            writes=[mount.partition(":")[0] for mount in text.get("volumes", []) if _is_own_folder(mount)],
            user=text.get("user", ""),
            profiles=list(text.get("profiles", [])),
            replaces=list(text.get("x-replaces", [])),
            python=text.get("x-environment", ""),
            embedded=text.get("x-embedded", {}),
            reason=text.get("x-compose-only", ""),
        )


def _is_one_shot(text: Mapping[str, Any]) -> bool:
    return text.get("restart") == "no"


def _kind(name: str, text: Mapping[str, Any]) -> Kind:
    if "x-compose-only" in text:
        return "compose-only"
    if "x-embedded" in text:
        return "native"
    if "build" in text:
        return "own"
    raise StackError(
        f"The service {name} needs one of `build` (our own), `x-embedded` (a native server stands in without Docker) "
        f"or `x-compose-only` (with the reason) in the Compose file.",
        name,
    )


def _is_own_folder(mount: str) -> bool:
    return mount.startswith((".", "/")) and not mount.endswith(":ro")


def _health(text: Mapping[str, Any]) -> list[str] | None:
    test = text.get("test")
    return list(test[1:]) if test and test[0] == "CMD" else None


class Page(NamedTuple):
    """What can be opened in a browser: at the port of this name, below this path (`/live`, or nothing)."""

    title: str
    port: str
    path: str
    service: str


class Kept(NamedTuple):
    """Objects whose names begin with `prefix`, and the keys of somebody who may read them."""

    bucket: str
    prefix: str
    access_key: str
    secret_key: str


class ComposeFile:
    """All services of a Compose file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text()
        described = yaml.safe_load(text)
        self._services: dict[str, Any] = described["services"]
        self._keep: dict[str, Any] = described.get("x-keep", {})
        self._exchange: dict[str, str] = described.get("x-exchange", {})
        self.ports = {name: int(port) for name, port in _PORT.findall(text)}
        """NAME of each `${NAME_PORT:-…}`, and its port before any offset."""
        self.addresses: dict[str, str] = dict(_ADDRESS.findall(text))
        """NAME of each `${NAME_ADDRESS:-…}`, and where containers find it."""

    @property
    def names(self) -> list[str]:
        """All services, in the order of the file."""
        return list(self._services)

    def kind(self, name: str) -> Kind:
        """How a service runs without Docker."""
        return _kind(name, self._text(name))

    def position(self, name: str) -> int:
        """Where a service stands in the file; behind all others what has left the file since it was started."""
        return self.names.index(name) if name in self._services else len(self._services)

    def is_one_shot(self, name: str) -> bool:
        """Whether a service runs to its end, and does not stay."""
        return _is_one_shot(self._text(name))

    def image(self, name: str) -> str:
        """The image of a service."""
        return str(self._text(name)["image"])

    def is_built(self, name: str) -> bool:
        """Whether we build its image."""
        return "build" in self._text(name)

    def reason(self, name: str) -> str:
        """Why a service exists only in Compose."""
        return str(self._text(name).get("x-compose-only", ""))

    def service(self, name: str, variables: Mapping[str, str]) -> Service:
        """One service, with these variables filled in."""
        return Service.read(name, interpolate(self._text(name), variables))

    def _text(self, name: str) -> Any:
        if name not in self._services:
            raise StackError(f"There is no service {name}. There are: {', '.join(self.names)}.", name)
        return self._services[name]

    def with_needs(self, names: tuple[str, ...]) -> list[str]:
        """These services and all that they need, each after what it needs."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name not in ordered:
                for need in self._text(name).get("depends_on", {}):
                    visit(need)
                ordered.append(name)

        for name in names:
            visit(name)
        return ordered

    def ports_by_service(self, *, embedded: bool) -> dict[str, list[str]]:
        """NAMEs of the ports that each service takes on this machine, without Docker (`embedded`) or with it."""
        taken = {}
        for name, text in self._services.items():
            where = text.get("ports", [])
            if embedded:
                where = {"own": where, "native": text.get("x-embedded"), "compose-only": []}[self.kind(name)]
            taken[name] = [port for port, _ in _PORT.findall(str(where))]
        return taken

    def address(self, name: str) -> str:
        """host:port under which containers find a service, by the NAME of its port."""
        key = name.upper().replace("-", "_")
        if key not in self.addresses:
            raise StackError(f"Containers do not talk to {name}, only to: {', '.join(self.addresses).lower()}.")
        return self.addresses[key]

    def tools(self) -> list[str]:
        """One-shot services that people run by name, with arguments."""
        return [name for name, text in self._services.items() if "tools" in text.get("profiles", [])]

    def pages(self) -> list[Page]:
        """What can be opened in a browser, from `x-pages`: titles, and of each a port's name and perhaps a path."""
        return [
            Page(title, *_port_and_path(address), name)
            for name, text in self._services.items()
            for title, address in text.get("x-pages", {}).items()
        ]

    def login(self, name: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Who may see the pages of a service, such as `{"user": …, "password": …}`; empty when anybody may."""
        return dict(interpolate(self._text(name).get("x-login", {}), variables))

    def exchange(self, variables: Mapping[str, str]) -> Kept:
        """Where archives of the whole state go through, and the keys of somebody who may read and write there."""
        return Kept(**interpolate(self._exchange, variables))

    def kept(self, variables: Mapping[str, str]) -> dict[str, Kept]:
        """What a student takes along from object storage, by the name of its folder in the archive."""
        return {name: Kept(**text) for name, text in interpolate(self._keep, variables).items()}


def _port_and_path(address: str) -> tuple[str, str]:
    port, slash, path = address.partition("/")
    return port, slash + path
