import io
import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.setup import extract_photos
from gourmetgram.setup.photos import archive, library
from gourmetgram.setup.photos.archive import BadArchive
from gourmetgram.setup.photos.drawn import draw_photo
from gourmetgram.setup.photos.food11 import class_of, make_ready
from gourmetgram.setup.photos.settings import PhotoSettings

RED = (200, 30, 30)


def photo(size: tuple[int, int] = (900, 700), *, exif: bool = True) -> bytes:
    out = io.BytesIO()
    tags = Image.Exif()
    tags[0x010F] = "a camera"
    tags[0x0112] = 6  # lying on its side
    Image.new("RGB", size, RED).save(out, "JPEG", exif=tags if exif else Image.Exif())
    return out.getvalue()


def zipped(path: Path, names: list[str], content: bytes | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, content or photo((64, 48)))
    return path


ALL_CLASSES = [f"training/{number}_{n}.jpg" for number in range(11) for n in range(2)] + ["evaluation/10_7.jpg"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("training/0_12.jpg", "Bread"),
        ("food11/evaluation/10_3.jpg", "Veggie"),
        ("validation/6_0.jpg", "Noodles"),
        ("training/Soup/x.jpg", "Soup"),
        ("training/Dairy product/1.jpg", "Dairy"),
        ("Fried_food/0_1.jpg", "Fried"),
        ("training/11_0.jpg", None),
        ("training/readme.txt", None),
    ],
)
def test_class_of_a_name(name: str, wanted: str | None) -> None:
    assert class_of(PurePosixPath(name)) == wanted


def test_a_photo_is_made_ready(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo())
    ready = make_ready(path)
    assert ready is not None
    with Image.open(io.BytesIO(ready)) as image:
        assert image.format == "JPEG"
        assert max(image.size) == 640
        assert image.height > image.width, "turned upright"
        assert not image.getexif()
    assert b"a camera" not in ready
    path.write_bytes(b"not a photo")
    assert make_ready(path) is None


def test_nothing_leaves_the_folder_when_unpacking(tmp_path: Path) -> None:
    names = ["../../training/0_1.jpg", "/etc/Bread/1.jpg", "..\\..\\Soup\\2.jpg", "training/3_1.jpg", "notes.txt"]
    folder = tmp_path / "inside" / "folder"
    assert archive.unpack(zipped(tmp_path / "bad.zip", names), folder) == 3
    assert sorted(p.name for p in (folder / "unpacked").iterdir()) == [
        "Bread-00001.jpg",
        "Bread-00002.jpg",
        "Egg-00001.jpg",
    ]
    assert {p.name for p in tmp_path.iterdir()} == {"bad.zip", "inside"}
    assert {p.name for p in folder.iterdir()} == {"unpacked", "unpacked.json"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn"])
def test_a_useless_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "food11.zip"
    path.write_bytes(content)
    if content:
        with pytest.raises(BadArchive, match="to be a zip file"):
            archive.unpack(path, tmp_path / "out")
    said = extract_photos.extract(PhotoSettings(photos_dir=tmp_path, food11_zip=tmp_path / "missing.zip"))
    assert "will be drawn" in said
    assert not archive.is_given(Path("/dev/null"))
    assert archive.is_given(path) == bool(content)


def test_from_archive_to_library(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    settings = PhotoSettings(photos_dir=photos, food11_zip=zipped(tmp_path / "food11.zip", ALL_CLASSES))
    assert "23 photos" in extract_photos.extract(settings)
    counts = library.prepare(photos)
    assert counts == dict.fromkeys(CATEGORIES, 2) | {"Veggie": 3}
    assert json.loads((photos / "source.json").read_text()) == {"source": "Food-11", "counts": counts}
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*.jpg")}
    extract_photos.extract(settings)
    assert library.prepare(photos) == counts
    assert {path: path.stat().st_mtime_ns for path in photos.rglob("*.jpg")} == before
    (photos / "Egg" / "00001.jpg").unlink()
    extract_photos.extract(settings)
    assert library.prepare(photos) == counts, "an incomplete library is filled again"


def test_an_archive_without_a_class_changes_nothing(tmp_path: Path) -> None:
    archive.unpack(zipped(tmp_path / "food11.zip", ["training/0_1.jpg"]), tmp_path / "photos" / archive.ARCHIVE)
    with pytest.raises(BadArchive, match="no readable photo of Dairy"):
        library.prepare(tmp_path / "photos")
    assert library.complete_source(tmp_path / "photos") is None


def test_without_an_archive_photos_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "PER_CLASS", 1)
    assert library.prepare(tmp_path) == dict.fromkeys(CATEGORIES, 1)
    assert library.complete_source(tmp_path) == "drawn"
    assert (tmp_path / "Soup" / "00001.jpg").read_bytes() == draw_photo("Soup", 0)


@pytest.mark.parametrize("category", CATEGORIES)
def test_drawn_photos_are_small_and_differ(category: str) -> None:
    first, second = draw_photo(category, 0), draw_photo(category, 1)
    assert len(first) < 60_000
    assert first != second
    with Image.open(io.BytesIO(first)) as image:
        assert image.size == (512, 384)
        assert np.asarray(image).std() > 25, "not a plain surface"


class Partial(BaseHTTPRequestHandler):
    """Serves one file, understands ranges, and breaks off the first whole transfer."""

    def __init__(self, content: bytes, log: list[str | None], *args: object) -> None:
        self.content, self.log = content, log
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.log.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        self.wfile.write(self.content[start:] if wanted else self.content[: len(self.content) // 2])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def half_served(tmp_path: Path) -> Iterator[tuple[str, list[str | None], bytes]]:
    content, log = zipped(tmp_path / "served.zip", ALL_CLASSES).read_bytes(), list[str | None]()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Partial, content, log)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/food11.zip", log, content
        server.shutdown()
        thread.join()


def test_a_download_goes_on_where_it_stopped(tmp_path: Path, half_served: tuple[str, list[str | None], bytes]) -> None:
    url, log, content = half_served
    target = tmp_path / "archive.zip"
    with pytest.raises(BadArchive):
        archive.fetch(url, target, size=len(content))
    assert archive.fetch(url, target, size=len(content)).read_bytes() == content
    assert log == [None, f"bytes={len(content) // 2}-"]


def test_a_wrong_download_is_removed(tmp_path: Path, half_served: tuple[str, list[str | None], bytes]) -> None:
    url, _, content = half_served
    (tmp_path / "archive.zip.part").write_bytes(content[:100])
    with pytest.raises(BadArchive, match="not the archive that was promised"):
        archive.fetch(url, tmp_path / "archive.zip", sha256="0" * 64)
    assert not list(tmp_path.glob("archive.zip*"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/food11.zip", "file:///etc/passwd", "no address"])
def test_an_address_that_does_not_answer(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadArchive, match="FOOD11_URL"):
        archive.fetch(url, tmp_path / "archive.zip")
