"""Forms belong to one browser; filters and addresses are what they seem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.api.moderation.queue import Filters
from gourmetgram.api.moderation.sessions import form_token, is_own_form, new_secret
from gourmetgram.api.moderation.words import address, filters_of, number_of


def test_a_form_token_is_good_for_its_secret_alone() -> None:
    mine, other = new_secret(), new_secret()
    assert is_own_form(mine, form_token(mine))
    assert not is_own_form(other, form_token(mine))
    assert not is_own_form(mine, "")
    assert not is_own_form(mine, mine)
    assert mine not in form_token(mine)


@given(st.text())
def test_any_text_is_refused_without_an_error(came: str) -> None:
    assert not is_own_form("a secret", came.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, Filters()),
        ({"recommendation": "FLAG", "trigger": "viral"}, Filters("FLAG", "viral")),
        ({"recommendation": "", "trigger": ""}, Filters()),
        ({"recommendation": "flag", "trigger": "<script>"}, Filters()),
    ],
)
def test_unknown_filters_filter_nothing(parameters: dict[str, str], expected: Filters) -> None:
    assert filters_of(parameters) == expected


def test_addresses_keep_the_filters() -> None:
    assert address("/moderation", Filters()) == "/moderation"
    assert address("/moderation", Filters("FLAG"), after="0.7:3", done=None) == (
        "/moderation?recommendation=FLAG&after=0.7%3A3"
    )


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("", None), (None, None), ("-1", None), ("7a", None), ("٣", None)]
)
def test_ids_in_parameters(text: str | None, value: int | None) -> None:
    assert number_of(text) == value


def test_an_id_that_is_too_large_is_none() -> None:
    assert number_of("9" * 19) is None
    assert number_of("9" * 18) == 10**18 - 1
