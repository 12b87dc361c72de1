"""Requests for moderation: one id per question, and nothing taken for a request that is none."""

import hashlib
import json
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core import moderation
from gourmetgram.core.moderation import Counts, ModerationRequest, Trigger, decode_request, encode_request, request_id
from gourmetgram.core.windows import WINDOWS

LARGEST = 2**53 - 1
IMAGES = st.integers(1, LARGEST)
TRIGGERS = st.sampled_from(moderation.TRIGGERS)
KEYS = st.sampled_from(["0", "5", "30", "64"]) | st.uuids().map(str)
COUNTS = st.builds(Counts, **dict.fromkeys(Counts.__struct_fields__, st.integers(0, 10**9)))


@st.composite
def requests(draw: st.DrawFn) -> ModerationRequest:
    image, trigger, key = draw(IMAGES), draw(TRIGGERS), draw(KEYS)
    return ModerationRequest(
        request_id=request_id(image, trigger, key),
        image_id=image,
        trigger=trigger,
        key=key,
        as_of=draw(st.integers(0, LARGEST)),
        counts=draw(COUNTS),
        partition=draw(st.integers(0, 5)),
        offsets=draw(
            st.dictionaries(st.sampled_from(["gourmetgram.views", "gourmetgram.flags"]), st.integers(0, LARGEST))
        ),
    )


def test_an_id_never_changes() -> None:
    """These ids are in databases: a change would score everything again."""
    assert request_id(7, "upload", "0") == UUID("6582d402-8f2e-5592-a3d8-9a37ecde8f52")
    assert request_id(7, "anchor", "30") == UUID("262680a4-dc2d-531b-b06d-9d599f432bc0")


@given(IMAGES, TRIGGERS, KEYS)
def test_an_id_is_a_uuid_of_version_5(image: int, trigger: Trigger, key: str) -> None:
    """RFC 9562, section 5.5."""
    digest = bytearray(hashlib.sha1(moderation.NAMESPACE.bytes + f"{image}/{trigger}/{key}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    assert request_id(image, trigger, key).bytes == bytes(digest)


@given(st.lists(st.tuples(st.integers(1, 30), TRIGGERS, KEYS), unique=True))
def test_different_questions_have_different_ids(questions: list[tuple[int, Trigger, str]]) -> None:
    assert len({request_id(*question) for question in questions}) == len(questions)


@given(requests())
def test_a_request_comes_back_as_it_was_sent(request: ModerationRequest) -> None:
    assert decode_request(encode_request(request)) == request


@given(requests(), requests())
def test_an_id_of_another_question_is_refused(request: ModerationRequest, other: ModerationRequest) -> None:
    stored = json.loads(encode_request(request))
    stored["request_id"] = str(other.request_id)
    if other.request_id == request.request_id:
        assert decode_request(json.dumps(stored)) == request
    else:
        with pytest.raises(msgspec.ValidationError, match=f"expected request_id {request.request_id}, got"):
            decode_request(json.dumps(stored))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image_id": 0}, "image_id"),
        ({"trigger": "boredom"}, "trigger"),
        ({"as_of": -1}, "as_of"),
        ({"counts": {"views_5min": 1}}, "counts"),
        ({"counts": dict.fromkeys(Counts.__struct_fields__, -1)}, "counts"),
        ({"counts": {**dict.fromkeys(Counts.__struct_fields__, 1), "likes": 1}}, "likes"),
        ({"offsets": {"gourmetgram.views": "many"}}, "offsets"),
    ],
)
def test_what_is_no_request_is_refused_by_name(change: dict[str, object], named: str) -> None:
    request = ModerationRequest(
        request_id=request_id(1, "upload", "0"),
        image_id=1,
        trigger="upload",
        key="0",
        as_of=0,
        counts=Counts(**dict.fromkeys(Counts.__struct_fields__, 0)),
        partition=0,
        offsets={},
    )
    with pytest.raises(msgspec.ValidationError, match=named):
        decode_request(json.dumps(json.loads(encode_request(request)) | change))


def test_the_counts_are_the_windows_and_the_total() -> None:
    assert Counts.__struct_fields__ == (*(window.name for window in WINDOWS), "total_flags")
    assert Counts.__struct_fields__ == moderation.COUNT_NAMES
