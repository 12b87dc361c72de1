"""What each role may do in the database: no more than its work needs."""

import io
from collections.abc import Iterator

import psycopg2
import pytest
import urllib3
from minio import Minio
from minio.error import S3Error
from psycopg2.errors import InsufficientPrivilege

from labkit.stack import Stack
from tests.support.database import Rows

ROLES = {"student": "STUDENT_DB_PASSWORD", "outbox_relay": "RELAY_DB_PASSWORD", "api": "API_DB_PASSWORD"}
HIDDEN = {"api_tokens", "idempotency_keys", "moderator_sessions", "refused_sign_ins"}

WRITABLE = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relkind IN ('r', 'p', 'v')
  AND has_table_privilege(%s, c.oid, %s)
"""


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest, stack: Stack) -> Iterator[tuple[str, psycopg2.extensions.cursor]]:
    password, address = stack.setting(ROLES[request.param]), stack.address("postgres")
    connection = psycopg2.connect(f"postgresql://{request.param}:{password}@{address}/gourmetgram")
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield request.param, cursor
    connection.close()


def tables(rows: Rows, role: str, privilege: str) -> set[str]:
    return {row[0] for row in rows(WRITABLE, role, privilege)}


def test_students_read_all_but_tokens_and_keys_and_write_nothing(rows: Rows) -> None:
    everything = {row[0] for row in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    views = {row[0] for row in rows("SELECT viewname FROM pg_views WHERE schemaname = 'raw'")}
    assert (len(everything) >= 12, len(views) >= 5) == (True, True)
    assert tables(rows, "student", "SELECT") == (everything - HIDDEN) | views
    for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        assert tables(rows, "student", privilege) == set()


def test_the_api_writes_what_it_must(rows: Rows) -> None:
    engagement = {"users", "images", "comments", "flags"}
    entrance = {"moderator_sessions", "refused_sign_ins"}
    written = engagement | entrance | {"outbox", "api_tokens", "idempotency_keys", "moderation_actions"}
    assert tables(rows, "api", "INSERT") == written
    assert tables(rows, "api", "UPDATE") == {"images", "comments", "api_tokens", "idempotency_keys"}
    assert tables(rows, "api", "DELETE") == entrance | {"idempotency_keys"}
    assert tables(rows, "api", "TRUNCATE") == set()


def test_the_api_judges_flags_and_changes_nothing_else_of_them(rows: Rows) -> None:
    columns = rows(
        "SELECT column_name FROM information_schema.column_privileges "
        "WHERE grantee = 'api' AND table_name = 'flags' AND privilege_type = 'UPDATE'"
    )
    assert {name for (name,) in columns} == {"review_status", "resolved_at", "moderation_action_id"}


def test_the_relay_empties_the_outbox_and_counts_views(rows: Rows) -> None:
    assert tables(rows, "outbox_relay", "SELECT") == {"outbox"}
    assert tables(rows, "outbox_relay", "DELETE") == {"outbox"}
    assert tables(rows, "outbox_relay", "INSERT") == set()
    columns = rows(
        "SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges "
        "WHERE grantee = 'outbox_relay' AND table_name <> 'outbox'"
    )
    assert set(columns) == {("images", "id", "SELECT"), ("images", "views", "SELECT"), ("images", "views", "UPDATE")}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE images ADD COLUMN mine int",
        "DROP TABLE flags",
        "DELETE FROM images",
        "UPDATE moderation SET risk_score = 0",
        "UPDATE moderation_actions SET moderator = 'somebody else'",
        "DELETE FROM moderation_actions",
        "UPDATE flags SET reason = 'none'",
        "CREATE ROLE mine",
        "COPY images TO PROGRAM 'cat'",
    ],
)
def test_no_service_changes_the_schema_or_what_is_not_its_own(
    role: tuple[str, psycopg2.extensions.cursor], statement: str
) -> None:
    with pytest.raises(InsufficientPrivilege):
        role[1].execute(statement)


def test_a_student_cannot_read_tokens(stack: Stack) -> None:
    url = f"postgresql://student:{stack.setting('STUDENT_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram"
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute("SELECT token_hash FROM api_tokens")
    connection.close()


@pytest.mark.parametrize(
    ("user", "bucket", "may_read", "may_write"),
    [
        ("API", "gourmetgram-images", True, True),
        ("API", "gourmetgram-datalake", False, False),
        ("STUDENT", "gourmetgram-images", True, False),
        ("STUDENT", "gourmetgram-datalake", True, False),
    ],
)
def test_object_storage_gives_each_user_its_rights(
    stack: Stack, user: str, bucket: str, may_read: bool, may_write: bool
) -> None:
    def may(client: Minio, write: bool) -> bool:
        try:
            if write:
                client.put_object(bucket, "rights/try", io.BytesIO(b"x"), 1)
            else:
                list(client.list_objects(bucket))
        except S3Error as error:
            if error.code != "AccessDenied":
                raise
            return False
        return True

    keys = (stack.setting(f"S3_{user}_ACCESS_KEY"), stack.setting(f"S3_{user}_SECRET_KEY"))
    with urllib3.PoolManager() as pool:
        client = Minio(stack.address("minio"), *keys, secure=False, region="us-east-1", http_client=pool)
        assert (may(client, write=False), may(client, write=True)) == (may_read, may_write)
