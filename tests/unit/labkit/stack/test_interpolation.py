import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.stack import StackError
from labkit.stack.interpolation import interpolate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${SET}", "value"),
        ("${MISSING}", ""),
        ("${MISSING:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${SET:-default}", "value"),
        ("http://${SET}:${PORT:-80}/x", "http://value:80/x"),
        ("costs $$5", "costs $5"),
    ],
)
def test_what_compose_does(text: str, expected: str) -> None:
    assert interpolate(text, {"SET": "value", "EMPTY": ""}) == expected


def test_reaches_into_lists_and_mappings() -> None:
    assert interpolate({"a": ["${X}", {"b": "${X}"}], "n": 1}, {"X": "1"}) == {"a": ["1", {"b": "1"}], "n": 1}


def test_a_missing_required_variable_is_named() -> None:
    with pytest.raises(StackError, match=r"PASSWORD is not set\. run \./lab up"):
        interpolate("${PASSWORD:?run ./lab up}", {"PASSWORD": ""})


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_a_value_is_never_interpreted_again(value: str) -> None:
    assert interpolate("${X}", {"X": f"${{Y}}{value}"}) == f"${{Y}}{value}"
