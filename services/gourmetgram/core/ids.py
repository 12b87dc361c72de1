"""Identifiers that carry their time."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A new UUID, version 7: sorted by creation time to the millisecond, random below (RFC 9562)."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
