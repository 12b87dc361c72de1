"""What a student has in Chameleon's Jupyter, and what a node can reach there though it has no network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.chameleon.transfer import files
from labkit.paths import BUILD, ROOT

CREATE, DELETE = "1_create_server.ipynb", "9_delete.ipynb"

MODEL = "models/moderation/my-first-model/metadata.json"

DOCKER = f"""exec 3>&1 >&2
case "$*" in
"version --format"*) echo 28.2.2 >&3 ;;
"compose version --short") echo 2.37.1 >&3 ;;
"info --format"*) echo 28.2.2 >&3 ;;
*" pull "*) sleep 30 ;;
*" up "*" minio")
    LAB_PLACE=embedded ./lab up minio-init
    .venv/bin/python - <<'END'
from io import BytesIO
from minio import Minio
from labkit.stack import secrets
told = secrets.read()
storage = Minio("127.0.0.1:9000", told["S3_TRAINER_ACCESS_KEY"], told["S3_TRAINER_SECRET_KEY"], secure=False)
storage.put_object("gourmetgram-datalake", "{MODEL}", BytesIO(b"{{}}"), 2)
END
    ;;
esac"""
"""What Docker does where others only write down what it was asked for: it says its version, and object storage, with a
model in it, is that of the embedded place, real and at the same port."""


@dataclass(frozen=True)
class Student:
    """A copy of the lab, as an artifact is unpacked, and what the home of a fresh node is to have."""

    lab: Path
    node_files: Path

    @property
    def notebooks(self) -> Path:
        """Where the student opens them."""
        return self.lab / "notebooks"

    @property
    def create(self) -> Path:
        """The notebook that makes the server."""
        return self.notebooks / CREATE

    @property
    def delete(self) -> Path:
        """The notebook that deletes it."""
        return self.notebooks / DELETE


@contextmanager
def student(folder: Path) -> Iterator[Student]:
    """Make all of it in an empty folder; what was made outside of it is gone afterwards."""
    lab = folder / "lab"
    for name in files(ROOT):
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, lab / name)
    cache = BUILD / f"uv-cache-{os.getpid()}"
    try:
        yield Student(lab, _offline(folder / "node", cache))
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def _offline(home: Path, cache: Path) -> Path:
    """A home in which pip and uv find what this machine has fetched already; the cache is linked, not copied."""
    uv = Path(sys.executable).with_name("uv")
    fetched = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["cp", "--archive", "--link", fetched, cache], check=True)
    wheels = home / "wheels"
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(wheels)]
    subprocess.run([*argv, "--requirement", str(ROOT / "locks/uv.txt")], check=True)
    _write(home / ".config/pip/pip.conf", f"[global]\nno-index = true\nfind-links = {wheels}\n")
    _write(home / ".config/uv/uv.toml", f'offline = true\ncache-dir = "{cache}"\n')
    if not os.getuid():  # the node's user is who runs the test
        _write(home / ".jupyter/jupyter_server_config.json", '{"ServerApp": {"allow_root": true}}')
    return home


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
