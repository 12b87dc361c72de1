"""PostgreSQL as its superuser sees it, so that tests recount what the platform did by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg2
import psycopg2.extensions

from labkit.stack import Stack


class Rows(Protocol):
    """Runs one statement and returns its rows; none when it has no result."""

    def __call__(self, sql: str, *values: object) -> list[tuple[Any, ...]]: ...


def superuser_url(stack: Stack, database: str = "gourmetgram") -> str:
    """How the superuser logs in to a database of the stack."""
    return f"postgresql://postgres:{stack.setting('POSTGRES_PASSWORD')}@{stack.address('postgres')}/{database}"


@contextmanager
def superuser(stack: Stack, database: str = "gourmetgram") -> Iterator["psycopg2.extensions.connection"]:
    """A connection of the superuser; each statement commits."""
    connection = psycopg2.connect(superuser_url(stack, database))
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def superuser_rows(stack: Stack, database: str = "gourmetgram") -> Iterator[Rows]:
    """What runs statements as the superuser."""
    with superuser(stack, database) as connection:

        def select(sql: str, *values: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []

        yield select
