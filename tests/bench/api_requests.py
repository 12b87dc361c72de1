"""Users, images, and prebuilt requests about them."""

import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from PIL import Image

from tests.bench.http_load import UNIQUE

IDEMPOTENCY_KEY = f"Idempotency-Key: {UNIQUE}\r\n"


@dataclass
class World:
    """Who posts, and what about."""

    address: str
    tokens: list[str]
    images: list[int]
    length: int
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def views(self, images: Sequence[int]) -> list[str]:
        """Views of images drawn evenly."""
        return [self._post(f"/images/{self.chance.choice(images)}/view", n) for n in range(self.length)]

    def comments(self, images: Sequence[int]) -> list[str]:
        """Comments on images drawn evenly."""
        numbers = range(self.length)
        bodies = [{"image_id": self.chance.choice(images), "content": f"Tasty, {n}!"} for n in numbers]
        return [self._post("/comments/", n, json.dumps(bodies[n])) for n in numbers]

    def mix(self, images: Sequence[int]) -> list[str]:
        """Three views to a comment."""
        views, comments = self.views(images), self.comments(images)
        return [(comments if self.chance.random() < 0.25 else views)[n] for n in range(self.length)]

    def _post(self, path: str, number: int, body: str = "") -> str:
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {self.address}",
            f"Authorization: Bearer {self.tokens[number % len(self.tokens)]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*head, "", body])


def with_idempotency_keys(requests: Sequence[str]) -> list[str]:
    """The same requests, each with a key that never comes twice."""
    return [request.replace("Content-Type", f"{IDEMPOTENCY_KEY}Content-Type", 1) for request in requests]


def populate(address: str, users: int, images: int, length: int) -> World:
    """Register users, let them upload, and prepare lists of `length` requests."""
    with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
        tokens = [_register(client, number) for number in range(users)]
        return World(address, tokens, [_upload(client, tokens[n % users], n) for n in range(images)], length)


def _register(client: httpx.Client, number: int) -> str:
    body = {
        "username": f"bench-{number}",
        "country_of_residence": "DE",
        "year_of_birth": 1990,
        "tos_version_accepted": 1,
    }
    return str(client.post("/users/", json=body).raise_for_status().json()["token"])


def _upload(client: httpx.Client, token: str, number: int) -> int:
    photo = io.BytesIO()
    Image.new("RGB", (64, 64), (number % 256, 99, 0)).save(photo, "JPEG")
    answer = client.post(
        "/upload/",
        headers={"Authorization": f"Bearer {token}"},
        files={"file": ("photo.jpg", photo.getvalue(), "image/jpeg")},
        data={"caption": f"Soup {number}", "category": "Soup"},
    )
    return int(answer.raise_for_status().json()["id"])
