"""A model as files: written so that it is whole or not there, and loaded only if it is what the lab has signed.

Unpickling runs whatever the file says. So nothing is unpickled before the signature, the sums and the list of features
are found to be right; see promise 9 of the design. This file needs no part of the lakehouse: the scorer loads with it.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version as version_of
from typing import Any, Final

import joblib

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.core.features import FEATURES
from gourmetgram.core.model_files import METADATA, SIGNATURE, is_signed, signature
from gourmetgram.training.errors import BadVersion, ModelRefused
from gourmetgram.training.model import Model
from gourmetgram.training.pointer import Folder, Readable, check_version, point_to

SCALER: Final = "scaler.joblib"
CLASSIFIER: Final = "model.joblib"
ENCODER: Final = "encoder.joblib"
PICKLED: Final = (CLASSIFIER, SCALER, ENCODER)

FORMAT: Final = 1
LIBRARIES: Final = ("scikit-learn", "numpy", "scipy", "joblib")
MUST_MATCH: Final = "scikit-learn"
"""Pickles of one release of it are not meant for another one."""


def require_new(folder: Folder, version: str) -> None:
    """Raise BadVersion if there is a model of this version; one whose upload was cut short is none."""
    check_version(version)
    with suppress(FileNotFoundError):
        folder.read(f"{version}/{METADATA}")
        raise BadVersion(f"there is a model {version} already; give the new one a version of its own")


def publish(folder: Folder, model: Model, others: Mapping[str, bytes], key: bytes) -> dict[str, Any]:
    """Write a model, the metadata last; until then there is none. Return the metadata, with sums and signature.

    Args:
        folder: of all models.
        model: with metadata that says at least its version.
        others: more files that belong to it.
        key: the lab's.

    Raises:
        BadVersion: there is a model of this version; versions are never written twice.
    """
    require_new(folder, model.version)
    contents = {
        CLASSIFIER: _pickled(model.calibrated),
        SCALER: _pickled(model.scaler),
        ENCODER: _pickled(model.encoder),
    }
    contents |= others
    metadata = {
        **model.metadata,
        "format": FORMAT,
        "features": list(FEATURES),
        "categories": list(CATEGORIES),
        "libraries": libraries(),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
    }
    metadata[SIGNATURE] = signature(metadata, key)
    for name, content in contents.items():
        folder.write(f"{model.version}/{name}", content)
    folder.write(f"{model.version}/{METADATA}", json.dumps(metadata, indent=2, allow_nan=False).encode())
    return metadata


def load(folder: Readable, version: str, key: bytes) -> Model:
    """The model of this version.

    Raises:
        ModelRefused: it is not there as a whole, not signed by this lab, damaged, or made for something else.
    """
    check_version(version)
    metadata = trusted_metadata(folder, version, key)
    contents = {name: _unharmed(folder, version, name, metadata) for name in metadata["files"]}
    classifier, scaler, encoder = (joblib.load(io.BytesIO(contents[name])) for name in PICKLED)
    return Model(metadata, scaler, classifier, encoder)


def trusted_metadata(folder: Readable, version: str, key: bytes) -> dict[str, Any]:
    """What a model says about itself, if this lab has signed it and it fits what runs here.

    Raises:
        ModelRefused: otherwise.
    """
    metadata = _metadata(_read(folder, version, METADATA), version)
    if not is_signed(metadata, key):
        raise ModelRefused(f"model {version}: its metadata was not signed with this lab's key, or changed since")
    if wrong := list(_misfits(metadata, version)):
        raise ModelRefused(f"model {version}: {'; '.join(wrong)}")
    return metadata


def deploy(folder: Folder, version: str, key: bytes) -> Model:
    """Make this version the one that is used, if it can be loaded; going back is the same.

    Raises:
        ModelRefused: it cannot be loaded; the pointer stays as it was.
    """
    model = load(folder, version, key)
    point_to(folder, version)
    return model


def libraries() -> dict[str, str]:
    """The versions that a model is made with."""
    return {name: version_of(name) for name in LIBRARIES}


def _release(said: str) -> list[str]:
    return said.split(".")[:2]


def _misfits(metadata: Mapping[str, Any], version: str) -> Iterator[str]:
    """What is wrong with signed metadata, as it is told."""
    if metadata.get("format") != FORMAT:
        yield f"expected format {FORMAT}, got {metadata.get('format')!r}"
    if metadata.get("version") != version:
        yield f"it says that it is {metadata.get('version')!r}"
    if metadata.get("features") != list(FEATURES):
        yield f"it was trained on other features, or in another order, than the {len(FEATURES)} that are computed here"
    if metadata.get("categories") != list(CATEGORIES):
        yield "it knows other categories than there are here"
    if not set(PICKLED) <= set(metadata.get("files", ())):
        yield f"expected the files {', '.join(PICKLED)}"
    made_with, here = metadata.get("libraries", {}).get(MUST_MATCH, "none"), version_of(MUST_MATCH)
    if _release(made_with) != _release(here):
        yield f"it was made with {MUST_MATCH} {made_with}, but here is {here}"


def _metadata(content: bytes, version: str) -> dict[str, Any]:
    try:
        metadata = json.loads(content)
    except ValueError as error:
        raise ModelRefused(f"model {version}: {METADATA} is damaged ({error})") from error
    if not isinstance(metadata, dict):
        raise ModelRefused(f"model {version}: {METADATA} is damaged (expected an object)")
    return metadata


def _unharmed(folder: Readable, version: str, name: str, metadata: Mapping[str, Any]) -> bytes:
    content = _read(folder, version, name)
    if hashlib.sha256(content).hexdigest() != metadata["files"][name]:
        raise ModelRefused(f"model {version}: {name} is damaged; its SHA-256 is not the one that was signed")
    return content


def _read(folder: Readable, version: str, name: str) -> bytes:
    try:
        return folder.read(f"{version}/{name}")
    except FileNotFoundError:
        raise ModelRefused(f"model {version}: {name} is missing; was its upload cut short?") from None


def _pickled(thing: object) -> bytes:
    written = io.BytesIO()
    joblib.dump(thing, written)
    return written.getvalue()
