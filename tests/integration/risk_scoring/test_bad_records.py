"""A record that is no request goes to the dead letters with its reason, and stops nobody."""

import json
from typing import Any

import pytest

from gourmetgram.core.moderation import encode_request, request_id
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess
from tests.support.processes import wait_until
from tests.support.requests import asked

LARGE = 10**30


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(encode_request(asked(7))) | fields).encode()


def counts(**changes: Any) -> dict[str, Any]:
    return dict(json.loads(encode_request(asked(7)))["counts"]) | changes


BAD: dict[str, tuple[bytes | None, str]] = {
    "nothing": (None, "not a request: Input data was truncated"),
    "garbage": (b"\xff\x00 not JSON", "not a request: JSON is malformed"),
    "another thing": (b"[1, 2]", "Expected `object`, got `array`"),
    "half a request": (encode_request(asked(7))[:-20], "truncated"),
    "id of another image": (changed(request_id=str(request_id(8, "upload", "0"))), "expected request_id 6582d402"),
    "id of another question": (changed(key="1"), "not a request: expected request_id"),
    "text for a number": (changed(image_id="7"), "Expected `int`, got `str` - at `$.image_id`"),
    "unknown trigger": (changed(trigger="whim"), "Invalid enum value 'whim' - at `$.trigger`"),
    "count below nothing": (changed(counts=counts(views_1hr=-1)), "`$.counts.views_1hr`"),
    "count that is missing": (changed(counts={}), "missing required field `views_5min`"),
    "count beyond any database": (changed(counts=counts(total_flags=LARGE)), "`$.counts.total_flags`"),
    "image beyond any database": (
        changed(image_id=LARGE, request_id=str(request_id(LARGE, "upload", "0"))),
        "`$.image_id`",
    ),
    "time beyond any calendar": (changed(as_of=LARGE), "`$.as_of`"),
    "partition beyond any broker": (changed(partition=2**31), "`$.partition`"),
    "topic that no database can write": (changed(offsets={"a\0b": 1}), "`$.offsets`"),
    "abyss of brackets": (changed()[:-1] + b', "more": ' + b"[" * 100_000, "nested too deeply"),
}


def buried(desk: Desk) -> list[tuple[int, int]]:
    """Partition and offset of all records that have a letter."""
    return [(one.event["partition"], one.event["offset"]) for one in desk.dead_letters()]


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_it_is_buried_with_its_reason_and_the_stream_goes_on(
    desk: Desk, scorer: ScorerProcess, value: bytes | None, reason: str
) -> None:
    before = scorer.metric("scorer_dead_letters_total")
    image = str(desk.some_image())
    bad = desk.put(value, key=image)  # the same key: both are in one partition, one behind the other
    good = asked(int(image))
    desk.answer(good)
    (letter,) = (one.event for one in desk.dead_letters() if (one.event["partition"], one.event["offset"]) == bad)
    assert letter["reason"].startswith("not a request: ")
    assert reason in letter["reason"]
    assert letter["key"] == image
    assert letter["payload_bytes"] == len(value or b"")
    assert letter["payload"] == (value or b"")[:65_536].decode(errors="replace")
    assert scorer.metric("scorer_dead_letters_total") == before + 1


def test_one_as_large_as_the_broker_takes_is_buried_too(desk: Desk, scorer: ScorerProcess) -> None:
    """Its reason quotes it, and JSON makes six letters of an odd byte: a letter must not grow beyond what is taken."""
    bad = desk.put(changed(trigger="x" * 480_000), key="\x01" * 400_000)
    wait_until(lambda: bad in buried(desk), "there is a letter")
    desk.answer(asked(desk.some_image()))


def test_among_many_good_ones_only_the_bad_ones_are_buried(desk: Desk, scorer: ScorerProcess) -> None:
    image = desk.some_image()
    requests = [asked(image, "flagged", str(number)) for number in range(300)]
    bad = []
    for number, request in enumerate(requests):
        if number % 50 == 25:
            bad.append(desk.put(b"{}", key=str(image)))
        desk.ask(request)
    assert len(desk.answers(requests)) == len(requests)
    assert [place for place in buried(desk) if place in bad] == bad
