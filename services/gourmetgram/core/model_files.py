"""The files of a model: one folder for each version, and one pointer to the version that is used."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

POINTER: Final = "latest.json"
"""Beside the folders; written last."""

METADATA: Final = "metadata.json"
"""What a model says about itself; until it is there, the folder is no model."""

SEEN: Final = "image_ids.parquet"
"""The ids of all images that a model was trained, calibrated or tested on."""

SIGNATURE: Final = "signature"
"""What the metadata is signed with is in itself, under this name."""


def signature(metadata: Mapping[str, Any], key: bytes) -> str:
    """HMAC-SHA256 over the metadata without its signature, in one canonical spelling."""
    said = {name: value for name, value in metadata.items() if name != SIGNATURE}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def is_signed(metadata: Mapping[str, Any], key: bytes) -> bool:
    """Whether who wrote this had the key, and nothing has changed since."""
    said = metadata.get(SIGNATURE)
    return isinstance(said, str) and hmac.compare_digest(said.encode(), signature(metadata, key).encode())
