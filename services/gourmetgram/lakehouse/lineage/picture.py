"""A chain as a picture: boxes in rows, arrows down to what they come from; SVG, written with the standard library."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Kind, Node, told

FONT: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', Verdana, sans-serif"
SIZE: Final = 13
HEADING: Final = 18
LINE: Final = 19
LETTER: Final = 7.7
"""Pixels that a letter takes at most on average, whatever the font."""

WIDTH: Final = 370
PADDING: Final = 14
GAP: Final = 36
"""Between boxes of a row."""
RISE: Final = 68
"""Between rows; an arrow and its label have room there."""
MARGIN: Final = 24
HEAD: Final = 52
COLUMNS: Final = int((WIDTH - 2 * PADDING) / LETTER)
BOLD_COLUMNS: Final = int(COLUMNS * 0.88)

INK: Final = "#1f2933"
FAINT: Final = "#4a5763"
PAPER: Final = "#fbfbf9"

FILLS: Final[Mapping[Kind, tuple[str, str]]] = {
    "decision": ("#fff3d6", "#b7791f"),
    "image": ("#ffe9e3", "#b5533c"),
    "model": ("#e3edfd", "#2b6cb0"),
    "run": ("#efe8fa", "#6b46c1"),
    "data": ("#e4f4ea", "#2f855a"),
    "gone": ("#f1f1ef", "#6b7280"),
}
"""Fill and border of a box by kind."""


@dataclass(frozen=True)
class Box:
    """Where a node is drawn, in pixels from the upper left corner."""

    node: Node
    x: float
    y: float
    title: list[str]
    facts: list[str]

    @property
    def height(self) -> int:
        """As high as its lines make it."""
        return 2 * PADDING + LINE * (len(self.title) + len(self.facts)) + (6 if self.facts else 0)

    @property
    def middle(self) -> float:
        """Halfway from left to right."""
        return self.x + WIDTH / 2


def picture(chain: Chain) -> str:
    """The chain as an SVG document that needs nothing else; readers of screens are told all that is in it."""
    boxes = _laid_out(chain)
    right = max(box.x for box in boxes.values()) + WIDTH
    width = max(right, MARGIN + len(chain.title) * LETTER * HEADING / SIZE) + MARGIN
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    svg = _frame(chain, width, height)
    for edge in chain.edges:
        _draw_arrow(svg, boxes[edge.source], boxes[edge.target])
    for box in boxes.values():
        _draw_box(svg, box)
    for edge in chain.edges:
        _draw_label(svg, edge, boxes[edge.source], boxes[edge.target])
    indent(svg)
    return tostring(svg, encoding="unicode")


def rows(chain: Chain) -> list[list[Node]]:
    """The nodes in rows: each stands below all that lead to it."""
    depth = {node.key: 0 for node in chain.nodes}
    for _ in chain.nodes:  # as often as the longest way has steps
        for edge in chain.edges:
            depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return [
        [node for node in chain.nodes if depth[node.key] == level]
        for level in range(max(depth.values(), default=0) + 1)
    ]


def _laid_out(chain: Chain) -> dict[str, Box]:
    layout = [row for row in rows(chain) if row]
    widest = max(map(len, layout)) * (WIDTH + GAP) - GAP
    boxes: dict[str, Box] = {}
    y: float = HEAD + MARGIN
    for row in layout:
        x = MARGIN + (widest - len(row) * (WIDTH + GAP) + GAP) / 2
        for node in row:
            boxes[node.key] = Box(node, x, y, _wrapped(node.title, BOLD_COLUMNS), [*_facts(node)])
            x += WIDTH + GAP
        y += max(boxes[node.key].height for node in row) + RISE
    return boxes


def _facts(node: Node) -> Iterator[str]:
    for fact in node.facts:
        yield from _wrapped(fact, COLUMNS, "  ")


def _wrapped(text: str, columns: int, later: str = "") -> list[str]:
    return textwrap.wrap(text, columns, subsequent_indent=later, break_on_hyphens=False) or [""]


def _frame(chain: Chain, width: float, height: float) -> Element:
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width:g} {height:g}")
    svg.attrib |= {"width": f"{width:g}", "height": f"{height:g}", "role": "img", "font-family": FONT}
    svg.attrib |= {"aria-labelledby": "lineage-title lineage-desc", "font-size": str(SIZE)}
    SubElement(svg, "title", id="lineage-title").text = chain.title
    SubElement(svg, "desc", id="lineage-desc").text = told(chain)
    marker = SubElement(SubElement(svg, "defs"), "marker", id="lineage-arrow", viewBox="0 0 10 10", orient="auto")
    marker.attrib |= {"refX": "9", "refY": "5", "markerWidth": "8", "markerHeight": "8"}
    SubElement(marker, "path", d="M0 0 L10 5 L0 10 z", fill=FAINT)
    SubElement(svg, "rect", width="100%", height="100%", fill=PAPER)
    heading = SubElement(svg, "text", x=str(MARGIN), y=str(MARGIN + 18), fill=INK)
    heading.attrib |= {"font-size": str(HEADING), "font-weight": "600"}
    heading.text = chain.title
    return svg


def _draw_arrow(svg: Element, source: Box, target: Box) -> None:
    start, end = source.y + source.height, target.y
    half = (end - start) / 2
    curve = (
        f"M{source.middle:g} {start:g} C{source.middle:g} {start + half:g} {target.middle:g} {end - half:g} "
        f"{target.middle:g} {end - 1:g}"
    )
    path = SubElement(svg, "path", d=curve, fill="none", stroke=FAINT)
    path.attrib |= {"stroke-width": "1.5", "marker-end": "url(#lineage-arrow)"}


def _draw_label(svg: Element, edge: Edge, source: Box, target: Box) -> None:
    """In the middle of the arrow."""
    x, y = (source.middle + target.middle) / 2, (source.y + source.height + target.y) / 2 + 4
    width = len(edge.label) * LETTER + 10
    back = SubElement(svg, "rect", x=f"{x - width / 2:g}", y=f"{y - 14:g}", width=f"{width:g}", height="19", rx="4")
    back.set("fill", PAPER)
    text = SubElement(svg, "text", x=f"{x:g}", y=f"{y:g}", fill=FAINT)
    text.attrib |= {"text-anchor": "middle", "font-style": "italic"}
    text.text = edge.label


def _draw_box(svg: Element, box: Box) -> None:
    fill, border = FILLS[box.node.kind]
    group = SubElement(svg, "g")
    rect = SubElement(group, "rect", x=f"{box.x:g}", y=f"{box.y:g}", width=str(WIDTH), height=str(box.height), rx="8")
    rect.attrib |= {"fill": fill, "stroke": border, "stroke-width": "1.5"}
    if box.node.kind == "gone":
        rect.set("stroke-dasharray", "6 4")
    y = box.y + PADDING + SIZE
    for line in box.title:
        _write(group, box.x, y, line, INK).set("font-weight", "600")
        y += LINE
    y += 6
    for line in box.facts:
        indented = len(line) - len(line.lstrip())
        _write(group, box.x + indented * 6, y, line.strip(), INK)
        y += LINE


def _write(parent: Element, x: float, y: float, line: str, ink: str) -> Element:
    text = SubElement(parent, "text", x=f"{x + PADDING:g}", y=f"{y:g}", fill=ink)
    text.text = line
    return text
