"""The ledger: one line for each write that the API acknowledged. Tests compare it with the database."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from gourmetgram.core.journal import Journal, read_lines

LEDGER = "ledger.jsonl"


class Entry(TypedDict):
    """A line. `id` is the resource made (or deleted), null for a view and for imported comments and flags."""

    at: str
    kind: str
    id: int | None
    image_id: int | None
    user_id: int
    key: str


def entry(kind: str, resource: int | None, image: int | None, user: int, key: str) -> Entry:
    """A line of now."""
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    return Entry(at=at, kind=kind, id=resource, image_id=image, user_id=user, key=key)


class Ledger:
    """The ledger of a state folder."""

    def __init__(self, state: Path) -> None:
        self._journal = Journal(state / LEDGER)
        self.path = self._journal.path

    def record(self, entries: Iterable[Entry]) -> None:
        """Add lines, each written whole."""
        self._journal.append(entries)

    def acknowledged(self, prefix: str) -> dict[str, int | None]:
        """The resource id of each acknowledged write whose key starts with `prefix`, by key."""
        return {line["key"]: line["id"] for line in read_lines(self.path) if line["key"].startswith(prefix)}

    def close(self) -> None:
        """Give the file back."""
        self._journal.close()


def count_by_kind(state: Path) -> Counter[str]:
    """Acknowledged writes of a state folder by kind."""
    return Counter(line["kind"] for line in read_lines(state / LEDGER))
