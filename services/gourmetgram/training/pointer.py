"""Which model is used: the pointer beside the folders of the models. Nothing of a model has to be imported for it."""

import json
import re
from typing import Any, Final, Protocol

from gourmetgram.core.model_files import POINTER
from gourmetgram.training.errors import BadVersion, ModelRefused

VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Readable(Protocol):
    """Where models are read from; paths are below it."""

    def read(self, path: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: there is none.
        """


class Folder(Readable, Protocol):
    """Where models are kept."""

    def write(self, path: str, content: bytes) -> None:
        """The file is there as a whole, or as it was."""


def check_version(version: str) -> None:
    """Raise BadVersion if a version cannot be the name of a folder."""
    if not VERSION.fullmatch(version):
        raise BadVersion(f"expected a version of up to 64 letters, digits, dots, dashes, underscores, got {version!r}")


def deployed(folder: Readable) -> str | None:
    """The version that is to be used, if there is one.

    Raises:
        ModelRefused: the pointer cannot be read.
    """
    said = _said(folder)
    return None if said is None else str(said["version"])


def previous(folder: Readable) -> str | None:
    """The version that the present one has replaced, if there is one.

    Raises:
        ModelRefused: the pointer cannot be read.
    """
    before = (_said(folder) or {}).get("previous")
    return None if before is None else str(before)


def point_to(folder: Folder, version: str) -> None:
    """Let a version be the one that is used; a pointer that cannot be read is replaced."""
    try:
        said = _said(folder) or {}
    except ModelRefused:
        said = {}
    before = said.get("previous") if said.get("version") == version else said.get("version")
    folder.write(POINTER, json.dumps({"version": version, "previous": before}).encode())


def _said(folder: Readable) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads(folder.read(POINTER))
        check_version(said["version"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{POINTER} does not say which version to use: {error}") from error
    return said
