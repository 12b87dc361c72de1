"""An archive comes out as it went in, or is refused."""

import gzip
import io
import tarfile
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.state.bundle import BROKEN, Damaged, Reader, Writer

CONTENTS = {"postgres/a/000000": b"1\t2\n", "topics/t/0/000000": b"", "objects/b/x/y.jpg": bytes(range(256)) * 99}


def packed(contents: dict[str, bytes], note: str = "", *, whole: bool = True) -> bytes:
    target = io.BytesIO()
    writer = Writer(target, {"note": note})
    for name, content in contents.items():
        writer.copy(name, len(content), io.BytesIO(content), "image/jpeg" if name.endswith("jpg") else "")
    if whole:
        writer.close()
    return target.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    return {member.name: member.content.read() for member in Reader(io.BytesIO(archive)).members()}


def test_everything_comes_out_as_it_went_in() -> None:
    reader = Reader(io.BytesIO(packed(CONTENTS, "a note")))
    assert reader.manifest == {"format": 1, "note": "a note"}
    members = [(one.name, one.size, one.content.read(), one.kind) for one in reader.members()]
    assert members == [
        (name, len(content), content, "image/jpeg" if name.endswith("jpg") else "")
        for name, content in CONTENTS.items()
    ]


@given(
    st.dictionaries(
        st.from_regex(r"objects/b/[ -~äö]{0,120}[!-.0-~ö]", fullmatch=True), st.binary(max_size=2000), max_size=8
    )
)
def test_any_object_does(contents: dict[str, bytes]) -> None:
    assert unpacked(packed(contents)) == contents


@pytest.mark.parametrize("depth", [1, 30])
def test_a_folder_is_no_file(depth: int) -> None:
    """A long name would lose its slash, and then lie over what is in the folder."""
    with pytest.raises(ValueError, match="is no name of a file"):
        packed({"objects/b/" + "folder/" * depth: b""})


@pytest.mark.parametrize("cut", [0, 1, 30, -1, -200])
def test_what_was_cut_off_is_refused(cut: int) -> None:
    archive = packed(CONTENTS)
    with pytest.raises((Damaged, *BROKEN)):
        unpacked(archive[:cut])


def test_a_changed_byte_is_found() -> None:
    archive = bytearray(packed({"objects/b/x": bytes(50_000)}))
    archive[-6] ^= 1  # in the checksum at the end
    with pytest.raises((Damaged, *BROKEN)):
        unpacked(bytes(archive))


def test_what_was_not_finished_is_refused() -> None:
    with pytest.raises(Damaged):
        unpacked(packed(CONTENTS, whole=False))


def test_a_file_that_was_taken_out_is_missed() -> None:
    target = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed(CONTENTS)), mode="r:gz") as source,
        closing(gzip.GzipFile(fileobj=target, mode="wb")) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as less,
    ):
        for member in source:
            if member.name != "postgres/a/000000":
                less.addfile(member, source.extractfile(member))
    with pytest.raises(Damaged, match="lacks files"):
        unpacked(target.getvalue())


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0)])
def test_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(Damaged, match="no archive of a lab"):
        Reader(io.BytesIO(content))


def test_another_format_is_refused_with_both_numbers() -> None:
    target = io.BytesIO()
    Writer(target, {"format": 99}).close()
    with pytest.raises(Damaged, match="format 99, and this lab reads format 1"):
        Reader(io.BytesIO(target.getvalue()))
