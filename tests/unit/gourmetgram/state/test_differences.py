"""What a restored lab, or one that was saved, is compared by."""

from copy import deepcopy
from typing import Any

import pytest

from gourmetgram.state.__main__ import differences

MANIFEST: dict[str, Any] = {
    "topics": {"views/0": [3, 9], "views/1": [0, 0]},
    "groups": {"reader": {"views/0": 7}},
    "objects": {"photos": {"objects": 2, "bytes": 20}},
    "databases": {"gourmetgram": {"tables": {"public.users": {"rows": 5}, "public.api_tokens": {"rows": None}}}},
}


def changed(*path: str, to: object) -> dict[str, Any]:
    """The manifest with another value."""
    other = deepcopy(MANIFEST)
    place = other
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return other


def test_the_same_is_the_same() -> None:
    assert list(differences(MANIFEST, deepcopy(MANIFEST))) == []


def test_records_that_were_too_old_may_go_away() -> None:
    """A broker takes them away again as soon as they are back, also all of them."""
    for first in (4, 9):
        assert list(differences(MANIFEST, changed("topics", "views/0", to=(first, 9)))) == []


@pytest.mark.parametrize(
    ("here", "sentence"),
    [
        (changed("topics", "views/0", to=(3, 8)), "views/0: records 3 to 9 in the archive, 3 to 8 here"),
        (changed("topics", "views/0", to=(2, 9)), "views/0: records 3 to 9 in the archive, 2 to 9 here"),
        (changed("topics", "views/1", to=(0, 1)), "views/1: records 0 to 0 in the archive, 0 to 1 here"),
        (changed("topics", "likes/0", to=(0, 4)), "likes/0: records 0 to 0 in the archive, 0 to 4 here"),
        (changed("groups", "reader", "views/0", to=6), "groups: {'reader': {'views/0': 7}} in the archive"),
        (changed("objects", "photos", "bytes", to=21), "objects: {'photos'"),
        (
            changed("databases", "gourmetgram", "tables", "public.users", "rows", to=4),
            "gourmetgram public.users: 5 rows in the archive, 4 here",
        ),
        (
            changed("databases", "gourmetgram", "tables", to={"public.users": {"rows": 5}}),
            "gourmetgram public.api_tokens: None rows in the archive, no such table here",
        ),
    ],
)
def test_each_difference_is_told(here: dict[str, Any], sentence: str) -> None:
    (told,) = differences(MANIFEST, here)
    assert told.startswith(sentence)
