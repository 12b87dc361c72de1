"""Somebody who uses the API, and the photos they have."""

import io
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from tests.integration.api.servers import ApiProcess


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 48), colour: str = "tomato") -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def new_name() -> str:
    """A username that nobody has."""
    return f"u-{uuid.uuid4().hex[:20]}"


@dataclass
class Person:
    """A caller with a token (or none), and shortcuts for what people do."""

    api: ApiProcess
    token: str | None = None
    id: int = 0

    def send(
        self, method: str, path: str, key: str | None = None, headers: dict[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with_key = {"Idempotency-Key": key} if key else {}
        return self.api.http.request(method, path, headers=own | with_key | (headers or {}), **request)

    def post(self, path: str, key: str | None = None, **request: Any) -> httpx.Response:
        return self.send("POST", path, key, **request)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.send("GET", path, **request)

    def delete(self, image_id: int, key: str | None = None) -> httpx.Response:
        return self.send("DELETE", f"/images/{image_id}", key)

    def join(self, key: str | None = None, **change: Any) -> httpx.Response:
        body = {"username": new_name(), "country_of_residence": "NL", "year_of_birth": 1990} | change
        return self.post("/users/", key, json=body)

    def upload(
        self, data: bytes | None = None, key: str | None = None, *, name: str = "soup.jpg", **form: str
    ) -> httpx.Response:
        files = {"file": (name, photo() if data is None else data, "image/jpeg")}
        return self.post("/upload/", key, data={"caption": "my soup", "category": "Soup"} | form, files=files)

    def image(self) -> int:
        """A new image of this person."""
        answer = self.upload()
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def comment(self, image_id: int, content: str = "tasty", key: str | None = None) -> httpx.Response:
        return self.post("/comments/", key, json={"image_id": image_id, "content": content})

    def flag(self, key: str | None = None, **body: Any) -> httpx.Response:
        return self.post("/flags/", key, json={"reason": "not food"} | body)

    def view(self, image_id: int, key: str | None = None) -> httpx.Response:
        return self.post(f"/images/{image_id}/view", key)


def new_person(api: ApiProcess, **change: Any) -> Person:
    """Somebody who has just joined."""
    answer = Person(api).join(**change)
    assert answer.status_code == 201, answer.text
    return Person(api, answer.json()["token"], answer.json()["id"])


def assert_refused(answer: httpx.Response, status: int, code: str | None = None) -> str:
    """The request was refused in the one shape of errors; return what it says."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert code is None or body["error"] == code, body
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return str(body["detail"])
