"""The people of the generator go on elsewhere with tokens of that lab."""

import hashlib
import io
import json
from pathlib import Path

import pytest

from gourmetgram.state.bundle import Member, Reader, Writer
from gourmetgram.state.generator import Folder, with_new_tokens, without_tokens

PEOPLE = [{"actor": 0, "id": 7, "token": "secret-of-7"}, {"actor": 1, "id": 9, "token": "secret-of-9"}]
LINES = b"".join(json.dumps(one).encode() + b"\n" for one in PEOPLE)


def folder(path: Path) -> Folder:
    (path / "live-42").mkdir(parents=True)
    (path / "live-42/tokens.jsonl").write_bytes(LINES)
    (path / "live-42/lock").touch()
    (path / "ledger.jsonl").write_bytes(b"{}\n")
    return Folder(path)


def test_tokens_are_not_saved() -> None:
    saved = without_tokens(LINES)
    assert b"secret" not in saved
    assert [json.loads(line)["id"] for line in saved.splitlines()] == [7, 9]


def test_new_tokens_fit_their_hashes() -> None:
    lines, hashes = with_new_tokens(without_tokens(LINES))
    tokens = {one["id"]: one["token"] for one in map(json.loads, lines.splitlines())}
    assert {user: hashlib.sha256(token.encode()).digest() for user, token in tokens.items()} == hashes
    assert len(set(tokens.values())) == 2


def test_a_folder_comes_back_without_its_lock(tmp_path: Path) -> None:
    target = io.BytesIO()
    writer = Writer(target, {})
    folder(tmp_path / "old").save(writer)
    writer.close()
    (tmp_path / "new").mkdir()
    restored = Folder(tmp_path / "new")
    hashes: dict[int, bytes] = {}
    for member in Reader(io.BytesIO(target.getvalue())).members():
        hashes |= restored.load(member)
    assert set(hashes) == {7, 9}
    assert {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()} == {"ledger.jsonl", "tokens.jsonl"}
    assert (tmp_path / "new/live-42/tokens.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_file_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(ValueError, match="is no file of the generator"):
        Folder(tmp_path / "state").load(Member("generator/../outside", 1, io.BytesIO(b"x"), ""))
    assert not (tmp_path / "outside").exists()
