"""Places in the queue and versions of items survive the way through an address or a form; anything else is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.api.moderation.queue import KEY_PATTERN, Key
from gourmetgram.api.moderation.versions import Seen

IDS = st.integers(0, 10**18 - 1)


@given(st.floats(0, 1), IDS)
def test_a_place_comes_back_as_it_was(risk: float, image: int) -> None:
    text = str(Key(risk, image))
    assert re.fullmatch(KEY_PATTERN, text)
    assert Key.parse(text) == Key(risk, image)


@given(IDS, IDS, IDS)
def test_a_version_comes_back_as_it_was(action: int, flag: int, decision: int) -> None:
    assert Seen.parse(str(Seen(action, flag, decision))) == Seen(action, flag, decision)


@pytest.mark.parametrize(
    "text", ["", "0.7", "0.7:", ":3", "nan:3", "2:3", "-0.1:3", "0.7:3 ", "0.7:٣", "0.7:3\n", "1e5:3"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="place"):
        Key.parse(text)


@pytest.mark.parametrize("text", ["", "1-2", "1-2-3-4", "a-b-c", "1--2-3", "1-2-3\n", "٣-٣-٣", "1-2-" + "9" * 19])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        Seen.parse(text)
