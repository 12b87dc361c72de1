"""Data contracts: what is as agreed passes, and what is not is told by column, rule and row."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gourmetgram.lakehouse.training_data.contracts import check_raw, check_training
from gourmetgram.lakehouse.training_data.data_contract import ContractBroken
from gourmetgram.lakehouse.training_data.rows import SCHEMA
from tests.support.training_recount import DAY, MINUTE, Action, Happening, Image, User, World, moment
from tests.support.training_worlds import BEGINNING, INSTANT, NEW_YEAR

BAD = 4
"""The row that is spoiled; there are nine."""

AT = moment(NEW_YEAR)
BEFORE_1970 = moment(-1)
NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture(scope="module")
def training() -> pa.RecordBatch:
    """Three rows each of three images, from a recount; something has happened to all of them, the second is flagged."""
    happened = [("upload", 0), *[("view", 4)] * 7, *[("comment", 3)] * 2]
    events = [
        Happening(kind, image, NEW_YEAR + after * MINUTE, comment_id=5 if kind == "comment" else None)
        for image in (1, 2, 3)
        for kind, after in happened
    ]
    flags = [Happening("flag", 2, NEW_YEAR + after * MINUTE) for after in (4, 20)]
    images = [Image(number, 1, NEW_YEAR, caption_length=number - 1) for number in (1, 2, 3)]
    actions = [Action(1, 1), Action(2, 2, "reject")]
    world = World([User(1, BEGINNING)], images, events + flags, NEW_YEAR + 2 * DAY, actions=actions)
    rows = world.rows()
    columns = [
        pa.array([row[name] for row in rows]).cast(kind) for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
    ]
    return pa.record_batch(columns, SCHEMA)


RAW: dict[str, dict[str, tuple[pa.DataType, list[Any]]]] = {
    "users": {
        "id": (pa.int64(), [1, 2]),
        "country_of_residence": (pa.string(), ["DE", "US"]),
        "year_of_birth": (pa.int32(), [1900, None]),
        "tos_version_accepted": (pa.int32(), [1, None]),
        "tos_accepted_at": (INSTANT, [AT, None]),
        "is_test_account": (pa.bool_(), [True, False]),
        "created_at": (INSTANT, [AT, AT]),
    },
    "images": {
        "id": (pa.int64(), [1, None]),
        "user_id": (pa.int64(), [1, 1]),
        "source": (pa.string(), ["import", None]),
        "caption_length": (pa.int64(), [0, None]),
        "category": (pa.string(), ["Soup", None]),
        "created_at": (INSTANT, [AT, AT]),
    },
    "comments": {
        "id": (pa.int64(), [1, 2]),
        "image_id": (pa.int64(), [1, 1]),
        "user_id": (pa.int64(), [1, 1]),
        "content_length": (pa.int64(), [0, 99]),
        "created_at": (INSTANT, [AT, AT]),
    },
    "flags": {
        "id": (pa.int64(), [1, 2]),
        "user_id": (pa.int64(), [1, 1]),
        "image_id": (pa.int64(), [1, 1]),
        "comment_id": (pa.int64(), [1, None]),
        "review_status": (pa.string(), ["confirmed", "pending"]),
        "resolved_at": (INSTANT, [AT, None]),
        "created_at": (INSTANT, [AT, AT]),
    },
    "image_milestones": {
        "image_id": (pa.int64(), [1, 1]),
        "milestone": (pa.int32(), [10, 100]),
        "reached_at": (INSTANT, [AT, AT]),
    },
    "reviews": {
        "id": (pa.int64(), [1, 2]),
        "image_id": (pa.int64(), [1, 1]),
        "verdict": (pa.string(), ["confirmed", "rejected"]),
    },
}


def raw(table: str) -> pa.RecordBatch:
    """Two rows of a table, the second with as little in it as there may be."""
    return pa.record_batch({name: pa.array(values, kind) for name, (kind, values) in RAW[table].items()})


def spoiled(batch: pa.RecordBatch, row: int, **changes: object) -> pa.RecordBatch:
    """The rows with other values in one of them."""
    for name, value in changes.items():
        position, field = batch.schema.get_field_index(name), batch.schema.field(name)
        values = [*batch[name][:row].to_pylist(), value, *batch[name][row + 1 :].to_pylist()]
        batch = batch.set_column(position, field, pa.array(values, field.type))
    return batch


def retyped(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    """The rows with another column in the place of one."""
    return batch.set_column(batch.schema.get_field_index(name), name, column)


def complaints(told: str) -> list[str]:
    """The lines of a message that name columns and rules."""
    return [line.strip() for line in told.splitlines()[1:] if not line.startswith("    ")]


def test_what_is_as_agreed_passes(training: pa.RecordBatch) -> None:
    check_training(training)
    check_training(training.slice(0, 0))
    for table in RAW:
        check_raw(table, raw(table))
        check_raw(table, raw(table).slice(0, 0))


def test_a_label_may_be_unknown_and_an_age_need_not_be_whole(training: pa.RecordBatch) -> None:
    check_training(spoiled(training, BAD, label=None, user_age_days=0.1, comment_to_view_ratio=99.5))


POSITIVE = "is a whole number from 1 on"
COUNT = "is a whole number from 0 on"
FINITE = "is a finite number from 0 on"
BIT = "is a whole number from 0 to 1"
VALUE = "has a value"
COUNTRY = "is a country code of two letters"
TOGETHER = "have no more in the shorter time"
TIMES = ("as_of, split_time, anchor_minutes", "are as of the anchor's minutes after the upload")

BROKEN_TRAINING: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"image_id": 0}, ("image_id", POSITIVE)),
    ({"image_id": None}, ("image_id", VALUE)),
    ({"anchor_minutes": 6, "as_of": moment(NEW_YEAR + 6 * MINUTE)}, ("anchor_minutes", "is an anchor")),
    ({"as_of": moment(NEW_YEAR + 5 * MINUTE + 1)}, TIMES),
    ({"as_of": moment(NEW_YEAR)}, TIMES),
    ({"anchor_minutes": 30}, TIMES),
    ({"as_of": None}, ("as_of", VALUE)),
    ({"split_time": None}, ("split_time", VALUE)),
    ({"time_since_upload_seconds": -1.0}, ("time_since_upload_seconds", FINITE)),
    ({"time_since_upload_seconds": INFINITY}, ("time_since_upload_seconds", FINITE)),
    ({"user_age_days": INFINITY}, ("user_age_days", FINITE)),
    ({"user_age_days": -0.1}, ("user_age_days", FINITE)),
    ({"user_age_days": NAN}, ("user_age_days", VALUE)),
    ({"user_age_days": None}, ("user_age_days", VALUE)),
    ({"view_velocity_per_min": INFINITY}, ("view_velocity_per_min", FINITE)),
    ({"comment_to_view_ratio": NAN}, ("comment_to_view_ratio", VALUE)),
    ({"recent_engagement_score": -5.0}, ("recent_engagement_score", FINITE)),
    ({"views_1hr": 7.5}, ("views_1hr", COUNT)),
    ({"views_5min": -1.0}, ("views_5min", COUNT)),
    ({"total_flags": INFINITY}, ("total_flags", COUNT)),
    ({"caption_length": 0.5}, ("caption_length", COUNT)),
    ({"has_caption": 2.0}, ("has_caption", BIT)),
    ({"is_weekend": 0.5}, ("is_weekend", BIT)),
    ({"hour_of_day": 24.0}, ("hour_of_day", "is a whole number from 0 to 23")),
    ({"day_of_week": 7.0}, ("day_of_week", "is a whole number from 0 to 6")),
    ({"user_image_count": 0.0}, ("user_image_count", POSITIVE)),
    ({"category_Egg": 1.0}, ("the columns of categories", "are 1 in exactly one")),
    ({"category_Soup": 0.0}, ("the columns of categories", "are 1 in exactly one")),
    ({"category_Soup": 2.0, "category_Egg": -1.0}, ("category_Soup", BIT)),
    ({"views_5min": 8.0}, ("views_5min, views_1hr", TOGETHER)),
    ({"comments_5min": 3.0}, ("comments_5min, comments_1hr", TOGETHER)),
    ({"flags_5min": 2.0}, ("flags_5min, flags_1hr", TOGETHER)),
    ({"flags_1hr": 2.0}, ("flags_1hr, total_flags", TOGETHER)),
    ({"already_flagged": False}, ("total_flags, already_flagged", "say the same")),
    ({"total_flags": 0.0, "flags_1hr": 0.0, "flags_5min": 0.0}, ("total_flags, already_flagged", "say the same")),
    ({"already_flagged": None}, ("already_flagged", VALUE)),
    ({"country": "de"}, ("country", COUNTRY)),
    ({"country": "DEU"}, ("country", COUNTRY)),
    ({"country": None}, ("country", VALUE)),
]


@pytest.mark.parametrize(("changes", "expected"), BROKEN_TRAINING)
def test_a_broken_rule_of_the_training_data_is_told(
    training: pa.RecordBatch, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    batch = spoiled(training, BAD, **changes)
    with pytest.raises(ContractBroken) as broken:
        check_training(batch)
    told = str(broken.value)
    columns, rule = expected
    assert told.startswith("rows of the training data are not as agreed, so nothing was loaded:\n")
    assert f"{columns}: 1 of 9 rows break the rule “{rule}”, such as" in complaints(told)
    shown = [line for line in told.splitlines() if line.startswith("    ")]
    assert all("image_id" in line and "anchor_minutes" in line for line in shown)
    assert shown[0].strip().startswith(f"image_id {batch['image_id'][BAD].as_py()}, anchor_minutes ")


def test_only_what_is_broken_is_told(training: pa.RecordBatch) -> None:
    with pytest.raises(ContractBroken) as broken:
        check_training(spoiled(training, BAD, country="de", user_image_count=0.0))
    assert complaints(str(broken.value)) == [
        f"user_image_count: 1 of 9 rows break the rule “{POSITIVE}”, such as",
        f"country: 1 of 9 rows break the rule “{COUNTRY}”, such as",
    ]


def test_few_rows_are_shown_of_many_that_are_broken(training: pa.RecordBatch) -> None:
    ages = pc.negate(training["user_age_days"])
    with pytest.raises(ContractBroken) as broken:
        check_training(retyped(training, "user_age_days", ages))
    lines = str(broken.value).splitlines()
    assert complaints(str(broken.value)) == [f"user_age_days: 9 of 9 rows break the rule “{FINITE}”, such as"]
    assert len(lines) == 2 + 3


def test_types_are_as_agreed(training: pa.RecordBatch) -> None:
    def told(batch: pa.RecordBatch) -> list[str]:
        with pytest.raises(ContractBroken) as broken:
            check_training(batch)
        return complaints(str(broken.value))

    texts = training["views_1hr"].cast(pa.string())
    assert told(retyped(training, "views_1hr", texts)) == ["views_1hr: the type is string, not double"]
    whole = training["views_1hr"].cast(pa.int64())
    assert told(retyped(training, "views_1hr", whole)) == ["views_1hr: the type is int64, not double"]
    naive = training["as_of"].cast(pa.timestamp("us"))
    assert told(retyped(training, "as_of", naive)) == ["as_of: the type is timestamp[us], not timestamp[us, tz=UTC]"]
    for label in ("label", "label_confirmed"):
        numbers = training[label].cast(pa.int8())
        assert told(retyped(training, label, numbers)) == [f"{label}: the type is int8, not bool"]
    assert told(training.drop_columns(["views_1hr"])) == ["views_1hr: the column is missing"]
    assert told(training.append_column("caption", texts)) == ["caption: nobody has agreed on this column"]


@pytest.mark.parametrize(
    ("table", "changes", "column", "rule"),
    [
        ("users", {"id": 0}, "id", POSITIVE),
        ("users", {"country_of_residence": "D"}, "country_of_residence", COUNTRY),
        ("users", {"country_of_residence": None}, "country_of_residence", VALUE),
        ("users", {"year_of_birth": 1899}, "year_of_birth", "is a whole number from 1900 on"),
        ("users", {"is_test_account": None}, "is_test_account", VALUE),
        ("users", {"created_at": BEFORE_1970}, "created_at", "is not before 1970"),
        ("images", {"id": -1}, "id", POSITIVE),
        ("images", {"user_id": None}, "user_id", VALUE),
        ("images", {"source": "elsewhere"}, "source", "is a known source"),
        ("images", {"caption_length": -1}, "caption_length", COUNT),
        ("images", {"category": "Stone"}, "category", "is one of the categories"),
        ("images", {"category": None}, "id, source, caption_length, category", "are all there, or none of them is"),
        ("images", {"created_at": None}, "created_at", VALUE),
        ("comments", {"image_id": None}, "image_id", VALUE),
        ("comments", {"content_length": -1}, "content_length", COUNT),
        ("flags", {"image_id": 0}, "image_id", POSITIVE),
        ("flags", {"comment_id": 0}, "comment_id", POSITIVE),
        ("flags", {"review_status": "perhaps"}, "review_status", "is a known state of a review"),
        ("flags", {"resolved_at": BEFORE_1970}, "resolved_at", "is not before 1970"),
        ("image_milestones", {"milestone": 0}, "milestone", POSITIVE),
        ("image_milestones", {"reached_at": None}, "reached_at", VALUE),
        ("reviews", {"image_id": None}, "image_id", VALUE),
        ("reviews", {"verdict": "hidden"}, "verdict", "is a verdict"),
        ("reviews", {"verdict": None}, "verdict", VALUE),
    ],
)
def test_a_broken_rule_of_a_raw_table_is_told(table: str, changes: dict[str, Any], column: str, rule: str) -> None:
    with pytest.raises(ContractBroken) as broken:
        check_raw(table, spoiled(raw(table), 0, **changes))
    told = str(broken.value)
    assert told.startswith(("rows of the application's table", "verdicts among the application's table"))
    assert complaints(told) == [f"{column}: 1 of 2 rows break the rule “{rule}”, such as"]


@pytest.mark.parametrize("table", RAW)
def test_a_raw_table_has_its_columns_and_no_other(table: str) -> None:
    """A view that began to show captions would be refused."""
    batch = raw(table)
    with pytest.raises(ContractBroken, match="caption: nobody has agreed on this column"):
        check_raw(table, batch.append_column("caption", pa.array(["tasty", "fresh"])))
    for name in batch.schema.names:
        with pytest.raises(ContractBroken, match=f"{name}: the column is missing"):
            check_raw(table, batch.drop_columns([name]))
