"""The files of a model: one folder for each version, and one pointer to the version that is used."""

from typing import Final

POINTER: Final = "latest.json"
"""Beside the folders; written last."""

METADATA: Final = "metadata.json"
"""What a model says about itself; until it is there, the folder is no model."""

SEEN: Final = "image_ids.parquet"
"""The ids of all images that a model was trained, calibrated or tested on."""
