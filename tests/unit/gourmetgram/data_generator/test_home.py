import stat
from pathlib import Path

import pytest

from gourmetgram.core.journal import PRIVATE
from gourmetgram.data_generator.home import Home, StateInUse
from gourmetgram.data_generator.ledger import Ledger, count_by_kind, entry


def test_ledger_counts_and_finds_by_prefix(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(
        [entry("view", None, 5, 1, "a-1"), entry("comment", 7, 5, 1, "a-2"), entry("view", None, 5, 1, "b-1")]
    )
    assert count_by_kind(tmp_path) == {"view": 2, "comment": 1}
    assert ledger.acknowledged("a-") == {"a-1": None, "a-2": 7}
    ledger.close()


def test_a_world_keeps_its_name_and_secrets(tmp_path: Path) -> None:
    first = Home(tmp_path, "live")
    first.keep_token(0, 11, "secret")
    first.keep_refused(4, 410)
    name, started = first.world, first.started
    first.close()
    again = Home(tmp_path, "live")
    assert (again.world, again.started) == (name, started)
    assert again.tokens() == {0: (11, "secret")}
    assert again.refused() == {4}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in again.folder.iterdir()}
    assert set(modes.values()) == {PRIVATE}, modes
    again.close()


def test_two_generators_do_not_share_a_world(tmp_path: Path) -> None:
    home = Home(tmp_path, "live")
    with pytest.raises(StateInUse, match="another generator"):
        Home(tmp_path, "live")
    home.close()
    Home(tmp_path, "live").close()
