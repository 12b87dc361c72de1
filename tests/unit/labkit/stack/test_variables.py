"""What a notebook gets to do a service's work, in both places, from the real Compose file."""

import json
import pprint
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.lib.pretty import pretty

from gourmetgram.training.settings import TrainingSettings
from labkit.paths import ROOT
from labkit.stack import Stack, secrets
from labkit.stack.local_services import on_this_machine
from labkit.stack.variables import Variables

PLACES = ("embedded", "compose")
SHOWN: list[Callable[[object], str]] = [repr, str, pretty, pprint.pformat, lambda value: f"{value}"]


@pytest.fixture(params=PLACES)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    return Stack(tmp_path, request.param, port_offset=100)


def test_addresses_are_those_of_this_machine(stack: Stack) -> None:
    told = stack.environment("training")
    password = stack.setting("TRAINER_DB_PASSWORD")
    assert told["S3_ENDPOINT"] == "http://127.0.0.1:9100"
    assert told["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:19192"
    assert told["DATABASE_URL"] == f"postgresql://trainer:{password}@127.0.0.1:5532/gourmetgram"
    assert told["CATALOG_URL"] == f"postgresql+psycopg2://trainer:{password}@127.0.0.1:5532/iceberg_catalog"
    assert told["S3_SECRET_KEY"] == stack.setting("S3_TRAINER_SECRET_KEY")
    assert told["MODEL_SIGNING_KEY"] == stack.setting("MODEL_SIGNING_KEY")


def test_the_training_understands_all_of_it(stack: Stack) -> None:
    told = stack.environment("training")
    settings = TrainingSettings(**told.arguments)  # type: ignore[arg-type]
    assert settings.s3_endpoint == told["S3_ENDPOINT"]
    assert settings.database_url.get_secret_value() == told["DATABASE_URL"]
    assert settings.model_signing_key.get_secret_value() == told["MODEL_SIGNING_KEY"]
    assert settings.code_revision == told["CODE_REVISION"]


def test_a_volume_is_a_folder_here_or_left_out(tmp_path: Path) -> None:
    embedded, compose = (Stack(tmp_path, place, port_offset=0).environment("training") for place in PLACES)
    assert embedded["TRUTH_FILE"] == str(tmp_path / "volumes/generator/truth/images.jsonl")
    assert "TRUTH_FILE" not in compose
    assert set(embedded) == {*compose, "TRUTH_FILE"}


def test_the_tool_is_told_the_same_as_the_notebook(tmp_path: Path) -> None:
    """Whatever a process of this service gets beyond that is the place's own business."""
    from labkit.stack.embedded import Embedded

    stack = Stack(tmp_path, "embedded", port_offset=0)
    assert isinstance(stack._place, Embedded)
    services = stack._place._services
    process = services.process(services.service("training", {}))
    assert stack.environment("training").items() <= process.environment.items()


@pytest.mark.parametrize("show", SHOWN)
def test_no_way_to_show_it_shows_a_secret(stack: Stack, show: Callable[[object], str]) -> None:
    hidden = [value for value in secrets.read().values() if len(value) >= secrets.LENGTH]
    for name in ("training", "lakehouse", "minio-init", "airflow-webserver"):
        told = stack.environment(name)
        assert any(secret in value for value in told.values() for secret in hidden), name
        for shown in (show(told), show(told.arguments), show([told])):
            assert not [secret for secret in hidden if secret in shown], name
            assert "S3_ENDPOINT".lower() in shown.lower() or name == "airflow-webserver"


def test_it_is_a_dict_all_the_same() -> None:
    told = Variables(A="1", B="2")
    assert (told["A"], dict(told), json.loads(json.dumps(told))) == ("1", {"A": "1", "B": "2"}, {"A": "1", "B": "2"})
    assert told.arguments == {"a": "1", "b": "2"}


def test_only_mounts_and_what_is_below_them_become_folders() -> None:
    folders = {"/state": "/here/generator", "/photos": "/here/photos"}
    assert on_this_machine("/state", folders) == "/here/generator"
    assert on_this_machine("/state/truth/images.jsonl", folders) == "/here/generator/truth/images.jsonl"
    assert on_this_machine("/stately", folders) == "/stately"
    assert on_this_machine("http://host/state", folders) == "http://host/state"
    assert on_this_machine("/photos/state", folders) == "/here/photos/state"


def test_the_code_revision_reaches_the_tool_in_both_places(stack: Stack) -> None:
    from labkit.revision import code_revision

    assert stack.environment("training")["CODE_REVISION"] == code_revision(ROOT)
