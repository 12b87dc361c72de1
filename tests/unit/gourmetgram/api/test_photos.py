"""A photo is what can be decoded as one, whatever it is called."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from gourmetgram.api.photos import NotAPhoto, verify

KINDS = [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")]


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.effect_noise((120, 80), 50).convert(mode)
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0")) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(("kind", "extension"), KINDS)
def test_a_real_photo_passes(kind: str, extension: str) -> None:
    assert verify(picture(kind)) == extension


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colour_spaces_pass(mode: str) -> None:
    assert verify(picture("JPEG", mode)) == "jpg"


def test_a_phone_photo_with_a_second_picture_inside_passes() -> None:
    second = Image.new("RGB", (60, 40), "red")
    assert verify(picture("MPO", save_all=True, append_images=[second])) == "jpg"


@pytest.mark.parametrize(("kind", "extension"), KINDS)
def test_a_truncated_photo_is_refused(kind: str, extension: str) -> None:
    whole = picture(kind)
    for part in (0.1, 0.5, 0.9):
        with pytest.raises(NotAPhoto):
            verify(whole[: int(len(whole) * part)])


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_another_kind_of_picture_is_refused(kind: str) -> None:
    with pytest.raises(NotAPhoto, match="expected a JPEG, PNG or WebP picture"):
        verify(picture(kind))


@pytest.mark.parametrize(
    "content",
    [b"", b"just text that was renamed to photo.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPhoto):
        verify(content)


@pytest.mark.parametrize("size", [(10_000, 5_001), (11_000, 9_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(NotAPhoto, match="expected at most 50,000,000 pixels"):
        verify(huge_png(*size))


def test_checks_at_the_same_time_leave_the_process_as_it_was() -> None:
    photos = [picture("JPEG"), picture("PNG"), b"no photo", huge_png(11_000, 9_000)] * 50

    def check(photo: bytes) -> bool:
        try:
            return bool(verify(photo))
        except NotAPhoto:
            return False

    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(check, photos)) == len(photos) // 2
    assert list(warnings.filters) == before
