"""A storage that does not know the lab's users is named at once, and not by the first service that is refused."""

import os
import subprocess
import sys

import pytest

from labkit.stack import Stack


@pytest.mark.parametrize(
    ("word", "code"), [("secret_key", "SignatureDoesNotMatch"), ("access_key", "InvalidAccessKeyId")]
)
def test_a_user_whom_the_storage_does_not_know_is_named(own_stack: Stack, word: str, code: str) -> None:
    own_stack.up("minio-init")
    told = {**os.environ, **own_stack.environment("minio-init")}
    told["S3_IDENTITIES"] = told["S3_IDENTITIES"].replace(f'{word}: "', f'{word}: "other')
    argv = [sys.executable, "-m", "gourmetgram.setup.buckets"]
    done = subprocess.run(argv, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"does not know the user api ({code})" in done.stderr
