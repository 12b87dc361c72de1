"""What the training may do with the history, the models and the application: no more than its work needs."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
import urllib3
from minio import Minio
from minio.error import S3Error
from psycopg2.errors import InsufficientPrivilege
from pydantic import SecretStr
from pyiceberg.catalog.sql import SqlCatalogBaseTable
from pyiceberg.exceptions import CommitFailedException
from sqlalchemy import create_engine

from gourmetgram.core.model_files import METADATA
from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.training.job import train
from gourmetgram.training.settings import TrainingSettings
from labkit.stack import Stack
from tests.integration.training.test_job import load_table
from tests.support.database import superuser_rows, superuser_url
from tests.support.training import table

BUCKET = "gourmetgram-datalake"
COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable
FROM information_schema.columns WHERE table_schema = 'public' AND starts_with(table_name, 'iceberg')
"""
KEYS = "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p'"
RIGHTS = """
SELECT table_schema, table_name, privilege_type FROM information_schema.table_privileges
WHERE grantee = 'trainer'
"""
COLUMN_RIGHTS = """
SELECT DISTINCT table_name, column_name, privilege_type FROM information_schema.column_privileges
WHERE grantee = 'trainer' AND privilege_type <> 'SELECT'
"""


@pytest.fixture(scope="module")
def lakehouse(training_stack: Stack) -> LakehouseSettings:
    """The history as the lakehouse reaches it, with training data in it."""
    settings = LakehouseSettings(**training_stack.environment("lakehouse").arguments)  # type: ignore[arg-type]
    tables.ensure(open_catalog(settings))
    as_training = TrainingSettings(**settings.model_dump(), model_signing_key=SecretStr("k" * 16))
    load_table(as_training, table(images=4000, seed=4, hours=240))
    return settings


@pytest.fixture(scope="module")
def trainer(training_stack: Stack, lakehouse: LakehouseSettings) -> TrainingSettings:
    """The same history as the training reaches it."""
    return TrainingSettings(**training_stack.environment("training").arguments)  # type: ignore[arg-type]


