"""From a snapshot of the training data back to the topics: the part of a chain that models and images share."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Self

from pyiceberg.table.snapshots import Snapshot

from gourmetgram.lakehouse.erasure import ERASED_BY
from gourmetgram.lakehouse.files import summary_of
from gourmetgram.lakehouse.lineage.chain import Edge, Node
from gourmetgram.lakehouse.offsets import parse_offsets
from gourmetgram.lakehouse.tables import TRAINING_DATA
from gourmetgram.lakehouse.training_data.properties import LINEAGE, REPORT

SNAPSHOT: Final = "snapshot"


class Part(NamedTuple):
    """A piece of a chain; its first node is where the rest of the chain leads to."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()

    def plus(self, other: Self) -> Self:
        """Both pieces."""
        return type(self)(self.nodes + other.nodes, self.edges + other.edges)


class Present(NamedTuple):
    """What can still be looked at of all that a chain names."""

    snapshot: Snapshot | None
    tags: tuple[str, ...]
    raw: bool
    tables: Mapping[str, bool]


def made_from(summary: Mapping[str, str]) -> dict[str, Any]:
    """What the properties of a snapshot say about its making; empty where they say nothing."""
    said: dict[str, Any] = json.loads(summary.get(LINEAGE, "{}"))
    return said


def training_part(snapshot_id: int | None, said: Mapping[str, Any], present: Present) -> Part:
    """The snapshot of the training data, the run that made it, and what that run read.

    Args:
        snapshot_id: the snapshot; None where nobody has written it down.
        said: what it was made from, see `made_from`; empty where nobody knows.
        present: what is still there.
    """
    part = Part((_snapshot_node(snapshot_id, present),))
    return part.plus(_run_part(said, present)) if said else part


def _snapshot_node(snapshot_id: int | None, present: Present) -> Node:
    title = f"Training data, snapshot {snapshot_id or 'unknown'}"
    if present.snapshot is None:
        why = "it has expired, or a deletion took it" if snapshot_id else "nobody has written down which"
        return Node(SNAPSHOT, "gone", title, (f"table {TRAINING_DATA}", why))
    summary = summary_of(present.snapshot)
    facts = [f"table {TRAINING_DATA}", f"{summary.get('total-records', 0)} rows"]
    facts.append(f"kept by the tag {', '.join(present.tags)}" if present.tags else "no tag keeps it from expiring")
    if eraser := summary.get(ERASED_BY):
        facts.append(f"deleted images were taken out by run {eraser}")
    return Node(SNAPSHOT, "data", title, tuple(facts))


def _run_part(said: Mapping[str, Any], present: Present) -> Part:
    nodes = (
        Node("run", "run", "DAG run of moderation_training", tuple(_run_facts(said, present))),
        _raw_node(said["raw"], is_there=present.raw),
        Node("history", "run", "DAG run of redpanda_event_aggregation", (f"run {said['history_run']}",)),
        Node("tables", "data", "Snapshots of the history", tuple(_table_facts(said["snapshots"], present.tables))),
        Node("topics", "data", "Topics, next offset by partition", tuple(offset_facts(said["offsets"]))),
    )
    edges = (
        Edge(SNAPSHOT, "run", "made by"),
        Edge("run", "raw", "copied"),
        Edge("run", "history", "read what was published by"),
        Edge("history", "tables", "wrote"),
        Edge("tables", "topics", "hold everything before"),
    )
    return Part(nodes, edges)


def _run_facts(said: Mapping[str, Any], present: Present) -> Iterable[str]:
    yield f"run {said['run_id']}"
    yield f"all had landed until {said['complete_until']}"
    if report := json.loads(summary_of(present.snapshot).get(REPORT, "null")):
        yield f"{report['considered']} images considered, {report['kept']} learned from"


def _raw_node(folder: str, *, is_there: bool) -> Node:
    state = "it is still there" if is_there else "it is gone; raw snapshots are kept for some days"
    return Node("raw", "data" if is_there else "gone", "Copy of the application's tables", (folder, state))


def _table_facts(snapshots: Mapping[str, int], there: Mapping[str, bool]) -> Iterable[str]:
    for name, snapshot in sorted(snapshots.items()):
        yield f"{name.rpartition('.')[2]}: {snapshot}" + ("" if there.get(name) else " (expired)")


def offset_facts(offsets: Mapping[str, int]) -> Iterable[str]:
    """A line for each topic; `offsets` by the text of their places."""
    by_topic: dict[str, list[str]] = {}
    for place, offset in sorted(parse_offsets(offsets).items()):
        by_topic.setdefault(place.topic.rpartition(".")[2], []).append(f"{place.partition}:{offset}")
    for topic, numbers in by_topic.items():
        yield f"{topic}  {', '.join(numbers)}"
