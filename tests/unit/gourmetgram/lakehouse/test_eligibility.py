"""Whose posts may be learned from: each rule, their order, and the report."""

import dataclasses
from typing import Any

import pytest

from gourmetgram.lakehouse.training_data.eligibility import RULES, told
from tests.support.training_recount import DAY, Happening, Image, User, World, differences
from tests.support.training_worlds import BEGINNING, NEW_YEAR, found, one_image


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("deleted", {}),
        ("no_upload_event", {}),
        ("synthetic", {}),
        ("test_account", {"is_test_account": True}),
        ("terms_not_accepted", {"tos_version_accepted": None}),
        ("terms_not_accepted", {"tos_version_accepted": 0}),
        ("terms_not_accepted", {"tos_accepted_at": None}),
        ("age_unknown", {"year_of_birth": None}),
        ("minor", {"year_of_birth": 2009}),
    ],
)
def test_each_rule_excludes(rule: str, changes: dict[str, Any]) -> None:
    world = one_image(**changes)
    if rule == "deleted":
        world.images = [dataclasses.replace(world.images[0], is_deleted=True)]
    if rule == "no_upload_event":
        world.events = [Happening("view", 1, NEW_YEAR)]
    if rule == "synthetic":
        world.images = [dataclasses.replace(world.images[0], source="synthetic")]
    rows, report = found(world)
    assert rows == []
    assert {one["rule"]: one["images"] for one in report["excluded"]} == {
        **dict.fromkeys((each.name for each in RULES), 0), rule: 1
    }  # fmt: skip
    assert f"      -1  {rule}: {next(each.reason for each in RULES if each.name == rule)}" in list(told(report))


def test_the_first_rule_that_applies_is_the_one_that_is_told() -> None:
    everything: dict[str, Any] = {"is_test_account": True, "tos_version_accepted": None, "year_of_birth": None}
    world = one_image(**everything)
    world.images = [dataclasses.replace(world.images[0], source="synthetic")]
    world.events, world.deleted_since = [], {1}
    mending: list[tuple[str, dict[str, Any]]] = [
        ("deleted", {"deleted_since": set()}),
        ("no_upload_event", {"events": [Happening("upload", 1, NEW_YEAR)]}),
        ("synthetic", {"images": [Image(1, 1, NEW_YEAR)]}),
        ("test_account", {"users": [User(1, BEGINNING, tos_version_accepted=None, year_of_birth=None)]}),
        ("terms_not_accepted", {"users": [User(1, BEGINNING, year_of_birth=None)]}),
        ("age_unknown", {"users": [User(1, BEGINNING, year_of_birth=2020)]}),
        ("minor", {"users": [User(1, BEGINNING)]}),
    ]
    for rule, mended in mending:
        _, report = found(world)
        assert [one["rule"] for one in report["excluded"] if one["images"]] == [rule]
        world = dataclasses.replace(world, **mended)
    assert found(world)[1]["kept"] == 1


@pytest.mark.parametrize(
    ("uploaded_at", "year_of_birth", "is_kept"),
    [(NEW_YEAR - 1, 2008, False), (NEW_YEAR, 2008, True), (NEW_YEAR, 2009, False), (NEW_YEAR - 1, 2007, True)],
)
def test_the_year_of_an_upload_is_that_of_utc(uploaded_at: int, year_of_birth: int, is_kept: bool) -> None:
    """2026 - 2008 is 18, so this uploader may be 17 still; a microsecond later it is 2027."""
    events = [Happening("upload", 1, uploaded_at)]
    user = User(1, BEGINNING, year_of_birth=year_of_birth)
    world = World([user], [Image(1, 1, uploaded_at)], events, NEW_YEAR + DAY)
    rows, _ = found(world)
    assert bool(rows) == is_kept
    assert differences(rows, world.rows()) == []
