"""Where an image is: what has landed about it, what was decided, what was learned from it and by whom."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Node
from gourmetgram.lakehouse.lineage.decisions import COLUMNS, told_by
from gourmetgram.lakehouse.lineage.lake import Lake, Unknown
from gourmetgram.lakehouse.lineage.training import Part
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, TRAINING_DATA

SHOWN: Final = 6
"""Decisions that are told one by one."""


def chain(lake: Lake, identity: str) -> Chain:
    """The chain of an image, by its number.

    Raises:
        Unknown: nothing is known about it.
    """
    if not identity.isdecimal():
        raise Unknown(f"an image has a number; {identity} is none")
    image = int(identity)
    events, tombstones = lake.about(EVENTS, image), lake.about(DELETED_IMAGES, image).to_pylist()
    decisions = lake.ask(f"{COLUMNS} WHERE image_id = $1 ORDER BY id", image)
    if not (len(events) or tombstones or decisions):
        raise _unknown(lake, image)
    nodes = (_image(image, events, tombstones), _events(events), _decisions(decisions), _training(lake, image))
    edges = (
        Edge("image", "events", "happened"),
        Edge("image", "decisions", "judged by"),
        Edge("image", "training", "taught by"),
    )
    return Chain(f"Where image {image} is", *Part(nodes, edges).plus(_models(lake, image)))


def _unknown(lake: Lake, image: int) -> Unknown:
    landed = lake.images_landed()
    least, most = pc.min_max(landed).values()
    there = f"there are events about {len(landed)} images, from {least} to {most}" if len(landed) else "none has at all"
    return Unknown(f"no event about image {image} has landed, and nothing was decided about it; {there}")


def _image(image: int, events: pa.Table, tombstones: list[dict[str, Any]]) -> Node:
    if tombstones:
        one = tombstones[0]
        facts = (
            f"deleted {one['deleted_at']:%Y-%m-%d %H:%M:%S} UTC",
            f"said by offset {one['offset']} of gourmetgram.deletions/{one['partition']}",
        )
        return Node("image", "gone", f"Image {image}", facts)
    return Node("image", "image", f"Image {image}", tuple(_upload(events)))


def _upload(events: pa.Table) -> Iterator[str]:
    for one in events.filter(pc.field("event_type") == "upload").to_pylist():
        yield f"uploaded {one['occurred_at']:%Y-%m-%d %H:%M:%S} UTC by user {one['user_id']}"
        yield f"category {one['category']}" + (", imported" if one["imported"] else "")


def _events(events: pa.Table) -> Node:
    places = events.group_by(["event_type", "topic", "partition"]).aggregate(
        [("offset", "count"), ("offset", "min"), ("offset", "max")]
    )
    facts = [
        f"{one['event_type']}: {one['offset_count']}, in {one['topic']}/{one['partition']} at offsets "
        f"{one['offset_min']} to {one['offset_max']}"
        for one in sorted(places.to_pylist(), key=lambda one: (one["topic"], one["partition"]))
    ]
    title = f"Events in the history: {len(events)}"
    return Node("events", "data" if facts else "gone", title, tuple(facts) or ("none is left",))


def _decisions(decisions: list[dict[str, Any]]) -> Node:
    facts = [
        f"{one['id']}, by {told_by(one)}: risk {one['risk_score']:.3g}, {one['recommendation']}"
        + ("" if one["served"] else ", not served")
        for one in decisions[:SHOWN]
    ]
    if len(decisions) > SHOWN:
        facts.append(f"and {len(decisions) - SHOWN} more, the last is {decisions[-1]['id']}")
    return Node("decisions", "decision", f"Decisions: {len(decisions)}", tuple(facts) or ("none about it",))


def _training(lake: Lake, image: int) -> Node:
    rows = sorted(lake.about(TRAINING_DATA, image).to_pylist(), key=lambda row: int(row["anchor_minutes"]))
    labels = {None: "label not known yet", True: "flagged within 24 h", False: "not flagged within 24 h"}
    facts = [
        f"anchor {row['anchor_minutes']} min: {labels[row['label']]}"
        + (", already flagged then" if row["already_flagged"] else "")
        for row in rows
    ]
    verdicts = {True: "moderators confirmed that it breaks the rules", False: "moderators found nothing wrong with it"}
    facts += [verdicts[one] for one in {row["label_confirmed"] for row in rows} - {None}]
    title = f"Rows of the training data: {len(rows)}"
    none = ("nothing is learned from it: it is too young, not eligible, or deleted",)
    return Node("training", "data" if rows else "gone", title, tuple(facts) or none)


def _models(lake: Lake, image: int) -> Part:
    versions = lake.models.versions()
    seen = lake.models.that_saw(pa.array([image], pa.int64()))
    facts = [f"model {version}" for version in seen] or [f"none of {len(versions)}"]
    node = Node("models", "model", "Models that have seen it", tuple(facts))
    return Part((node,), (Edge("training", "models", "seen by"),))
