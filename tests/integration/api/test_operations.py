"""Health, figures, documentation, logs and headers."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from labkit.stack import Stack
from tests.integration.api.people import Person, assert_refused, new_person
from tests.integration.api.servers import ApiProcess
from tests.support.database import Rows
from tests.support.processes import wait_until


def figure(api: ApiProcess, name: str, **labels: str) -> float:
    text = api.http.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def test_health_names_every_dependency(api: ApiProcess) -> None:
    answer = api.http.get("/health")
    kafka = "up" if api.streaming else "off"
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "version": api.version,
        "kafka_enabled": api.streaming,
        "dependencies": {"postgres": "up", "object_storage": "up", "kafka": kafka},
    }


def test_without_a_broker_the_api_is_degraded_and_works(stack: Stack, tmp_path: Path, rows: Rows) -> None:
    with ApiProcess(stack, "v2", tmp_path / "log", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") as api:
        answer = api.http.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["dependencies"]["kafka"] == "down"
        image = new_person(api).image()
    assert rows("SELECT count(*) FROM outbox WHERE key = %s", image) == [(1,)]


def test_requests_are_counted_over_all_workers(v2: ApiProcess) -> None:
    ana = new_person(v2)
    image = ana.image()
    labels = {"method": "POST", "route": "/images/{image_id}/view", "status": "201"}
    before = figure(v2, "api_requests_total", **labels)
    for _ in range(20):
        ana.view(image)
    assert figure(v2, "api_requests_total", **labels) == before + 20
    missing = {"method": "GET", "route": "/images/{image_id}", "status": "404"}
    before = figure(v2, "api_requests_total", **missing)
    ana.get(f"/images/{2**62}")
    assert figure(v2, "api_requests_total", **missing) == before + 1


def test_the_number_of_routes_in_the_figures_is_bounded(v1: ApiProcess) -> None:
    for number in range(5):
        assert_refused(v1.http.get(f"/no/such/page/{number}"), 404)
    assert "no/such" not in v1.http.get("/metrics").text


def test_a_request_carries_an_id(api: ApiProcess) -> None:
    first, second = (api.http.get("/images/").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    assert api.http.get("/images/", headers={"X-Request-ID": "my-own.1"}).headers["X-Request-ID"] == "my-own.1"
    evil = api.http.get("/images/", headers={"X-Request-ID": "a b" * 50}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", evil)


def test_a_mistake_of_ours_is_answered_in_the_same_shape_and_logged(v1: ApiProcess, rows: Rows) -> None:
    image = new_person(v1).image()
    rows("ALTER TABLE moderation RENAME TO elsewhere")
    try:
        answer = v1.http.get(f"/images/{image}/moderation", headers={"X-Request-ID": "broken-1"})
    finally:
        rows("ALTER TABLE elsewhere RENAME TO moderation")
    assert "broken-1" in assert_refused(answer, 500, "internal_error")
    assert "elsewhere" not in answer.text
    wait_until(lambda: "UndefinedTableError" in v1.log(), "the log tells it")
    (logged,) = (json.loads(line) for line in v1.log().splitlines() if "UndefinedTableError" in line)
    assert (logged["request_id"], logged["level"]) == ("broken-1", "error")


def test_the_documentation_needs_no_other_host(api: ApiProcess) -> None:
    page = api.http.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(addresses) >= 3
    assert re.findall(r"https?://[^\s\"'<]+", page.text) == []
    for address in addresses:
        assert api.http.get(address).status_code == 200, address


def test_the_documentation_knows_tokens_and_refusals(api: ApiProcess) -> None:
    document = api.http.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["HTTPBearer"] == {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that POST /users/ returned",
    }
    for path, method in (("/comments/", "post"), ("/upload/", "post"), ("/images/{image_id}", "delete")):
        operation = document["paths"][path][method]
        assert operation["security"] == [{"HTTPBearer": []}]
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"401", "403", "410" if "upload" not in path else "415", "422", "503"} <= refusals.keys()
        for answer in refusals.values():
            schema = answer["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_what_does_not_exist_is_refused_in_the_same_shape(api: ApiProcess) -> None:
    assert_refused(api.http.get("/nowhere"), 404)
    assert_refused(api.http.put("/users/"), 405)


@pytest.mark.parametrize("scope", ["import", "moderator"])
def test_a_token_is_printed_once_and_only_its_hash_is_kept(
    stack: Stack, v1: ApiProcess, rows: Rows, scope: str
) -> None:
    token = stack.run("token", "--scope", scope).strip().splitlines()[-1]
    kept = rows("SELECT scope, user_id FROM api_tokens WHERE token_hash = sha256(%s::bytea)", token.encode())
    assert kept == [(scope, None)]
    assert "scope" in assert_refused(Person(v1, token).view(1), 403, "wrong_scope")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stopped_api_leaves_no_files_behind(stack: Stack, tmp_path: Path, workers: str) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    with ApiProcess(stack, "v1", tmp_path / "log", API_WORKERS=workers, TMPDIR=str(folder)) as api:
        assert api.http.get("/health").status_code == 200
        assert list(folder.iterdir())
    assert list(folder.iterdir()) == []
    assert "rror" not in api.log()
