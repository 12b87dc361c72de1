"""What the lab runs that others make: its versions from where they are pinned, the rest from docs/versions.yaml."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import yaml

from labkit.paths import ROOT
from labkit.stack.compose_file import ComposeFile
from labkit.stack.errors import StackError
from labkit.stack.interpolation import interpolate

PROJECTS = ("pyproject.toml", "services/pyproject.toml")
KNOWN = ROOT / "docs" / "versions.yaml"
LOCKS = (ROOT / "locks/lab.txt", ROOT / "locks/airflow.txt")
"""The packages of the lab itself, and those of Airflow, which do not go together with them."""

_BASE = re.compile(r"^(?:FROM|# syntax=) *(\S+:\S+)", re.M)
_NAME = re.compile(r"[\w.-]+")
_PINNED = re.compile(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", re.M)


@dataclass(frozen=True)
class Version:
    """Something of others, in the version that the lab uses."""

    name: str
    version: str
    licence: str
    upstream: str
    checked: str = ""
    """The day on which somebody has looked whether there is something newer."""
    newer: str = ""
    """What there was."""


def images() -> dict[str, str]:
    """The tag of each image of others, in the Compose file and below our own, by the image's name."""
    file = ComposeFile(ROOT / "docker/docker-compose.yaml")
    named = [interpolate(file.image(name), {}) for name in file.names if not file.is_built(name)]
    below = _BASE.findall((ROOT / "docker/Dockerfile").read_text(encoding="utf-8"))
    return dict(one.rsplit(":", 1) for one in [*named, *below])


def pinned(lock: Path) -> dict[str, str]:
    """The version of each package of a lock file."""
    return dict(_PINNED.findall(lock.read_text(encoding="utf-8")))


def direct() -> list[str]:
    """The packages that our own two packages ask for by name; those that these ask for are left out."""
    described = [tomllib.loads((ROOT / path).read_text(encoding="utf-8")) for path in PROJECTS]
    lists = [names for one in described for names in _lists(one)]
    return sorted({_NAME.match(one)[0].lower() for names in lists for one in names})  # type: ignore[index]


def servers() -> Iterator[Version]:
    """Images, and what runs in their place without Docker.

    Raises:
        StackError: something has no entry in docs/versions.yaml.
    """
    known = yaml.safe_load(KNOWN.read_text(encoding="utf-8"))
    for name, tag in images().items():
        yield _described(name, tag, known["images"])
    versions = {name: version for lock in LOCKS for name, version in pinned(lock).items()}
    for name in known["packages"]:
        yield _described(name, versions[name], known["packages"])


def packages() -> Iterator[Version]:
    """The packages that the lab asks for by name; licence and upstream are what they say of themselves."""
    versions = pinned(LOCKS[0])
    for name in direct():
        try:
            said = metadata(name)
        except PackageNotFoundError:  # of another operating system
            continue
        yield Version(name, versions.get(name, said["Version"]), _licence(said), _upstream(said))


def newer_packages() -> dict[str, str]:
    """The newest version of each package of ours that is not the newest, asked of the package index now.

    Raises:
        StackError: the index does not answer.
    """
    uv = Path(sys.executable).with_name("uv")
    argv = [str(uv), "pip", "list", "--outdated", "--format=json", f"--python={sys.executable}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"The package index could not be asked for newer versions:\n{done.stderr.rstrip()}")
    return {one["name"]: one["latest_version"] for one in json.loads(done.stdout)}


def _described(name: str, version: str, known: dict[str, dict[str, Any]]) -> Version:
    if name not in known:
        raise StackError(
            f"{name} has no entry in docs/versions.yaml: say where it is from, its licence, and what is newer."
        )
    about = known[name]
    return Version(name, version, about["licence"], about["upstream"], str(about["checked"]), about["newer"])


def _lists(described: dict[str, Any]) -> list[list[str]]:
    """The lists of dependencies of a pyproject.toml."""
    project = described["project"]
    more = [*project.get("optional-dependencies", {}).values(), *described.get("dependency-groups", {}).values()]
    return [project["dependencies"], *more]


def _licence(said: PackageMetadata) -> str:
    classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    named = ", ".join(one for one in classified if one != "OSI Approved")
    return _one(said, "License-Expression") or named or _one(said, "License").partition("\n")[0] or "see upstream"


def _one(said: PackageMetadata, name: str) -> str:
    return next(iter(said.get_all(name) or []), "")


def _upstream(said: PackageMetadata) -> str:
    urls = dict(one.split(", ", 1) for one in said.get_all("Project-URL") or [])
    by_kind = {kind.lower(): url for kind, url in urls.items()}
    wanted = ("repository", "source", "source code", "github", "homepage", "home")
    found = next((by_kind[kind] for kind in wanted if kind in by_kind), "")
    return found or _one(said, "Home-page") or next(iter(urls.values()), "")
