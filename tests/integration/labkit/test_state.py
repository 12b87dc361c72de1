"""A lab is saved and restored elsewhere: the same rows, offsets, counts and decisions, and people go on."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
import redis
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from minio import Minio

from gourmetgram.state.__main__ import Platform
from gourmetgram.state.bundle import Damaged
from gourmetgram.state.records import Log
from gourmetgram.state.settings import StateSettings
from labkit import state
from labkit.object_storage import client
from labkit.stack import Stack, StackError, secrets
from tests.faults import raw_topics, redis_state
from tests.integration.stream_consumer.redis_state import redis_url
from tests.support.database import superuser_rows
from tests.support.processes import wait_until

SERVICES = ("data_generator", "api_v2", "outbox_relay", "stream_consumer", "risk_scoring_service")
TRAFFIC = {"GENERATOR_ARRIVAL_RATE": 60_000}
TABLES = {
    "moderation": "SELECT * FROM moderation ORDER BY id",
    "images": "SELECT * FROM images ORDER BY id",
    "comments": "SELECT * FROM comments ORDER BY id",
    "outbox": "SELECT * FROM outbox ORDER BY id",
    "idempotency_keys": "SELECT * FROM idempotency_keys ORDER BY user_id, key",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences WHERE sequencename !~ 'api_tokens' ORDER BY 1",
}
TOPICS = [
    f"gourmetgram.{name}" for name in ("uploads", "views", "comments", "flags", "deletions", "moderation_requests")
]
OLDER_ROW = """
INSERT INTO users (username, tos_version_accepted, tos_accepted_at, country_of_residence, is_test_account, created_at)
VALUES ('of-old', 1, now(), 'FR', false, now())
"""
LAKE = "gourmetgram-datalake"
PASSING, LASTS_SECONDS = "image:1:passing", 25
AGED = ("gourmetgram.views", 0)
FOLDER = "planted/dt=2026-11-15/run_id=asset_triggered__2026-11-15T17_10_56.582983_00_00_SZVS8x5c/with_a_long_name/"
FILES = {FOLDER: b"", f"{FOLDER}users.parquet": b"PAR1", f"{FOLDER}_taken.json": b"{}"}
"""A folder as PyArrow makes it: an object of no bytes, whose name ends with a slash, and objects behind it."""

LONG = 16
"""Values of docker/.env that are shorter are names, and no secrets."""


def written(stack: Stack) -> int:
    """What people have done so far."""
    with superuser_rows(stack) as rows:
        ((number,),) = rows("SELECT coalesce((SELECT sum(views) FROM images), 0) + (SELECT count(*) FROM comments)")
        return int(number)


def whole_storage(stack: Stack) -> Minio:
    return client(stack, stack.exchange())


def counts(stack: Stack) -> redis.Redis:
    return redis.Redis.from_url(redis_url(stack))


def contents(stack: Stack, bucket: str) -> dict[str, bytes]:
    """All objects that are no folders, by name."""
    storage = whole_storage(stack)
    names = [str(one.object_name) for one in storage.list_objects(bucket, recursive=True)]
    return {name: storage.get_object(bucket, name).read() for name in names if not name.endswith("/")}


@pytest.fixture(scope="module")
def old(short_folder: Path) -> Iterator[Stack]:
    """A lab with people in it."""
    stack = Stack.free(short_folder / "old")
    try:
        stack.up(*SERVICES, **TRAFFIC)
        wait_until(lambda: written(stack) > 150, "people have done something")
        yield stack
    finally:
        stack.destroy()


def test_a_lab_goes_on_after_it_was_saved(old: Stack, tmp_path: Path) -> None:
    archive = state.save(old, tmp_path / "saved.tar.gz")
    assert set(archive.services) >= {*SERVICES, "postgres", "redis"}
    assert set(SERVICES) <= {one.name for one in old.ps() if one.state == "running"}
    before = written(old)
    wait_until(lambda: written(old) > before + 20, "people go on")


@pytest.fixture(scope="module")
def archive(old: Stack, short_folder: Path) -> state.Archive:
    """Of a lab in which nobody does anything any more, so that it can be compared with what is restored.

    The oldest record of one partition was landed and has aged out, and somebody was refused at the review queue.
    """
    old.stop(*SERVICES)
    old.run("lakehouse", "run")
    admin = AdminClient({"bootstrap.servers": old.address("redpanda")})
    for deleted in admin.delete_records([TopicPartition(*AGED, 1)]).values():
        deleted.result()
    for name, content in FILES.items():
        whole_storage(old).put_object(LAKE, name, io.BytesIO(content), len(content))
    with superuser_rows(old) as rows:
        rows("INSERT INTO refused_sign_ins (client, created_at) VALUES ('127.0.0.1', now())")
    counts(old).set(PASSING, 1, ex=LASTS_SECONDS)
    return state.save(old, short_folder / "saved.tar.gz")


@pytest.fixture(scope="module")
def new(old: Stack, archive: state.Archive, short_folder: Path) -> Iterator[Stack]:
    """The same elsewhere; only the stores run."""
    wait_until(lambda: not counts(old).exists(PASSING), "one of the counts is too old meanwhile", LASTS_SECONDS + 5)
    stack = Stack.free(short_folder / "new")
    try:
        state.load(stack, archive)
        yield stack
    finally:
        stack.destroy()


def test_the_archive_is_private_and_has_no_password(archive: state.Archive) -> None:
    assert archive.file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive.file) as packed:
        contents = [one.read() for member in packed if (one := packed.extractfile(member))]
    assert len(contents) > 20
    for name, value in secrets.read().items():
        assert len(value) < LONG or not any(value.encode() in content for content in contents), name


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_the_same(old: Stack, new: Stack, table: str) -> None:
    with superuser_rows(old) as before, superuser_rows(new) as after:
        found = after(TABLES[table])
        assert found == before(TABLES[table])
        assert found or table == "outbox"


def test_records_are_the_same_at_the_same_offsets(old: Stack, new: Stack) -> None:
    records = raw_topics.read(new.address("redpanda"), TOPICS)
    assert len(records) > 150
    assert records == raw_topics.read(old.address("redpanda"), TOPICS)
    assert raw_topics.ranges(new.address("redpanda"), TOPICS)[AGED][0] == 1


def test_objects_are_the_same(old: Stack, new: Stack) -> None:
    found = contents(new, LAKE)
    assert found == contents(old, LAKE)
    assert any(name.endswith(".metadata.json") for name in found), "the history"
    planted = {name: content for name, content in FILES.items() if content}
    assert {name: content for name, content in found.items() if name.startswith("planted/")} == planted


def test_offsets_that_a_broker_does_not_take_yet_are_offered_again(new: Stack) -> None:
    """Without an error of its call: the answer says of each partition whether it was taken."""
    servers = new.address("redpanda")
    admin = AdminClient({"bootstrap.servers": servers})
    later = Timer(2, admin.create_topics, [[NewTopic("created.late", 1)]])
    later.start()
    Log(servers).restore_groups({"late": {"created.late/0": 7}})
    later.join()
    told = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("late")])["late"].result()
    assert [(one.topic, one.offset) for one in told.topic_partitions] == [("created.late", 7)]
    assert "late" not in Log(servers).groups(), "its topic is none of ours"


def test_nobody_is_logged_in_elsewhere(new: Stack) -> None:
    with superuser_rows(new) as rows:
        assert rows("SELECT count(*) FROM refused_sign_ins") == [(0,)]


def test_what_comes_later_has_later_numbers_of_transactions(new: Stack) -> None:
    with superuser_rows(new) as rows:
        ((is_later,),) = rows("SELECT pg_current_xact_id() > max(written_by) FROM images")
    assert is_later


def test_counts_are_the_same(old: Stack, new: Stack) -> None:
    found = redis_state.snapshot(new)
    assert found.totals
    assert found == redis_state.snapshot(old)


def test_old_tokens_do_not_work_elsewhere(old: Stack, new: Stack) -> None:
    of_people = "SELECT token_hash FROM api_tokens WHERE user_id IS NOT NULL"
    with superuser_rows(old) as before, superuser_rows(new) as after:
        assert after(of_people)
        assert not {bytes(row[0]) for row in after(of_people)} & {bytes(row[0]) for row in before(of_people)}


def test_the_same_people_go_on_elsewhere(new: Stack) -> None:
    before, people = written(new), number_of_people(new)
    new.up(*SERVICES, GENERATOR_ARRIVAL_RATE=60_000)
    wait_until(lambda: written(new) > before + 50, "people go on")
    new.stop("data_generator")
    new.run("lakehouse", "run")
    new.run("parity")
    assert number_of_people(new) < people + 10  # a few join; those who are there do not join again


def number_of_people(stack: Stack) -> int:
    with superuser_rows(stack) as rows:
        return int(rows("SELECT count(*) FROM users")[0][0])


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_damaged_archive_is_refused_before_anything_is_deleted(
    archive: state.Archive, tmp_path: Path, keep: float
) -> None:
    content = archive.file.read_bytes()
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(StackError, match=r"damaged\.tar\.gz (cannot be read|is not whole)"):
        state.Archive.read(damaged)


def test_an_archive_among_the_data_is_refused_and_nothing_is_deleted(old: Stack, archive: state.Archive) -> None:
    """A restore deletes that folder."""
    inside = old.home / "saved.tar.gz"
    for refused in (lambda: state.save(old, inside), lambda: state.load(old, state.Archive(inside, archive.manifest))):
        with pytest.raises(StackError, match="a restore deletes that folder: take another place"):
            refused()


def test_what_was_written_while_it_was_saved_is_noticed(old: Stack, archive: state.Archive) -> None:
    """A task in another terminal; the archive would be refused only where it is restored, and that is too late."""
    platform = Platform(StateSettings(**old.environment("state").arguments))  # type: ignore[arg-type]

    class Busy(io.BytesIO):
        """Somebody writes an object while the archive is written."""

        def write(self, piece: Any) -> int:
            whole_storage(old).put_object(LAKE, "meanwhile", io.BytesIO(b"x"), 1)
            return super().write(piece)

    with pytest.raises(
        Damaged, match=r"something was written meanwhile; save again when no task is at work:\nobjects: "
    ):
        platform.save(Busy(), "")
    platform.save(io.BytesIO(), "")


def test_nothing_is_saved_where_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="Nothing runs that could be saved"):
        state.save(Stack.free(tmp_path / "lab"), tmp_path / "saved.tar.gz")
    assert not (tmp_path / "saved.tar.gz").exists()


def test_an_archive_of_an_older_lab_is_migrated(short_folder: Path, tmp_path: Path) -> None:
    older = Stack.free(short_folder / "older")
    try:
        older.up("postgres", "minio-init", "topics-init", "redis")
        older.run("migrate", "--to", "0003")
        with superuser_rows(older) as rows:
            rows(OLDER_ROW)
        archive = state.save(older, tmp_path / "older.tar.gz")
        assert archive.revision == "0003"
        with superuser_rows(older) as rows:
            rows("DELETE FROM users")
        older.progress_file.write_text("passed")
        state.load(older, archive)
        assert older.progress_file.read_text() == "passed"
        with superuser_rows(older) as rows:
            assert rows("SELECT username FROM users") == [("of-old",)]
            ((revision,),) = rows("SELECT version_num FROM alembic_version")
        assert revision > "0003"
    finally:
        older.destroy()


def test_an_archive_of_a_newer_lab_is_refused_and_nothing_is_deleted(old: Stack, archive: state.Archive) -> None:
    newer = archive.manifest | {"databases": {"gourmetgram": {"revision": "9999", "tables": {}}}}
    before = written(old)
    with pytest.raises(StackError, match="A newer lab has made this schema: update this copy of the lab first"):
        state.load(old, state.Archive(archive.file, newer))
    assert written(old) == before
