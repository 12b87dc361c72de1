"""Coverage survives being written down; each way in which a topic can be another one is told by place and number."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.lakehouse.offsets import (
    COVERS,
    Coverage,
    Place,
    Range,
    Superseded,
    named,
    parse_offsets,
    require_not_beyond,
    starts,
    trouble,
)

places = st.builds(Place, st.sampled_from(["gourmetgram.views", "a", "a/b", "x.y-z_1"]), st.integers(0, 30))
offsets = st.dictionaries(places, st.integers(0, 2**62), max_size=12)
prints = st.dictionaries(places, st.text("0123456789abcdef", min_size=16, max_size=16), max_size=12)
HERE = Place("gourmetgram.views", 2)
THERE = Place("gourmetgram.flags", 0)


@given(offsets, prints)
def test_a_coverage_comes_back_from_the_properties_of_a_table(where: dict[Place, int], seen: dict[Place, str]) -> None:
    written = Coverage(where, seen).properties()
    assert Coverage.of({"other": "x", **written}) == Coverage(where, seen)
    assert written[COVERS].isascii()


@given(offsets)
def test_offsets_come_back_from_their_names(where: dict[Place, int]) -> None:
    assert parse_offsets(json.loads(json.dumps(named(where)))) == where


@given(offsets, prints)
def test_what_is_written_does_not_depend_on_the_order(where: dict[Place, int], seen: dict[Place, str]) -> None:
    """Else a run with nothing new would look like a change."""
    turned = Coverage(dict(reversed(where.items())), dict(reversed(seen.items())))
    assert turned.properties() == Coverage(where, seen).properties()


def test_a_new_table_covers_nothing() -> None:
    assert Coverage.of({}) == Coverage({}, {})


@given(offsets, prints, offsets, prints)
def test_advancing_keeps_what_was_not_read(
    where: dict[Place, int], seen: dict[Place, str], further: dict[Place, int], newer: dict[Place, str]
) -> None:
    after = Coverage(where, seen).advanced(further, newer)
    assert all(after.offsets[place] == further.get(place, where.get(place)) for place in {**where, **further})
    assert all(after.prints[place] == newer.get(place, seen.get(place)) for place in {**seen, **newer})


def test_moving_forgets_the_record_before() -> None:
    moved = Coverage({HERE: 5, THERE: 7}, {HERE: "old", THERE: "kept"}).moved({HERE: 0})
    assert moved == Coverage({HERE: 0, THERE: 7}, {THERE: "kept"})


def told(covered: int, there: Range | None, found: str | None = "same") -> str:
    """What is said about a place whose coverage ends behind a record with the print `same`."""
    ranges = {} if there is None else {HERE: there}
    prints = {} if found is None else {HERE: found}
    sentences = [one.told for one in trouble(Coverage({HERE: covered}, {HERE: "same"}), ranges, prints)]
    assert len(sentences) <= 1
    return sentences[0] if sentences else ""


@pytest.mark.parametrize("there", [Range(0, 100), Range(0, 101), Range(99, 100), Range(100, 100), Range(100, 5000)])
def test_a_topic_that_only_grew_and_expired_is_no_trouble(there: Range) -> None:
    assert told(100, there, "same" if there.first < 100 else None) == ""


@pytest.mark.parametrize(
    ("there", "found", "sentence"),
    [
        (None, None, "gourmetgram.views/2 is gone, 100 of its records have landed"),
        (Range(0, 99), None, "gourmetgram.views/2 ends at offset 99, but 100 have landed"),
        (Range(0, 0), None, "gourmetgram.views/2 ends at offset 0, but 100 have landed"),
        (Range(101, 500), None, "gourmetgram.views/2 begins at offset 101: 1 records from offset 100 on expired"),
        (Range(300, 500), None, "gourmetgram.views/2 begins at offset 300: 200 records from offset 100 on expired"),
        (Range(0, 500), "other", "gourmetgram.views/2 has another record at offset 99 than the one that landed"),
        (Range(0, 100), "other", "gourmetgram.views/2 has another record at offset 99 than the one that landed"),
    ],
)
def test_trouble_names_the_place_and_the_number(there: Range | None, found: str | None, sentence: str) -> None:
    assert told(100, there, found).startswith(sentence)


def test_each_place_in_trouble_is_told_and_no_other() -> None:
    covered = Coverage({HERE: 5, THERE: 7, Place("x", 0): 1}, {})
    found = trouble(covered, {HERE: Range(6, 9), THERE: Range(0, 6), Place("x", 0): Range(0, 1)}, {})
    assert [(one.place, one.covered) for one in found] == [(THERE, 7), (HERE, 5)]


def test_a_place_whose_record_before_is_not_known_is_trusted() -> None:
    assert trouble(Coverage({HERE: 5}, {}), {HERE: Range(0, 9)}, {HERE: "any"}) == []


def test_a_place_that_was_never_covered_is_read_from_its_earliest_record() -> None:
    assert starts({HERE: 5}, {HERE: Range(2, 9), THERE: Range(3, 4)}) == {HERE: 5, THERE: 3}


@given(offsets, offsets)
def test_only_what_lies_beyond_the_ends_is_refused(covered: dict[Place, int], ends: dict[Place, int]) -> None:
    beyond = [place for place, end in ends.items() if covered.get(place, 0) > end]
    if beyond:
        with pytest.raises(Superseded, match="the table covers"):
            require_not_beyond("the table", covered, ends)
    else:
        require_not_beyond("the table", covered, ends)