@pytest.fixture
def application(training_stack: Stack) -> Iterator["psycopg2.extensions.cursor"]:
    connection = psycopg2.connect(training_stack.environment("training")["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture
def client(training_stack: Stack) -> Iterator[Callable[[str], Minio]]:
    """Object storage as one of its users sees it."""
    with urllib3.PoolManager() as pool:

        def of(user: str) -> Minio:
            access, secret = (training_stack.setting(f"S3_{user}_{key}_KEY") for key in ("ACCESS", "SECRET"))
            address = training_stack.address("minio")
            return Minio(address, access, secret, secure=False, region="us-east-1", http_client=pool)

        yield of


@pytest.fixture(scope="module")
def graded(training_stack: Stack, trainer: TrainingSettings) -> str:
    """What the tool says about a model that it has trained, where the generator has told the truth."""
    truth = training_stack.home / "volumes/generator/truth/images.jsonl"
    truth.parent.mkdir(parents=True)
    lines = ({"image_id": image, "story": "x", "harmful": image % 3 == 0} for image in range(2000, 4000))
    truth.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return training_stack.run("training", "train", "--version", "graded")


@pytest.fixture(scope="module")
def ungraded(trainer: TrainingSettings) -> dict[str, Any]:
    """What a model says about itself that was trained before there was any truth."""
    quick = {"training_passes": 1, "bootstrap_replicates": 100, "truth_file": Path("/nowhere/images.jsonl")}
    return train(trainer.model_copy(update=quick), datetime.now(UTC), None, "ungraded")


def test_the_tool_trains_deploys_and_says_who_decides(
    training_stack: Stack, trainer: TrainingSettings, graded: str, ungraded: dict[str, Any]
) -> None:
    assert graded.count("model graded, trained on snapshot") == 1
    for version in ("graded", "ungraded"):
        assert f"{version} is deployed" in training_stack.run("training", "deploy", version, "--anyway")
    assert "model graded is deployed again" in training_stack.run("training", "roll-back")
    assert "shadow     somebody" in training_stack.run("training", "mode", "shadow", "--by", "somebody")
    assert {"model-graded", "model-ungraded"} <= set(open_catalog(trainer).load_table(tables.TRAINING_DATA).refs())


def test_the_tool_writes_down_the_code_and_grades_with_the_truth_if_there_is_any(
    training_stack: Stack, client: Callable[[str], Minio], graded: str, ungraded: dict[str, Any]
) -> None:
    answer = client("SCORER").get_object(BUCKET, f"models/moderation/graded/{METADATA}")
    metadata: dict[str, Any] = json.loads(answer.read())
    answer.close()
    assert metadata["code_revision"] == training_stack.environment("training")["CODE_REVISION"]
    assert metadata["metrics"]["planted_truth"]["images"] > 100
    assert ungraded["metrics"]["planted_truth"] is None


def test_the_role_has_the_rights_that_training_needs_and_no_others(
    training_stack: Stack, trainer: TrainingSettings
) -> None:
    with superuser_rows(training_stack) as rows:
        assert set(rows(RIGHTS)) == {("public", "scoring_mode", "SELECT")}
        columns = {("scoring_mode", name, "INSERT") for name in ("mode", "model_version", "changed_by")}
        assert set(rows(COLUMN_RIGHTS)) == columns
    with superuser_rows(training_stack, "iceberg_catalog") as rows:
        assert set(rows(RIGHTS)) == {
            ("public", name, right)
            for name in ("iceberg_tables", "iceberg_namespace_properties")
            for right in ("SELECT", "INSERT")
        }
        changed = {name for _, name, right in rows(COLUMN_RIGHTS) if right == "UPDATE"}
        assert changed == {"metadata_location", "previous_metadata_location"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM raw.users",
        "SELECT * FROM images",
        "SELECT * FROM moderation",
        "SELECT * FROM api_tokens",
        "UPDATE scoring_mode SET mode = 'model'",
        "DELETE FROM scoring_mode",
        "INSERT INTO scoring_mode (mode, changed_by, created_at) VALUES ('model', 'me', '2020-01-01')",
        "INSERT INTO model_versions VALUES ('mine', '{}', now(), now())",
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
    ],
)
def test_everything_else_is_refused(application: "psycopg2.extensions.cursor", statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        application.execute(statement)


def test_the_lakehouse_says_no_longer_who_decides(training_stack: Stack) -> None:
    with (
        psycopg2.connect(training_stack.environment("lakehouse")["DATABASE_URL"]) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.cursor().execute("INSERT INTO scoring_mode (mode, changed_by) VALUES ('model', 'me')")


def test_the_training_adds_tables_to_its_namespace_and_to_no_other(trainer: TrainingSettings) -> None:
    catalog = open_catalog(trainer)
    rows = pa.table({"number": pa.array([1, 2, 3], pa.int64())})
    made = catalog.create_table(f"{tables.MODERATION}.added", rows.schema)
    made.append(rows)
    assert open_catalog(trainer).load_table(f"{tables.MODERATION}.added").scan().to_arrow() == rows
    with pytest.raises(Exception, match=r"AccessDenied|ACCESS_DENIED|Access Denied"):
        catalog.create_table(f"{tables.NAMESPACE}.added", rows.schema)


def test_the_catalog_refuses_what_object_storage_would_allow(
    trainer: TrainingSettings, lakehouse: LakehouseSettings
) -> None:
    """Files below the training's own folder, registered for a table of the other namespace."""
    catalog = open_catalog(trainer)
    mine = f"{trainer.warehouse}/{tables.MODERATION}/stray"
    rows = pa.table({"number": pa.array([1], pa.int64())})
    with pytest.raises(Exception, match="row-level security policy"):
        catalog.create_table(f"{tables.NAMESPACE}.stray", rows.schema, location=mine)
    before = open_catalog(lakehouse).load_table(tables.EVENTS).metadata_location
    with psycopg2.connect(trainer.catalog_url.get_secret_value().replace("+psycopg2", "")) as connection:
        cursor = connection.cursor()
        cursor.execute("UPDATE iceberg_tables SET metadata_location = %s WHERE table_name = 'events'", (mine,))
        assert cursor.rowcount == 0
        with pytest.raises(InsufficientPrivilege):
            cursor.execute("DELETE FROM iceberg_tables")
    assert open_catalog(lakehouse).load_table(tables.EVENTS).metadata_location == before


def test_who_lost_the_race_for_a_table_is_told_so(trainer: TrainingSettings, lakehouse: LakehouseSettings) -> None:
    """Row-level security must not change what a commit that comes too late looks like."""
    rows = pa.table({"number": pa.array([1], pa.int64())})
    properties = {"commit.retry.num-retries": "0"}
    first = open_catalog(trainer).create_table(f"{tables.MODERATION}.raced", rows.schema, properties=properties)
    open_catalog(lakehouse).load_table(f"{tables.MODERATION}.raced").append(rows)
    with pytest.raises(CommitFailedException):
        first.append(rows)


def is_allowed(action: Callable[[], object]) -> bool:
    try:
        action()
    except S3Error as error:
        if error.code != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("models/moderation/try", True),
        ("warehouse/moderation/training_data/metadata/try", True),
        ("warehouse/event_aggregations/events/metadata/try", False),
        ("warehouse/try", False),
        ("raw/dt=2026-03-02/try", False),
        ("modelsandmore/try", False),
    ],
)
def test_object_storage_lets_the_training_write_below_two_folders(
    client: Callable[[str], Minio], key: str, may: bool
) -> None:
    client("LAKEHOUSE").put_object(BUCKET, key, io.BytesIO(b"theirs"), 6)
    trainer = client("TRAINER")
    trainer.get_object(BUCKET, key).close()
    assert is_allowed(lambda: trainer.put_object(BUCKET, key, io.BytesIO(b"mine"), 4)) == may
    assert is_allowed(lambda: trainer.remove_object(BUCKET, key)) == may


def test_the_training_does_not_reach_photos(client: Callable[[str], Minio]) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        list(client("TRAINER").list_objects("gourmetgram-images"))


def test_the_catalog_is_the_one_that_pyiceberg_would_make(training_stack: Stack) -> None:
    with superuser_rows(training_stack) as rows:
        rows("CREATE DATABASE catalog_by_pyiceberg")
    engine = create_engine(superuser_url(training_stack, "catalog_by_pyiceberg").replace("://", "+psycopg2://"))
    SqlCatalogBaseTable.metadata.create_all(engine)
    engine.dispose()
    found = []
    for database in ("catalog_by_pyiceberg", "iceberg_catalog"):
        with superuser_rows(training_stack, database) as rows:
            found.append([sorted(rows(sql)) for sql in (COLUMNS, KEYS)])
    theirs, ours = found
    assert len(theirs[0]) == 10
    assert ours[0] == theirs[0]
    assert set(theirs[1]) <= set(ours[1])  # the published sets have a key as well
