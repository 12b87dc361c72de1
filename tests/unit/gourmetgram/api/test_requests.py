"""Fingerprints, object names, and the statements of the two versions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.api.removal import DELETE
from gourmetgram.api.routes.engagement import COMMENT, FLAG_ON_COMMENT, FLAG_ON_IMAGE, view_write
from gourmetgram.api.uploads import UPLOAD, object_name
from gourmetgram.api.writes import Request

TEXTS = st.text(max_size=20)
KEYS_KEPT = timedelta(hours=24)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_fingerprints_are_equal_just_when_requests_are(a: str, b: str, c: str, d: str) -> None:
    one, other = Request.now(1, "key", a, b), Request.now(1, "key", c, d)
    assert (one.fingerprint == other.fingerprint) == ((a, b) == (c, d))


def test_without_a_key_nothing_is_hashed() -> None:
    assert Request.now(1, None, "comment", 7, "good").fingerprint == b""


def test_a_repeated_upload_names_the_same_object_and_another_does_not() -> None:
    def name(user: int, key: str | None, photo: bytes) -> str:
        return object_name(Request.now(user, key, "upload", photo), "jpg")

    assert name(1, "key", b"photo") == name(1, "key", b"photo")
    names = {name(1, "key", b"photo"), name(2, "key", b"photo"), name(1, "other", b"photo"), name(1, "key", b"other")}
    assert len(names) == 4
    assert name(1, None, b"photo") != name(1, None, b"photo")


def test_an_upload_sent_after_its_key_was_forgotten_does_not_share_its_photo_with_the_first() -> None:
    first = Request.now(1, "key", "upload", b"photo")
    later = replace(first, at=first.at + KEYS_KEPT)
    assert object_name(first, "jpg") != object_name(later, "jpg")


@pytest.mark.parametrize("write", [UPLOAD, DELETE, COMMENT, FLAG_ON_IMAGE, FLAG_ON_COMMENT, view_write(True)])
def test_the_versions_differ_by_the_outbox_only(write: object) -> None:
    from gourmetgram.api.writes import Write

    assert isinstance(write, Write)
    v1, v2 = write.statement(streaming=False), write.statement(streaming=True)
    start = v2.index(", event AS (")
    end = v2.index("SELECT (SELECT id FROM written)")
    assert "INSERT INTO outbox" in v2[start:end]
    assert v2[:start] + v2[end:].lstrip() == v1.replace("\n)\nSELECT (SELECT id", "\n)SELECT (SELECT id")
