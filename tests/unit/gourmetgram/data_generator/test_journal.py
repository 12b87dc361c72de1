import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gourmetgram.data_generator.home import Home, StateInUse
from gourmetgram.data_generator.journal import PRIVATE, Journal, read_lines
from gourmetgram.data_generator.ledger import Ledger, count_by_kind, entry


@pytest.mark.parametrize("torn", [b'{"n": 2', b"x" * 200_000, b""], ids=["half", "long", "none"])
def test_a_torn_last_line_is_cut(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n":1}\n' + torn)
    journal = Journal(path)
    journal.append([{"n": 3}])
    journal.close()
    assert path.read_bytes() == b'{"n":1}\n{"n":3}\n'


def test_a_file_of_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n":')
    Journal(path).close()
    assert path.read_bytes() == b""


def test_a_reader_leaves_out_a_line_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":')
    assert list(read_lines(path)) == [{"n": 1}]
    assert list(read_lines(tmp_path / "missing")) == []


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"

    def write(writer: int) -> None:
        journal = Journal(path)
        for number in range(200):
            journal.append([{"writer": writer, "number": number, "pad": "x" * (number * 7)}])
        journal.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = [(line["writer"], line["number"]) for line in map(json.loads, path.read_text().splitlines())]
    assert sorted(found) == [(writer, number) for writer in range(4) for number in range(200)]


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
