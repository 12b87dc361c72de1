"""The Food-11 archive: fetched when only its address is given, and unpacked without trusting the names inside it."""

import hashlib
import json
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gourmetgram.setup.photos.food11 import IMAGE_SUFFIXES, class_of

ARCHIVE = ".food11"
"""Folder within the photo folder: `archive.zip.part` and `archive.zip` while fetching, `unpacked/`, `unpacked.json`."""
CHUNK = 1 << 20
LARGEST_PHOTO = 32 << 20
TIMEOUT_SECONDS = 60
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416


class BadArchive(RuntimeError):
    """The archive cannot be fetched, is not what was promised, or holds no photo of a known class."""


def is_given(path: Path | None) -> bool:
    """Whether an archive file was given: an empty file, /dev/null or a missing one means that it was not."""
    return path is not None and path.is_file() and path.stat().st_size > 0


def fetch(url: str, target: Path, *, size: int | None = None, sha256: str | None = None) -> Path:
    """Download `url` to `target`, going on where an earlier try stopped.

    Raises:
        BadArchive: the address does not answer, or size or SHA-256 are not as given.
    """
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        download(url, part)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise BadArchive(
            f"could not download FOOD11_URL={url}: {error}. The next try goes on where this one stopped; "
            "or download it yourself and set FOOD11_ZIP to the file, or leave both empty to use drawn photos"
        ) from error
    check(part, url, size, sha256)
    return part.replace(target)


def download(url: str, part: Path) -> None:
    """Append what is missing of `part`; a server that cannot resume sends all of it again."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    if request.type not in ("http", "https"):
        raise ValueError(f"expected an http or https address, got {url}")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == RANGE_NOT_SATISFIABLE and have:
            return  # all of it is here already
        raise
    with response, part.open("ab" if response.status == PARTIAL_CONTENT else "wb") as file:
        shutil.copyfileobj(response, file, CHUNK)
        # Reading in chunks ends quietly when the connection does; what is left of the promised length tells.
        if response.length:
            raise OSError(f"the connection ended {response.length} bytes early")


def check(path: Path, url: str, size: int | None, sha256: str | None) -> None:
    """Compare a download with what was promised; a wrong one is removed, so that the next try starts afresh."""
    found_size = path.stat().st_size
    found_sha = digest(path) if sha256 else None
    if (size is None or found_size == size) and (sha256 is None or found_sha == sha256.lower()):
        return
    path.unlink()
    raise BadArchive(
        f"{url} is not the archive that was promised: expected size {size or 'any'} and SHA-256 {sha256 or 'any'}, "
        f"got {found_size} and {found_sha or 'not computed'}. The download was removed; check the address"
    )


def digest(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def photos_within(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """The photos of an archive and a plain file name for each, `<Class>-<number>.jpg`; nothing else is unpacked."""
    counts: dict[str, int] = {}
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = PurePosixPath(info.filename)
        category = class_of(name)
        if info.is_dir() or category is None or name.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if info.file_size > LARGEST_PHOTO:
            raise BadArchive(f"{info.filename} says it is {info.file_size} bytes, far more than a photo")
        counts[category] = counts.get(category, 0) + 1
        yield info, f"{category}-{counts[category]:05}{name.suffix.lower()}"


def unpack(archive: Path, folder: Path) -> int:
    """Unpack the photos of `archive` into `folder` and return their number. All or nothing, and only once.

    Raises:
        BadArchive: it is no zip file, or holds no photo of a known class.
    """
    marker, wanted = folder / "unpacked.json", fingerprint(archive)
    if marker.exists() and (told := json.loads(marker.read_text()))["archive"] == wanted:
        return int(told["photos"])
    staging, unpacked = folder / "unpacked.draft", folder / "unpacked"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    count = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            for info, name in photos_within(opened):
                with opened.open(info) as source, (staging / name).open("wb") as target:
                    shutil.copyfileobj(source, target, CHUNK)
                count += 1
    except (zipfile.BadZipFile, EOFError) as error:
        raise BadArchive(f"expected {archive} to be a zip file: {error}") from error
    if not count:
        raise BadArchive(f"found no photo in {archive}: expected training/0_1.jpg or Bread/anything.jpg inside")
    marker.unlink(missing_ok=True)
    shutil.rmtree(unpacked, ignore_errors=True)
    staging.replace(unpacked)
    marker.write_text(json.dumps({"archive": wanted, "photos": count}))
    return count


def fingerprint(archive: Path) -> list[int]:
    """Size and change time of an archive: enough to see that it is another one."""
    stat = archive.stat()
    return [stat.st_size, stat.st_mtime_ns]
