"""The Compose place on a real engine."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from labkit.paths import ROOT
from labkit.stack import Stack, StackError
from tests.compose import engine
from tests.compose.engine import docker


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL with its schema, in a project of its own."""
    stack = Stack.free(tmp_path_factory.mktemp("compose"), place="compose")
    try:
        stack.up("postgres", "migrate")
        yield stack
    finally:
        stack.destroy()


def states(stack: Stack) -> dict[str, str]:
    return {one.name: one.state for one in stack.ps()}


def test_lasting_services_run_and_one_shots_are_done(compose: Stack) -> None:
    assert states(compose) == {"postgres": "running", "migrate": "done"}
    socket.create_connection(("127.0.0.1", compose.port("postgres")), timeout=5).close()


def test_logs_are_what_the_service_wrote(compose: Stack) -> None:
    lines = compose.logs("migrate").splitlines()
    assert lines
    assert not any("\x1b" in line or line.startswith("migrate-1") for line in lines)


def test_a_tool_gets_arguments_and_returns_what_it_printed(compose: Stack) -> None:
    tokens = {compose.run("token", "--scope", "import").split()[-1] for _ in range(2)}
    assert len(tokens) == 2


def begun(stack: Stack, service: str) -> str:
    """When a service's container began last."""
    return str(engine.inspect(stack, service)["State"]["StartedAt"])


def test_a_tool_does_not_repeat_what_it_needs(compose: Stack) -> None:
    before = begun(compose, "migrate")
    compose.run("token", "--scope", "import")
    assert begun(compose, "migrate") == before


def test_a_tool_starts_what_it_needs(compose: Stack) -> None:
    compose.stop("postgres")
    assert compose.run("token", "--scope", "import")
    assert states(compose)["postgres"] == "running"


def test_what_was_stopped_is_stopped_and_not_failed(compose: Stack) -> None:
    compose.stop("postgres")
    assert states(compose)["postgres"] == "stopped"
    compose.up("postgres")
    assert states(compose)["postgres"] == "running"


def test_a_taken_port_names_its_service(compose: Stack) -> None:
    with (
        socket.create_server(("127.0.0.1", compose.port("adminer"))),
        pytest.raises(StackError, match="The service adminer did not start") as caught,
    ):
        compose.up("adminer")
    assert caught.value.service == "adminer"
    assert "LAB_PORT_OFFSET" in str(caught.value)


@pytest.fixture(scope="module")
def jupyter(compose: Stack) -> str:
    """The container of the JupyterLab beside the data."""
    compose.up("jupyter")
    return compose.containers()["jupyter"]


def status(compose: Stack, path: str, token: str = "") -> int:
    headers = {"Authorization": f"token {token}"} if token else {}
    return httpx.get(f"{compose.url('jupyter')}{path}", headers=headers).status_code


def test_jupyter_lets_in_who_has_the_token(compose: Stack, jupyter: str) -> None:
    assert status(compose, "/api/contents") == 403
    assert status(compose, "/api/contents", "wrong") == 403
    assert status(compose, "/api/contents", compose.setting("JUPYTER_TOKEN")) == 200
    assert compose.setting("JUPYTER_TOKEN") not in docker("top", jupyter, "-o", "pid,args")


def test_what_is_written_in_jupyter_belongs_to_the_owner_of_the_checkout(compose: Stack, jupyter: str) -> None:
    user = int(compose.setting("LAB_UID"))
    assert user > 0
    assert docker("exec", jupyter, "id", "-u") == str(user)
    file = ROOT / "work" / f"written-by-a-test-{jupyter}.txt"
    try:
        docker("exec", jupyter, "sh", "-c", f"echo kept > /lab/work/{file.name}")
        assert (file.read_text(), file.stat().st_uid) == ("kept\n", user)
    finally:
        file.unlink(missing_ok=True)
    for closed in ("/lab/notebooks/x", "/app/x", "/state/x"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            docker("exec", jupyter, "touch", closed)


def test_a_notebook_in_jupyter_has_what_the_training_needs(compose: Stack, jupyter: str) -> None:
    code = (
        "from labkit import lab; from gourmetgram.training.settings import TrainingSettings as Settings;"
        "from gourmetgram.lakehouse.catalog import open_catalog; import psycopg2;"
        "settings = Settings(**lab.environment('training').arguments); assert settings == Settings();"
        "catalog = open_catalog(settings); assert catalog.list_namespaces() == [];"
        "connection = psycopg2.connect(settings.database_url.get_secret_value()); cursor = connection.cursor();"
        "cursor.execute('SELECT mode FROM scoring_mode'); assert cursor.fetchall() == [('heuristic',)];"
        "print(lab.place, lab.address('api'), lab.run('training', '--help').split()[:2])"
    )
    assert docker("exec", jupyter, "python", "-c", code).splitlines()[-1] == ("inside api:8000 ['usage:', 'training']")


def test_jupyter_has_a_limit_and_cannot_gain_rights(compose: Stack, jupyter: str) -> None:
    told = engine.inspect(compose, "jupyter")["HostConfig"]
    assert told["Memory"] == 1024**3
    assert told["CapDrop"] == ["ALL"]
    assert told["SecurityOpt"] == ["no-new-privileges:true"]
    assert told["ReadonlyRootfs"]


def test_the_training_says_what_is_missing(compose: Stack) -> None:
    with pytest.raises(StackError, match=r"there is no moderation\.training_data yet; let moderation_training run"):
        compose.run("training", "train")
    with pytest.raises(StackError, match="no model is deployed yet"):
        compose.run("training", "mode", "model")


def test_in_a_container_what_takes_too_much_memory_is_ended(compose: Stack) -> None:
    compose.run("large-data", "write", "--rows", "500000")
    said = compose.run("large-data", "--json", "go", "whole", LARGE_DATA_MEMORY="450MiB")
    report = json.loads(said.splitlines()[-1])
    assert (report["ended"], report["limit"]) == ("out of memory", 450 * 2**20)
    assert compose.run("large-data", "go", "stream", LARGE_DATA_MEMORY="450MiB").startswith("ended: done")


def test_destroying_leaves_no_container_and_no_volume(tmp_path: Path) -> None:
    stack = Stack.free(tmp_path, place="compose")
    try:
        stack.up("postgres")
        project = engine.inspect(stack, "postgres")["Config"]["Labels"]["com.docker.compose.project"]
        its = f"--filter=label=com.docker.compose.project={project}"
        assert docker("ps", "--all", "--quiet", its)
        assert docker("volume", "ls", "--quiet", its)
    finally:
        stack.destroy()
    assert not docker("ps", "--all", "--quiet", its)
    assert not docker("volume", "ls", "--quiet", its)


def test_without_an_engine_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    stack = Stack.free(tmp_path, place="compose")
    with pytest.raises(StackError, match="Cannot connect to the Docker daemon"):
        stack.ps()
