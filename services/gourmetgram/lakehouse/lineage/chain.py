"""A chain of things that came from each other, and how it is told. Values in, values out: no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Kind = Literal["decision", "image", "model", "run", "data", "gone"]
"""What a node stands for; `gone` is what was there once."""


class Node(NamedTuple):
    """One thing, and what is known about it."""

    key: str
    kind: Kind
    title: str
    facts: tuple[str, ...] = ()


class Edge(NamedTuple):
    """One thing comes from another one; `label` reads from the source to the target."""

    source: str
    target: str
    label: str


@dataclass(frozen=True)
class Chain:
    """Nodes, the one that was asked for first, and what leads from each to those that it comes from."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where an edge hangs in the air, or a node is there twice."""
        keys = [node.key for node in self.nodes]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key is there twice in {keys}")
        if loose := [edge for edge in self.edges if edge.source not in keys or edge.target not in keys]:
            raise ValueError(f"these edges lead to nodes that are not there: {loose}")

    def node(self, key: str) -> Node:
        """The node of this key."""
        return next(node for node in self.nodes if node.key == key)

    def edges_from(self, key: str) -> list[Edge]:
        """What leads on from a node."""
        return [edge for edge in self.edges if edge.source == key]


INDENT: Final = "    "


def told(chain: Chain) -> str:
    """The chain as indented lines; what several things come from is told once."""
    lines = [chain.title, ""]
    seen: set[str] = set()
    for node in chain.nodes:
        if node.key not in seen:
            lines += _told(chain, node, "", 0, seen)
    return "\n".join(lines)


def _told(chain: Chain, node: Node, label: str, depth: int, seen: set[str]) -> Iterator[str]:
    indent = INDENT * depth
    lead = f"{label} → " if label else ""
    if node.key in seen:
        yield f"{indent}{lead}{node.title} (see above)"
        return
    seen.add(node.key)
    yield f"{indent}{lead}{node.title}"
    for fact in node.facts:
        yield f"{indent}  · {fact}"
    for edge in chain.edges_from(node.key):
        yield from _told(chain, chain.node(edge.target), edge.label, depth + 1, seen)


def mermaid(chain: Chain) -> str:
    """The chain as a flowchart in Mermaid's language."""
    number = {node.key: f"n{position}" for position, node in enumerate(chain.nodes)}
    lines = ["flowchart TD"]
    for node in chain.nodes:
        text = "<br/>".join([f"<b>{_escaped(node.title)}</b>", *map(_escaped, node.facts)])
        lines.append(f'    {number[node.key]}["{text}"]')
    for edge in chain.edges:
        lines.append(f'    {number[edge.source]} -->|"{_escaped(edge.label)}"| {number[edge.target]}')
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Mermaid reads `#` as the beginning of an entity, and the rest as HTML within quotes."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return text
