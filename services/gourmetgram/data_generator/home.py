"""What a world keeps between restarts: its name, its people's tokens, and what the API refused for good."""

import fcntl
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from gourmetgram.core import truth
from gourmetgram.core.journal import PRIVATE, Journal, read_lines

WORLD = "world.json"


class StateInUse(RuntimeError):
    """Another generator already works with this world."""


class Home:
    """The folder of one world. One process at a time; the lock goes with the process."""

    def __init__(self, state: Path, name: str) -> None:
        self.folder = state / name
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateInUse(f"expected {self.folder} to be free, but another generator works there; stop it") from None
        self.is_new = not (self.folder / WORLD).exists()
        about = self._about()
        self.started = datetime.fromisoformat(about["started"])
        self.world: str = about["world"]
        self._tokens = Journal(self.folder / "tokens.jsonl", PRIVATE)
        self._refused = Journal(self.folder / "refused.jsonl", PRIVATE)

    def _about(self) -> dict[str, Any]:
        """Name and start of this world. The name is random: idempotency keys made from it cannot be guessed."""
        path = self.folder / WORLD
        if not path.exists():
            about = {"world": uuid4().hex, "started": datetime.now(UTC).isoformat()}
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps(about))
            draft.chmod(PRIVATE)
            draft.replace(path)
        loaded: dict[str, Any] = json.loads(path.read_text())
        return loaded

    def key(self, number: int | str) -> str:
        """The idempotency key of an action of this world."""
        return f"{self.world}-{number}"

    def tokens(self) -> dict[int, tuple[int, str]]:
        """User id and token of each registered person, by the person's number."""
        return {line["actor"]: (line["id"], line["token"]) for line in read_lines(self._tokens.path)}

    def keep_token(self, actor: int, user: int, token: str) -> None:
        """Remember who a person became."""
        self._tokens.append([{"actor": actor, "id": user, "token": token}])

    def refused(self) -> set[int]:
        """Numbers of the actions that the API refused for good, such as a view of an image deleted meanwhile."""
        return {line["number"] for line in read_lines(self._refused.path)}

    def keep_refused(self, number: int, status: int) -> None:
        """Remember an action that is over without a write."""
        self._refused.append([{"number": number, "status": status}])

    def close(self) -> None:
        """Give files and lock back."""
        self._tokens.close()
        self._refused.close()
        os.close(self._lock)


def fingerprint(*what: object) -> str:
    """Eight characters that change with the decisions of a world, so that other settings get another folder."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


class Truth:
    """Hidden truth about images, to grade models with. It is never sent anywhere."""

    def __init__(self, state: Path) -> None:
        images = state / truth.FILE
        images.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._images = Journal(images, PRIVATE)
        self._people = Journal(images.with_name("people.jsonl"), PRIVATE)

    def image(self, image: int, story: str, harmful: bool) -> None:
        """What becomes of an image. A retried upload may say it twice, in the same words."""
        self._images.append([{"image_id": image, "story": story, "harmful": harmful}])

    def person(self, user: int, persona: str) -> None:
        """What kind of person a user is."""
        self._people.append([{"user_id": user, "persona": persona}])

    def close(self) -> None:
        """Give the files back."""
        self._images.close()
        self._people.close()
