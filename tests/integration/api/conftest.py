"""Both versions of the API on one database and one object storage, which the tests look into by themselves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from minio import Minio

from labkit.stack import Stack
from tests.integration.api.people import Person, new_person
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api-logs")


@pytest.fixture(scope="session")
def v1(stack: Stack, logs: Path) -> Iterator[ApiProcess]:
    with ApiProcess(stack, "v1", logs / "v1.log") as api:
        yield api


@pytest.fixture(scope="session")
def v2(stack: Stack, logs: Path) -> Iterator[ApiProcess]:
    with ApiProcess(stack, "v2", logs / "v2.log", API_WORKERS="2") as api:
        yield api


@pytest.fixture(params=["v1", "v2"])
def api(request: pytest.FixtureRequest) -> ApiProcess:
    api: ApiProcess = request.getfixturevalue(request.param)
    return api


@pytest.fixture
def ana(api: ApiProcess) -> Person:
    return new_person(api)


@pytest.fixture
def ben(api: ApiProcess) -> Person:
    return new_person(api)


@pytest.fixture
def moderator(stack: Stack, api: ApiProcess) -> Person:
    return Person(api, stack.run("token", "--scope", "moderator").strip().splitlines()[-1])


@pytest.fixture
def importer(stack: Stack, api: ApiProcess) -> Person:
    return Person(api, stack.setting("IMPORT_TOKEN"))


@pytest.fixture
def events(rows: Rows) -> Callable[[int], list[dict[str, Any]]]:
    """The events of an image that wait in the outbox, oldest first."""

    def waiting(image_id: int) -> list[dict[str, Any]]:
        found = rows("SELECT payload, topic FROM outbox WHERE key = %s ORDER BY id", image_id)
        return [payload | {"topic": topic} for payload, topic in found]

    return waiting


@pytest.fixture
def objects(stack: Stack) -> Iterator[Callable[[], set[str]]]:
    """The names in the bucket."""
    keys = (stack.setting("S3_API_ACCESS_KEY"), stack.setting("S3_API_SECRET_KEY"))
    with urllib3.PoolManager() as pool:
        client = Minio(stack.address("minio"), *keys, secure=False, http_client=pool)
        yield lambda: {str(one.object_name) for one in client.list_objects("gourmetgram-images", recursive=True)}
