"""Moderators as browsers without JavaScript: pages, their forms, and what waits in the queue."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx

from gourmetgram.core.features import FEATURES
from labkit.stack import Stack
from tests.integration.api.servers import TIMEOUT_SECONDS, ApiProcess
from tests.support.database import Rows

FLAGGED_RULE = {"name": "flagged", "points": 0.4, "reason": "somebody flagged it"}
STORE_DECISION = """
INSERT INTO moderation (inference_request_id, target_type, target_id, inference_mode, model_version, risk_score,
                        recommendation, served, trigger_type, as_of, features, policy_version, rationale, created_at)
VALUES (%s, 'image', %s, %s, %s, %s, %s, %s, %s, %s, %s, 'v1', %s, %s) RETURNING id
"""
SETTLE = (
    "UPDATE flags SET review_status = 'rejected' WHERE review_status = 'pending'",
    "UPDATE moderation SET served = false",
)


def empty_the_queue(rows: Rows) -> None:
    """Nothing waits: what other tests flagged is settled."""
    for statement in SETTLE:
        rows(statement)


def decided(
    rows: Rows,
    image_id: int,
    score: float,
    recommendation: str = "REVIEW",
    *,
    trigger: str = "anchor",
    model: str = "",
    served: bool = True,
    rationale: object = None,
    age: timedelta = timedelta(0),
    **features: float,
) -> int:
    """Store a decision as the scorer would, and return its id; features that are not named are 0.

    It knows what was known an `age` ago.
    """
    now = datetime.now(UTC)
    vector = dict.fromkeys(FEATURES, 0.0) | features
    reasons = {"policy": "v1", "rules": [FLAGGED_RULE]} if rationale is None else rationale
    mode = "model" if model else "heuristic"
    values = (uuid.uuid4().hex, image_id, mode, model, score, recommendation, served, trigger, now - age)
    return int(rows(STORE_DECISION, *values, json.dumps(vector), json.dumps(reasons), now)[0][0])


def new_token(stack: Stack, name: str = "", scope: str = "moderator") -> str:
    """A token as `./lab token` prints it."""
    return stack.run("token", "--scope", scope, "--name", name).strip().splitlines()[-1]


@dataclass
class Form:
    """One form of a page: where it goes, its hidden fields, and the values of its buttons named `action`."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("method", "get"), found.get("action", "")))
        elif tag == "input" and self.forms and found.get("type") == "hidden":
            self.forms[-1].fields[found["name"]] = found["value"]
        elif tag == "button" and self.forms and found.get("name") == "action":
            self.forms[-1].buttons.append(found["value"])


def forms_of(page: httpx.Response) -> list[Form]:
    """The forms of a page, in its order."""
    reader = _Forms()
    reader.feed(page.text)
    return reader.forms


class Reviewer:
    """One browser of its own, with its cookies."""

    def __init__(self, api: ApiProcess) -> None:
        self.http = httpx.Client(base_url=api.url, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> "Reviewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def sign_in(self, token: str, **change: str) -> httpx.Response:
        """Send the form of the page, with changes."""
        (form,) = forms_of(self.http.get("/moderation/login"))
        return self.http.post(form.action, data=form.fields | {"token": token} | change)

    def form(self, image_id: int, comment_id: int | None = None) -> Form:
        """The form about an image, or about a comment below it."""
        page = self.http.get(f"/moderation/images/{image_id}")
        assert page.status_code == 200, page.text
        wanted = "" if comment_id is None else str(comment_id)
        return next(one for one in forms_of(page) if one.buttons and one.fields.get("comment_id", "") == wanted)

    def send(self, form: Form, action: str, **change: str | None) -> httpx.Response:
        """Press a button of a form; a change to None takes a field out."""
        fields = form.fields | {"action": action} | change
        return self.http.post(form.action, data={name: value for name, value in fields.items() if value is not None})

    def decide(self, image_id: int, action: str, comment_id: int | None = None) -> httpx.Response:
        """Look at the item now, and press a button."""
        return self.send(self.form(image_id, comment_id), action)

    def cookie(self, name: str) -> str:
        value = self.http.cookies.get(name)
        assert value
        return value


def state_of(rows: Rows, image_id: int) -> dict[str, Any]:
    """What the tables say: hidden or not, flags by status, actions in order."""
    ((hidden,),) = rows("SELECT moderator_hidden FROM images WHERE id = %s", image_id)
    flags = rows("SELECT review_status FROM flags WHERE image_id = %s ORDER BY id", image_id)
    actions = rows("SELECT action FROM moderation_actions WHERE image_id = %s ORDER BY id", image_id)
    return {"hidden": hidden, "flags": [one for (one,) in flags], "actions": [one for (one,) in actions]}
