import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gourmetgram.core.journal import Journal, read_lines


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
