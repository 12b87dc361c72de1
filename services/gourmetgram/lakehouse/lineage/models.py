"""Where a model comes from: the snapshot that it was trained on, and what that was made from."""

import json
from typing import Any, Final

from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Node
from gourmetgram.lakehouse.lineage.lake import Lake, Unknown
from gourmetgram.lakehouse.lineage.training import SNAPSHOT, Part

KEY: Final = "model"


def chain(lake: Lake, version: str) -> Chain:
    """The chain of a model.

    Raises:
        Unknown: there is none of this version.
    """
    versions = lake.models.versions()
    if version not in versions:
        there = f"there are {', '.join(versions)}" if versions else "no model has been trained yet"
        raise Unknown(f"there is no model {version}; {there}")
    return Chain(f"Where model {version} comes from", *part(lake, version))


def part(lake: Lake, version: str, image: int | None = None) -> Part:
    """The model and what is behind it; with an image, whether the model has seen it."""
    if version not in lake.models.versions():
        return Part((Node(KEY, "gone", f"Model {version}", ("its folder is not there any more",)),))
    metadata = lake.models.metadata(version)
    node = Node(KEY, "model", f"Model {version}", tuple(_facts(lake, version, image)))
    behind = lake.training(metadata.get("snapshot_id"), _noted(metadata))
    return Part((node,), (Edge(KEY, SNAPSHOT, "trained on"),)).plus(behind)


def _facts(lake: Lake, version: str, image: int | None) -> list[str]:
    seen = lake.models.seen(version)
    if seen is None:
        return ["nobody has written down which images it has seen"]
    facts = [f"has seen {len(set(seen.to_pylist()))} images"]
    if image is not None:
        facts.append(f"image {image} was {'' if image in seen.to_pylist() else 'not '}among them")
    return facts


def _noted(metadata: dict[str, Any]) -> dict[str, Any]:
    """What the model has copied of its snapshot's lineage, so that it can be told when the snapshot has expired."""
    copied = metadata.get("lineage") or {}
    noted: dict[str, Any] = json.loads(copied) if isinstance(copied, str) else copied
    return noted
