import json

from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.outbox_relay.batch import (
    LONGEST_DEAD_PAYLOAD,
    OutboxRow,
    dead_letter,
    divide,
    oldest,
    record,
    views_by_image,
)

VIEWS, COMMENTS = "gourmetgram.views", "gourmetgram.comments"

rows = st.lists(
    st.builds(
        OutboxRow,
        id=st.integers(1, 10_000),
        topic=st.sampled_from([VIEWS, COMMENTS, "nowhere"]),
        key=st.none() | st.integers(1, 5),
        payload=st.just("{}"),
        created_at=st.floats(0, 2e9),
    ),
    unique_by=lambda row: row.id,
)


@given(rows)
def test_every_row_lands_on_one_side_in_id_order(rows: list[OutboxRow]) -> None:
    good, bad = divide(rows, {VIEWS, COMMENTS})
    assert sorted([*good, *(row for row, _ in bad)]) == sorted(rows)
    assert [row.id for row in good] == sorted(row.id for row in rows if row.topic != "nowhere")
    assert [row.id for row, _ in bad] == sorted(row.id for row in rows if row.topic == "nowhere")
    assert all("nowhere" in reason for _, reason in bad)


@given(rows)
def test_views_are_counted_per_image_and_nothing_else_is(rows: list[OutboxRow]) -> None:
    expected: dict[int, int] = {}
    for row in rows:
        if row.topic == VIEWS and row.key is not None:
            expected[row.key] = expected.get(row.key, 0) + 1
    assert views_by_image(rows, VIEWS) == expected


@given(rows)
def test_the_oldest_row_is_not_the_first_id(rows: list[OutboxRow]) -> None:
    when = oldest(rows)
    assert when is None if not rows else all(when is not None and when <= row.created_at for row in rows)


def test_a_record_carries_the_payload_as_it_was_written() -> None:
    row = OutboxRow(7, COMMENTS, 3, '{"event_id": "a"}', 1.0)
    assert record(row) == (COMMENTS, "3", '{"event_id": "a"}')
    assert record(row._replace(key=None)).key is None


def test_a_dead_letter_says_what_was_refused_and_stays_small() -> None:
    row = OutboxRow(7, COMMENTS, 3, "x" * 2_000_000, 1.0)
    letter = dead_letter(row, "too large", "gourmetgram.dead_letters")
    value = json.loads(letter.value)
    assert letter.topic == "gourmetgram.dead_letters"
    assert letter.key == "3"
    assert (value["outbox_id"], value["topic"], value["reason"]) == (7, COMMENTS, "too large")
    assert value["payload"] == "x" * LONGEST_DEAD_PAYLOAD
    assert value["payload_characters"] == 2_000_000
