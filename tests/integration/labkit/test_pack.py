"""What a student takes along, from real object storage."""

import json
import tarfile
from pathlib import Path

import pytest
from minio import Minio

from labkit import pack as packing
from labkit.pack import TOP, pack
from labkit.stack import Stack, StackError, secrets


def storage_of(stack: Stack) -> Minio:
    """With the rights of who writes models."""
    told = secrets.read()
    who, key = told["S3_TRAINER_ACCESS_KEY"], told["S3_TRAINER_SECRET_KEY"]
    return Minio(stack.address("minio"), access_key=who, secret_key=key, secure=False)


def contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]


def test_notebooks_progress_and_models_are_in_it_and_no_password(own_stack: Stack, tmp_path: Path) -> None:
    own_stack.up("minio-init")
    storage, bucket = storage_of(own_stack), "gourmetgram-datalake"
    for name in ("v1/metadata.json", "v2/model.joblib"):
        content = tmp_path / "object"
        content.write_text(name)
        storage.fput_object(bucket, f"models/moderation/{name}", str(content))
    (own_stack.home / "progress.json").write_text(json.dumps({"0_intro": {"passed": 4, "failed": 0, "at": ""}}))
    own_stack.stop("minio")  # as a student may have left it

    packed = pack(own_stack, tmp_path / "mine.tar.gz")

    found = contents(tmp_path / "mine.tar.gz")
    assert packed.missing == ""
    assert packed.counts["models"] == 2
    assert found[f"{TOP}/models/moderation/v2/model.joblib"] == b"v2/model.joblib"
    assert f"{TOP}/notebooks/2_application.ipynb" in found
    assert json.loads(found[f"{TOP}/progress/progress.json"])["0_intro"]["passed"] == 4
    told = [value.encode() for value in secrets.read().values() if len(value) == secrets.LENGTH]
    made_by_us = [
        content for name, content in found.items() if not name.startswith((f"{TOP}/report", f"{TOP}/notebooks"))
    ]
    assert not any(value in content for value in told for content in made_by_us)
    assert not any(name.endswith(".env") for name in found)


def test_all_files_of_the_student_are_taken_whatever_they_are_called(
    own_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = ("work/.ipynb_checkpoints/a.ipynb", "work/lab-state.tar.gz", "build/runs/latest/stack/logs/api.log")
    taken = ("work/stack/mine.py", "work/.notes", "build/runs/latest/index.html")
    for name in (*left_out, *taken):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(packing, "ROOT", tmp_path)
    monkeypatch.setattr(packing, "BUILD", tmp_path / "build")
    for _ in range(2):  # neither itself nor the one before it
        pack(own_stack, tmp_path / "work/mine.tar.gz")
    found = {name for name in contents(tmp_path / "work/mine.tar.gz") if "/notebooks/" not in name}
    assert found == {f"{TOP}/work/stack/mine.py", f"{TOP}/work/.notes", f"{TOP}/report/index.html"}


def test_before_the_first_model_there_is_none_to_pack(own_stack: Stack, tmp_path: Path) -> None:
    packed = pack(own_stack, tmp_path / "mine.tar.gz")
    assert packed.missing == ""
    assert packed.counts["models"] == 0
    assert packed.counts["notebooks"] > 8


def test_without_object_storage_the_rest_is_packed_and_it_is_said(
    own_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise StackError("The service minio did not start.\nIts log …", "minio")

    monkeypatch.setattr(own_stack, "up", refuse)
    packed = pack(own_stack, tmp_path / "mine.tar.gz")
    assert packed.missing == "StackError: The service minio did not start."
    assert packed.counts["notebooks"] > 8
    assert contents(tmp_path / "mine.tar.gz")
