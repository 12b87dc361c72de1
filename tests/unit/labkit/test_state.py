"""An archive is read to its end, and understood, before anything is deleted."""

import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gourmetgram.state import bundle, database
from gourmetgram.state.bundle import Damaged, Member, Writer
from labkit import state
from labkit.stack import StackError

MANIFEST = {"databases": {"gourmetgram": {"revision": "0003"}}}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """An archive with one row."""

    def make(manifest: dict[str, Any] = MANIFEST) -> Path:
        file = tmp_path / "saved.tar.gz"
        with file.open("wb") as target, closing(Writer(target, manifest)) as writer:
            writer.add("postgres/gourmetgram/public.users/000000", b"1\n")
        return file

    return make


def test_an_archive_says_its_migration(made: Callable[..., Path]) -> None:
    assert state.Archive.read(made()).revision == "0003"


def test_one_of_another_format_is_refused(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "FORMAT", 2)
    with pytest.raises(StackError, match="is of format 2, and this copy of the lab reads format 1"):
        state.Archive.read(made())


def test_one_that_lacks_a_file_is_refused(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    copy = Writer.copy

    def add_no_rows(self: Writer, name: str, size: int, content: BinaryIO, kind: str = "") -> None:
        if name.startswith("postgres"):
            self._members["postgres"] += 1
        else:
            copy(self, name, size, content, kind)

    monkeypatch.setattr(Writer, "copy", add_no_rows)
    with pytest.raises(StackError, match="is not whole"):
        state.Archive.read(made())


def test_one_without_tables_is_refused(made: Callable[..., Path]) -> None:
    with pytest.raises(StackError, match="had no tables yet"):
        state.Archive.read(made({"databases": {"gourmetgram": {"revision": None}}}))


@pytest.mark.parametrize("column", ["of_tomorrow", "id\") FROM PROGRAM 'id' --"])
def test_a_column_that_is_not_here_reaches_no_statement(column: str) -> None:
    tables = {"public.users": database.Table("public", "users", ["id"])}
    loading = database.Loading(None, tables)  # type: ignore[arg-type]
    member = Member("postgres/gourmetgram/public.users/000000", 2, io.BytesIO(b"1\n"), "")
    with pytest.raises(Damaged, match=r"the table public\.users has no column"):
        loading.load(member, ["id", column])
