"""The folder of the traffic generator: its world, its ledger and the truth; never the tokens of its people."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gourmetgram.state.bundle import Member, Writer

TOKENS: Final = "tokens.jsonl"
NOT_SAVED: Final = ("lock", "heartbeat")
PRIVATE: Final = 0o600


class Folder:
    """What the generator keeps."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, writer: Writer) -> None:
        """Add all files; of people's tokens only whose they are."""
        for path in self._files():
            name = f"generator/{path.relative_to(self._folder)}"
            if path.name == TOKENS:
                writer.add(name, without_tokens(path.read_bytes()))
            else:
                with path.open("rb") as file:
                    writer.copy(name, os.fstat(file.fileno()).st_size, file)

    def empty(self) -> None:
        """Delete all files."""
        for path in self._files():
            path.unlink()

    def load(self, member: Member) -> dict[int, bytes]:
        """Write one file; new tokens for the people in it, by user id, as hashes."""
        path = self._folder.joinpath(*member.parts[1:])
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise ValueError(f"{member.name} is no file of the generator")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = member.content.read()
        hashes: dict[int, bytes] = {}
        if path.name == TOKENS:
            content, hashes = with_new_tokens(content)
        path.write_bytes(content)
        path.chmod(PRIVATE)
        return hashes

    def _files(self) -> Iterator[Path]:
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and path.name not in NOT_SAVED:
                yield path


def without_tokens(lines: bytes) -> bytes:
    """Who has a token, and not which."""
    people = [json.loads(line) for line in lines.splitlines()]
    return b"".join(json.dumps(one | {"token": ""}).encode() + b"\n" for one in people)


def with_new_tokens(lines: bytes) -> tuple[bytes, dict[int, bytes]]:
    """The same people with tokens that only this lab knows, and the hashes of these by user id."""
    people = [json.loads(line) | {"token": secrets.token_urlsafe(32)} for line in lines.splitlines()]
    written = b"".join(json.dumps(one).encode() + b"\n" for one in people)
    return written, {one["id"]: hashlib.sha256(one["token"].encode()).digest() for one in people}
