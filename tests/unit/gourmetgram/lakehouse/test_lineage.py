"""Chains as words, as Mermaid and as a picture; what a training snapshot's notes make of a chain."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Node, mermaid, told
from gourmetgram.lakehouse.lineage.picture import WIDTH, picture, rows
from gourmetgram.lakehouse.lineage.training import Present, offset_facts, training_part

SVG = "{http://www.w3.org/2000/svg}"

SAID = {
    "run_id": "scheduled__2026-11-21T00:00:00+00:00",
    "raw": "gourmetgram-datalake/raw/dt=2026-11-21/run_id=scheduled__2026-11-21T00_00_00_00_00",
    "history_run": "manual__3b0c7a53-8b5f-4a4f-93c2-8ff5f0b7dd4e",
    "snapshots": {"event_aggregations.events": 5501, "event_aggregations.view_windows_5min": 5502},
    "offsets": {"gourmetgram.views/1": 20, "gourmetgram.views/0": 17, "gourmetgram.flags/0": 3},
    "complete_until": "2026-11-21T11:59:00+00:00",
}
GONE = Present(None, (), raw=False, tables={"event_aggregations.events": True})
DIAMOND = Chain(
    "A diamond",
    (Node("a", "decision", "top", ('says "no" & <that>',)), Node("b", "run", "left"), Node("c", "gone", "right"),
     Node("d", "data", "bottom", ("a fact " * 20,))),
    (Edge("a", "b", "made by"), Edge("a", "c", "asked"), Edge("b", "d", "read"), Edge("c", "d", "read")),
)  # fmt: skip


def test_what_is_told_is_indented_by_what_it_comes_from() -> None:
    assert told(DIAMOND).splitlines() == [
        "A diamond",
        "",
        "top",
        '  · says "no" & <that>',
        "    made by → left",
        "        read → bottom",
        f"          · {'a fact ' * 20}",
        "    asked → right",
        "        read → bottom (see above)",
    ]


def test_a_chain_that_hangs_in_the_air_is_refused() -> None:
    node = Node("a", "data", "a")
    with pytest.raises(ValueError, match="nodes that are not there"):
        Chain("", (node,), (Edge("a", "b", ""),))
    with pytest.raises(ValueError, match="there twice"):
        Chain("", (node, node))


def test_mermaid_has_every_node_and_edge_and_no_character_of_its_own_syntax() -> None:
    lines = mermaid(DIAMOND).splitlines()
    assert lines[:2] == ["flowchart TD", '    n0["<b>top</b><br/>says #quot;no#quot; & #lt;that#gt;"]']
    assert lines[-1] == '    n2 -->|"read"| n3'
    assert len(lines) == 1 + 4 + 4


def test_each_node_stands_below_all_that_lead_to_it() -> None:
    longer = Chain("", DIAMOND.nodes, (*DIAMOND.edges[1:], Edge("c", "b", ""), Edge("a", "b", "")))
    assert [[node.key for node in row] for row in rows(DIAMOND)] == [["a"], ["b", "c"], ["d"]]
    assert [[node.key for node in row] for row in rows(longer)] == [["a"], ["c"], ["b"], ["d"]]


def numbers(element: ElementTree.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def test_the_picture_holds_all_words_within_boxes_that_do_not_overlap() -> None:
    svg = ElementTree.fromstring(picture(DIAMOND))
    assert svg.findtext(f"{SVG}title") == "A diamond"
    assert svg.findtext(f"{SVG}desc") == told(DIAMOND)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    places = []
    for group in svg.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, w, h = numbers(rect, "x", "y", "width", "height")
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        heights = [float(text.attrib["y"]) for text in group.iter(f"{SVG}text")]
        assert heights == sorted(set(heights))
        assert y < heights[0] - 9
        assert heights[-1] + 4 < y + h
        places.append((x, y, w, h))
    assert len(places) == len(DIAMOND.nodes)
    for (x, y, w, h), (other_x, other_y, *_) in pairwise(sorted(places, key=lambda one: (one[1], one[0]))):
        assert (other_y == y and other_x >= x + w) or other_y >= y + h
    words = " ".join(svg.itertext()).split()
    for node in DIAMOND.nodes:
        for text in (node.title, *node.facts):
            assert words.count(text.split()[0]) > told(DIAMOND).split().count(text.split()[0]), "beside the description"
    assert len([path for path in svg.iter(f"{SVG}path") if "marker-end" in path.attrib]) == len(DIAMOND.edges)
    assert float(svg.attrib["font-size"]) >= 12


def test_a_word_longer_than_a_box_is_broken() -> None:
    svg = ElementTree.fromstring(picture(Chain("long", (Node("a", "data", "x" * 200),))))
    lines = [one.text or "" for group in svg.iter(f"{SVG}g") for one in group.iter(f"{SVG}text")]
    assert "".join(lines) == "x" * 200
    assert max(map(len, lines)) * 7 < WIDTH


def test_offsets_are_told_by_topic_in_the_order_of_partitions() -> None:
    assert list(offset_facts(SAID["offsets"])) == ["flags  0:3", "views  0:17, 1:20"]  # type: ignore[arg-type]


def test_a_chain_whose_snapshot_has_expired_is_told_from_the_models_own_notes() -> None:
    part = training_part(99, SAID, GONE)
    text = told(Chain("", *part))
    assert [node.kind for node in part.nodes] == ["gone", "run", "gone", "run", "data", "data"]
    for word in ("snapshot 99", "scheduled__2026", "manual__3b0c7a53", "5501", "5502 (expired)", "views  0:17, 1:20"):
        assert word in text


def test_where_nothing_was_noted_the_chain_ends() -> None:
    (node,), edges = training_part(None, {}, GONE)
    assert edges == ()
    assert "nobody has written down which" in node.facts
