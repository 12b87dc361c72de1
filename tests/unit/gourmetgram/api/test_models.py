"""What a request body may hold."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, ValidationError

from gourmetgram.api.models import ImportBatch, ImportedEvent, ImportedUser, NewComment, NewFlag, NewUser

USER: dict[str, object] = {"username": "ana", "country_of_residence": "FR", "year_of_birth": 1990}
THEN = "2026-01-02T03:04:05Z"
EVENT: dict[str, object] = {
    "event_type": "view", "event_id": "0192f0c1-7b7e-7c3a-9a2f-1d5c6e7f8091", "occurred_at": THEN,
    "username": "ana", "image": "ref-1",
}  # fmt: skip


def problems(model: type[BaseModel], body: dict[str, object]) -> list[str]:
    """The fields that are refused."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return [".".join(map(str, one["loc"])) for one in caught.value.errors()]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "a" * 65),
        ("username", "ana\n"),
        ("username", "a na"),
        ("country_of_residence", "fr"),
        ("country_of_residence", "FRA"),
        ("country_of_residence", "ÄÖ"),
        ("year_of_birth", 1899),
        ("year_of_birth", datetime.now(UTC).year + 1),
        ("year_of_birth", "nineteen"),
        ("tos_version_accepted", 0),
        ("tos_version_accepted", 2**31),
        ("is_admin", True),
    ],
)
def test_a_bad_user_is_refused_by_field(field: str, value: object) -> None:
    assert problems(NewUser, USER | {field: value}) == [field]


@pytest.mark.parametrize("content", ["", "   ", "x" * 2001, "a\0b", "\x1b[2J", "\ud800"])
def test_a_bad_comment_is_refused(content: str) -> None:
    assert problems(NewComment, {"image_id": 1, "content": content}) == ["content"]


@pytest.mark.parametrize("content", ["x" * 2000, "  trimmed  ", "two\nlines", "süß 🍜"])
def test_a_good_comment_is_kept(content: str) -> None:
    assert NewComment(image_id=1, content=content).content == content.strip()


@pytest.mark.parametrize("image_id", [0, -1, 2**63, "x", 1.5])
def test_an_id_that_cannot_exist_is_refused(image_id: object) -> None:
    assert problems(NewComment, {"image_id": image_id, "content": "good"}) == ["image_id"]


@pytest.mark.parametrize(("targets", "came"), [({}, "neither"), ({"image_id": 1, "comment_id": 2}, "both")])
def test_a_flag_has_exactly_one_target(targets: dict[str, int], came: str) -> None:
    with pytest.raises(ValidationError, match=f"exactly one of image_id and comment_id, got {came}"):
        NewFlag.model_validate(targets | {"reason": "not food"})


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param((datetime.now(UTC) + timedelta(hours=1)).isoformat(), id="in an hour"),
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+05:00",
    ],
)
def test_a_time_that_is_not_in_the_past_is_refused(moment: str) -> None:
    assert problems(ImportedEvent, EVENT | {"occurred_at": moment}) == ["occurred_at"]


def test_a_time_of_another_zone_becomes_utc() -> None:
    event = ImportedEvent.model_validate(EVENT | {"occurred_at": "2026-01-02T05:04:05+02:00"})
    assert event.occurred_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_nobody_joins_before_being_born() -> None:
    with pytest.raises(ValidationError, match="before the year of birth"):
        ImportedUser.model_validate(USER | {"year_of_birth": 2020, "created_at": "2019-12-31T23:59:59Z"})


@pytest.mark.parametrize(
    "change",
    [
        {"content": "good"},
        {"reason": "bad"},
        {"event_type": "comment"},
        {"event_type": "comment", "content": "good", "reason": "bad"},
        {"event_type": "flag", "content": "good"},
    ],
)
def test_an_imported_event_has_the_text_of_its_type(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="content for a comment, reason for a flag"):
        ImportedEvent.model_validate(EVENT | change)


def test_a_batch_is_bounded() -> None:
    ImportBatch.model_validate({"events": [EVENT] * 5000})
    with pytest.raises(ValidationError, match="at most 5000 items in a batch, got 5001"):
        ImportBatch.model_validate({"events": [EVENT] * 5000, "users": [USER | {"created_at": THEN}]})
