"""Puts a world into the application's tables and its events into the topics, as the API and the relay would."""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer

from gourmetgram.core import events
from gourmetgram.core.broker import PRODUCER
from tests.support.database import Rows
from tests.support.training_recount import DAY, Action, Happening, Image, User, World, moment

CLASSES: dict[str, Any] = {one.type: one for one in events.EVENT_CLASSES}
OWN: dict[str, dict[str, Any]] = {
    "upload": {"caption_length": 1, "category": "Soup"},
    "comment": {"comment_id": 1},
    "flag": {"flag_id": 1, "reason": "spam"},
}

EMPTY = "TRUNCATE users, moderation, outbox RESTART IDENTITY CASCADE"
INSERT_USER = """
INSERT INTO users (id, username, tos_version_accepted, tos_accepted_at, country_of_residence, year_of_birth,
                   is_test_account, created_at)
VALUES (%s, 'user ' || %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_IMAGE = """
INSERT INTO images (id, user_id, s3_url, source, caption, category, created_at, deleted_at)
VALUES (%s, %s, '', %s, %s, %s, %s, %s)
"""

INSERT_TOKEN = "INSERT INTO api_tokens (token_hash, scope, created_at) VALUES (%s, 'moderator', now()) RETURNING id"
INSERT_ACTION = """
INSERT INTO moderation_actions (id, moderator, token_id, action, target_type, target_id, image_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, now())
"""


def livable(world: World, first: int, now: int) -> World:
    """The world as the application lets it be: nothing is in the future, and everybody has accepted the terms.

    Ids of images begin at `first`, for the topics hold other tests' events as well.
    """
    users = [replace(user, tos_version_accepted=1, tos_accepted_at=user.created_at) for user in world.users]
    images = [replace(image, id=first + image.id) for image in world.images if image.created_at < now]
    happened = [replace(one, image_id=first + one.image_id) for one in world.events if one.occurred_at < now]
    there = {image.id for image in images}
    done = [replace(one, image_id=first + one.image_id) for one in world.actions if first + one.image_id in there]
    return replace(world, users=users, images=images, events=happened, deleted_since=set(), actions=done)


def plant(world: World, rows: Rows, servers: str) -> None:
    """All of a world."""
    rows(EMPTY)
    plant_rows(world.users, world.images, rows)
    plant_actions(world.actions, rows)
    tell(world.events, servers)


def plant_rows(users: Iterable[User], images: Iterable[Image], rows: Rows) -> None:
    """Rows of the application's tables."""
    rows("BEGIN")
    for user in users:
        accepted = moment(user.tos_accepted_at or 0)
        rows(
            INSERT_USER, user.id, user.id, user.tos_version_accepted, accepted, user.country_of_residence,
            user.year_of_birth, user.is_test_account, moment(user.created_at),
        )  # fmt: skip
    for image in images:
        gone_at = moment(image.created_at + DAY) if image.is_deleted else None
        rows(
            INSERT_IMAGE, image.id, image.user_id, image.source, "x" * image.caption_length, image.category,
            moment(image.created_at), gone_at,
        )  # fmt: skip
    rows("COMMIT")


def plant_actions(actions: Iterable[Action], rows: Rows) -> None:
    """What moderators did, as the API writes it down."""
    rows("BEGIN")
    ((token,),) = rows(INSERT_TOKEN, os.urandom(32))
    for one in actions:
        kind, target = ("image", one.image_id) if one.comment_id is None else ("comment", one.comment_id)
        rows(INSERT_ACTION, one.id, one.moderator, token, one.action, kind, target, one.image_id)
    rows("COMMIT")


def tell(happened: Iterable[Happening], servers: str) -> None:
    """Events, each into its topic; returns when the broker has them."""
    producer = Producer({**PRODUCER, "bootstrap.servers": servers, "linger.ms": 20})
    for one in happened:
        event = CLASSES[one.event_type](
            **OWN.get(one.event_type, {})
            | {"event_id": uuid4(), "occurred_at": moment(one.occurred_at), "image_id": one.image_id, "user_id": 1}
            | {"is_test": one.is_test, "imported": one.imported}
            | ({"comment_id": one.comment_id} if one.comment_id is not None else {})
        )
        producer.produce(event.topic, events.encode(event), str(event.image_id))
        producer.poll(0)
    assert producer.flush(60) == 0
