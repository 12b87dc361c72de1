"""A small client that keeps writing until every write is acknowledged, and keeps a ledger of what was.

Each write carries an idempotency key and is repeated with it whenever the answer is lost, late or 503, so that in the
end it must have happened exactly once.
"""

import asyncio
import io
import json
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

USERS = 40
IMAGES = 40
WRITERS = 48


@dataclass(frozen=True)
class Entry:
    """One acknowledged write, as a line of ledger.jsonl."""

    kind: str
    id: int | None
    image_id: int | None
    user_id: int
    key: str
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Ledger:
    """Every acknowledged write, in the order of acknowledgement."""

    def __init__(self, path: Path) -> None:
        self.entries: list[Entry] = []
        self._file = path.open("a", buffering=1)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._file.write(json.dumps(asdict(entry)) + "\n")

    def close(self) -> None:
        self._file.close()

    def ids(self, kind: str) -> list[int]:
        """The ids that the API returned for writes of this kind, sorted."""
        return sorted(entry.id for entry in self.entries if entry.kind == kind and entry.id is not None)

    def views(self) -> Counter[tuple[int, int]]:
        """Acknowledged views by image and user."""
        return Counter((e.image_id, e.user_id) for e in self.entries if e.kind == "view" and e.image_id is not None)


class Writer:
    """Sends writes to the API until each is acknowledged."""

    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger, chance: random.Random) -> None:
        self._session = session
        self._ledger = ledger
        self._chance = chance
        self._tokens: dict[int, str] = {}
        self._images: list[int] = []
        self._pairs: Iterator[tuple[int, int]] = iter(())
        self.repeats = 0
        self.refused = 0

    async def prepare(self) -> None:
        """Users, and images for them to look at."""
        for number in range(USERS):
            body = {"username": f"writer-{number}", "country_of_residence": "FR", "tos_version_accepted": 1}
            await self._write("user", 0, "/users/", json=body | {"year_of_birth": 1980})
        self._images = [await self._upload(self._user()) for _ in range(IMAGES)]
        pairs = [(user, image) for user in self._tokens for image in self._images]
        self._chance.shuffle(pairs)
        self._pairs = iter(pairs)

    async def write(self) -> None:
        """One write drawn at random; some bring a second with them, some must be refused."""
        user, image = self._user(), self._chance.choice(self._images)
        draw = self._chance.random()
        if draw < 0.70:
            await self._write("view", user, f"/images/{image}/view", image=image)
        elif draw < 0.88:
            await self._comment(user, image)
        elif draw < 0.92:
            flagging, flagged = next(self._pairs)
            await self._flag(flagging, flagged, {"image_id": flagged})
        elif draw < 0.95:
            await self._flag(user, image, {"comment_id": await self._comment(user, image)})
        elif draw < 0.97:
            await self._upload(user)
        elif draw < 0.98:
            image = await self._upload(user)
            await self._write("deletion", user, f"/images/{image}", method="DELETE", image=image)
        else:
            await self._refused(user)

    async def _comment(self, user: int, image: int) -> int:
        text = {"image_id": image, "content": f"Looks good, says {user}."}
        return int((await self._write("comment", user, "/comments/", json=text, image=image))["id"])

    async def _flag(self, user: int, image: int, target: dict[str, int]) -> None:
        await self._write("flag", user, "/flags/", json=target | {"reason": "spam"}, image=image)

    async def _upload(self, user: int) -> int:
        return int((await self._write("upload", user, "/upload/", photo=True))["id"])

    async def _refused(self, user: int) -> None:
        """Something that must leave neither row nor event."""
        body = {"image_id": 10**9, "content": "about nothing"}
        async for status, _ in self._answers(user, "/comments/", str(uuid.uuid4()), json=body):
            assert status == 404
            self.refused += 1

    async def _write(
        self, kind: str, user: int, path: str, *, image: int | None = None, **request: Any
    ) -> dict[str, Any]:
        key = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        async for status, answer in self._answers(user, path, key, **request):
            assert status in {201, 204}, (kind, path, status, answer)
            if kind == "user":
                user = answer["id"]
                self._tokens[user] = answer["token"]
            if kind == "upload":
                image = answer["id"]
            self._ledger.add(Entry(kind, answer.get("id"), image, user, key))
            return answer
        raise AssertionError("unreachable: answers end only with one")

    async def _answers(
        self, user: int, path: str, key: str, *, method: str = "POST", photo: bool = False, **request: Any
    ) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """The one answer that counts, after as many attempts as it takes."""
        headers = {"Idempotency-Key": key}
        if user:
            headers["Authorization"] = f"Bearer {self._tokens[user]}"
        while True:
            data = _form() if photo else None
            try:
                async with self._session.request(method, path, headers=headers, data=data, **request) as response:
                    if response.status != 503:
                        text = await response.text()
                        is_json = response.content_type == "application/json"
                        yield response.status, json.loads(text) if is_json else {"text": text}
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.repeats += 1
            await asyncio.sleep(self._chance.uniform(0.02, 0.2))

    def _user(self) -> int:
        return self._chance.choice(list(self._tokens))


def _form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", PHOTO, filename="photo.jpg", content_type="image/jpeg")
    form.add_field("caption", "Fried rice")
    form.add_field("category", "Rice")
    return form


def _photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 120, 30)).save(content, "JPEG")
    return content.getvalue()


PHOTO = _photo()


async def keep_writing(address: str, ledger: Ledger, seed: int, total: int) -> Writer:
    """Write until the ledger has `total` entries; 48 writes are in flight at any time."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(f"http://{address}", timeout=timeout) as session:
        writer = Writer(session, ledger, random.Random(seed))
        await writer.prepare()

        async def worker() -> None:
            while len(ledger.entries) < total:
                await writer.write()

        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(worker())
    return writer
