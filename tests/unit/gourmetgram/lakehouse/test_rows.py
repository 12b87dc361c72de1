"""Records become columns: every field where it belongs, every record covered, whatever the batches."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.core.records import KINDS, TOPICS, Record
from gourmetgram.lakehouse.offsets import Place
from gourmetgram.lakehouse.rows import Chunk, chunks
from gourmetgram.lakehouse.topic_log import fingerprint
from tests.support.events import event, record

NOW = 1_795_251_600 * 10**6
AT = 1_794_312_000 * 10**6 + 123_456


def only(*batches: list[Record]) -> Chunk:
    (chunk,) = chunks(batches, 1000, NOW)
    return chunk


def test_each_type_fills_its_own_columns() -> None:
    made = [
        event("upload", 1, AT, 7, user_id=3, caption_length=12, category="Rice"),
        event("view", 2, AT + 1, 8, is_test=True),
        event("comment", 3, AT + 2, 9, comment_id=4, imported=True),
        event("flag", 4, AT + 3, 10, flag_id=5, reason="naïve", comment_id=6),
        event("flag", 5, AT + 4, 11, flag_id=6, reason=""),
    ]
    chunk = only([record(one, partition=number, offset=10 * number) for number, one in enumerate(made)])
    rows = chunk.events.to_pylist()
    for number, (row, one) in enumerate(zip(rows, made, strict=True)):
        fields = {name: getattr(one, name) for name in ("image_id", "user_id", "is_test", "imported")}
        some = ("comment_id", "flag_id", "reason", "caption_length", "category")
        fields |= {name: getattr(one, name, None) for name in some}
        fields |= {"event_id": str(one.event_id), "event_type": one.type, "occurred_at": one.occurred_at}
        fields |= {"topic": one.topic, "partition": number, "offset": 10 * number}
        assert {name: row[name] for name in fields} == fields
        assert row["occurred_at"].microsecond == one.occurred_at.microsecond
    assert len({row["read_order"] for row in rows}) == len(rows)


def test_deletions_go_where_they_belong() -> None:
    chunk = only([record(event("deletion", 9, AT, 7), partition=3, offset=40)])
    assert chunk.events.num_rows == 0
    assert chunk.deletions.to_pylist() == [
        {
            "image_id": 7,
            "deleted_at": datetime.fromtimestamp(AT / 10**6, UTC),
            "event_id": str(UUID(int=9)),
            "partition": 3,
            "offset": 40,
        }
    ]


def test_what_is_refused_is_covered_all_the_same() -> None:
    bad = record(event("view", 1, AT), offset=5, value=b"no JSON")
    ahead = record(event("view", 2, NOW + 61 * 10**6), offset=6)
    chunk = only([bad, ahead])
    assert (chunk.refused, chunk.events.num_rows) == (2, 0)
    assert chunk.reached == {Place("gourmetgram.views", 0): 7}
    assert chunk.prints == {Place("gourmetgram.views", 0): fingerprint(ahead.value)}


def test_nothing_read_makes_no_chunk() -> None:
    assert list(chunks([], 10, NOW)) == []
    assert list(chunks([[]], 10, NOW)) == []


@st.composite
def batches(draw: st.DrawFn) -> list[list[Record]]:
    """Records of any places in the order of their offsets, in batches of any size."""
    offsets: dict[tuple[str, int], int] = {}
    result = []
    for sizes in draw(st.lists(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2)), max_size=6), max_size=8)):
        batch = []
        for kind, partition in sizes:
            offset = offsets[kind, partition] = offsets.get((kind, partition), -1) + 1
            batch.append(record(event(kind, offset, AT, 1), partition=partition, offset=offset))
        result.append(batch)
    return result


@settings(deadline=None)
@given(batches(), st.integers(1, 12))
def test_chunks_together_are_all_records_in_their_order(example: list[list[Record]], limit: int) -> None:
    made = list(chunks(example, limit, NOW))
    everything = [(TOPICS[one.topic], one.partition, one.offset) for batch in example for one in batch]
    found: list[tuple[Any, ...]] = []
    reached: dict[Place, int] = {}
    for chunk in made:
        rows = sorted(chunk.events.to_pylist(), key=lambda row: int(row["read_order"]))
        found += [(row["topic"], row["partition"], row["offset"]) for row in rows]
        buried = chunk.deletions.to_pylist()
        found += [("gourmetgram.deletions", row["partition"], row["offset"]) for row in buried]
        for place, offset in chunk.reached.items():
            assert reached.get(place, 0) < offset
            reached[place] = offset
    assert sorted(found) == sorted(everything)
    for place, offset in reached.items():
        assert offset == max(one[2] for one in everything if one[:2] == place) + 1
    assert all(chunk.events.num_rows + chunk.deletions.num_rows == limit for chunk in made[:-1])
    in_order = [one for one in found if one[0] != "gourmetgram.deletions"]
    for place in reached:
        mine = [one[2] for one in in_order if one[:2] == place]
        assert mine == sorted(mine)
