"""Models in service: taken over whole within seconds, or refused with a reason while decisions go on as before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow.fs
import pytest

from gourmetgram.core import model_files
from gourmetgram.core.features import FEATURES
from gourmetgram.training import artifacts
from gourmetgram.training.store import ArrowFolder
from labkit.stack import Stack
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess
from tests.support.models import trained
from tests.support.processes import wait_until
from tests.support.requests import asked

KEY = b"the key of this lab, and no other"
SECONDS = 30
"""Within which a new model decides, see promise 9."""


@pytest.fixture(scope="module")
def shelf(stack: Stack) -> ArrowFolder:
    """A folder of models that nobody else uses."""
    stack.up("minio-init")
    return ArrowFolder(storage_of(stack, "LAKEHOUSE"), "gourmetgram-datalake/models/served")


def storage_of(stack: Stack, user: str) -> pyarrow.fs.S3FileSystem:
    """Object storage, with the rights of one of its users."""
    return pyarrow.fs.S3FileSystem(
        access_key=stack.setting(f"S3_{user}_ACCESS_KEY"),
        secret_key=stack.setting(f"S3_{user}_SECRET_KEY"),
        endpoint_override=stack.address("minio"),
        scheme="http",
        region="us-east-1",
    )


@contextmanager
def scorer(stack: Stack, log: Path) -> Iterator[ScorerProcess]:
    variables = {
        "S3_ENDPOINT": stack.url("minio"),
        "S3_ACCESS_KEY": stack.setting("S3_SCORER_ACCESS_KEY"),
        "S3_SECRET_KEY": stack.setting("S3_SCORER_SECRET_KEY"),
        "MODELS": "s3://gourmetgram-datalake/models/served",
        "MODEL_SIGNING_KEY": KEY.decode(),
        "SCORER_DEPLOYMENT_SECONDS": "0.2",
        "LOG_FORMAT": "text",
    }
    with ScorerProcess(stack, log, **variables) as process:
        yield process


def set_mode(desk: Desk, mode: str) -> None:
    desk.rows("INSERT INTO scoring_mode (mode, changed_by) VALUES (%s, 'a test')", mode)


@pytest.fixture(autouse=True)
def rules_again(stack: Stack) -> Iterator[None]:
    yield
    with Desk.at(stack) as desk:
        set_mode(desk, "heuristic")


def publish(shelf: ArrowFolder, version: str, seed: int) -> None:
    artifacts.publish(shelf, trained(seed, version), {}, KEY)


def is_there(shelf: ArrowFolder, version: str) -> bool:
    try:
        return bool(shelf.read(f"{version}/metadata.json"))
    except FileNotFoundError:
        return False


def is_serving(process: ScorerProcess, mode: str, version: str) -> bool:
    """Whether this is who decides now; its log also tells who did before."""
    return f'scorer_serving{{mode="{mode}",model_version="{version}"}}' in httpx.get(f"{process.url}/metrics").text


def serves(process: ScorerProcess, mode: str, version: str) -> None:
    wait_until(partial(is_serving, process, mode, version), f"{version} decides in mode {mode}", SECONDS)


def says(process: ScorerProcess, text: str) -> None:
    wait_until(lambda: text in process.log(), f"the scorer says {text!r}", SECONDS)


def decided(desk: Desk, **counts: Any) -> list[dict[str, Any]]:
    """All decisions of a new request."""
    request = asked(desk.some_image(), **counts)
    desk.ask(request)
    wait_until(lambda: bool(desk.decisions(request)), "it is decided", SECONDS)
    return desk.decisions(request)


def test_shadow_then_model_then_rules_without_a_restart(
    stack: Stack, desk: Desk, shelf: ArrowFolder, log: Path
) -> None:
    publish(shelf, "v1", seed=1)
    with scorer(stack, log) as process:
        (rules,) = decided(desk, views_5min=120)
        assert (rules["inference_mode"], rules["served"]) == ("heuristic", True)
        artifacts.deploy(shelf, "v1", KEY)
        set_mode(desk, "shadow")
        serves(process, "shadow", "v1")
        heard, unheard = sorted(decided(desk, views_5min=120), key=lambda row: not row["served"])
        assert (heard["inference_mode"], heard["risk_score"]) == ("heuristic", 0.2)
        assert (unheard["inference_mode"], unheard["model_version"]) == ("model", "v1")
        row = np.array([[unheard["features"][name] for name in FEATURES]])
        assert unheard["risk_score"] == pytest.approx(trained(1).score(row)[0], rel=1e-9)
        set_mode(desk, "model")
        serves(process, "model", "v1")
        heard, unheard = sorted(decided(desk, views_5min=120), key=lambda row: not row["served"])
        assert (heard["inference_mode"], heard["model_version"]) == ("model", "v1")
        assert (unheard["inference_mode"], unheard["served"]) == ("heuristic", False)
        set_mode(desk, "heuristic")
        serves(process, "heuristic", "v1")
        (rules,) = decided(desk)
        assert (rules["inference_mode"], rules["served"]) == ("heuristic", True)
    loaded = desk.rows("SELECT metadata ->> 'version', loaded_at IS NOT NULL FROM model_versions WHERE version = 'v1'")
    assert loaded == [("v1", True)]


def test_the_scorer_may_read_models_and_nothing_else(stack: Stack, shelf: ArrowFolder) -> None:
    shelf.write("readable.txt", b"models")
    shelf._storage.open_output_stream("gourmetgram-datalake/raw/people.txt").close()
    own = storage_of(stack, "SCORER")
    assert ArrowFolder(own, "gourmetgram-datalake/models/served").read("readable.txt") == b"models"
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        own.open_input_stream("gourmetgram-datalake/raw/people.txt").read()
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        ArrowFolder(own, "gourmetgram-datalake/models/served").write("mine.txt", b"written")


def damaged(shelf: ArrowFolder) -> str:
    content = bytearray(shelf.read("bad/model.joblib"))
    content[len(content) // 2] ^= 1
    shelf.write("bad/model.joblib", bytes(content))
    return "model.joblib"


def unsigned(shelf: ArrowFolder) -> str:
    metadata = json.loads(shelf.read("bad/metadata.json"))
    shelf.write("bad/metadata.json", json.dumps(metadata | {"seed": 8}).encode())
    return "was not signed with this lab's key"


def of_other_features(shelf: ArrowFolder) -> str:
    metadata = json.loads(shelf.read("bad/metadata.json"))
    metadata["features"] = list(reversed(metadata["features"]))
    metadata["signature"] = model_files.signature(metadata, KEY)
    shelf.write("bad/metadata.json", json.dumps(metadata).encode())
    return "trained on other features"


def half_uploaded(shelf: ArrowFolder) -> str:
    shelf._storage.delete_file(f"{shelf._root}/bad/scaler.joblib")
    return "scaler.joblib"


@pytest.mark.parametrize("spoil", [damaged, unsigned, of_other_features, half_uploaded])
def test_a_model_that_must_not_be_used_is_refused_while_decisions_go_on(
    stack: Stack, desk: Desk, shelf: ArrowFolder, log: Path, spoil: Any
) -> None:
    if not is_there(shelf, "good"):
        publish(shelf, "good", seed=1)
    artifacts.deploy(shelf, "good", KEY)
    set_mode(desk, "model")
    with scorer(stack, log) as process:
        assert {row["model_version"] for row in decided(desk)} == {"", "good"}
        if is_there(shelf, "bad"):
            shelf._storage.delete_dir(f"{shelf._root}/bad")
        publish(shelf, "bad", seed=2)
        reason = spoil(shelf)
        shelf.write("latest.json", json.dumps({"version": "bad"}).encode())
        says(process, reason)
        assert "nothing is taken over" in process.log()
        assert {row["model_version"] for row in decided(desk) if row["served"]} == {"good"}
        publish(shelf, f"mended-{spoil.__name__}", seed=3)
        artifacts.deploy(shelf, f"mended-{spoil.__name__}", KEY)
        serves(process, "model", f"mended-{spoil.__name__}")
        assert {row["model_version"] for row in decided(desk) if row["served"]} == {f"mended-{spoil.__name__}"}
        assert process.metric("scorer_failures_total") == 0


def test_without_object_storage_the_model_at_hand_goes_on(
    stack: Stack, desk: Desk, shelf: ArrowFolder, log: Path
) -> None:
    if not is_there(shelf, "stays"):
        publish(shelf, "stays", seed=1)
    artifacts.deploy(shelf, "stays", KEY)
    set_mode(desk, "model")
    with scorer(stack, log) as process:
        assert {row["model_version"] for row in decided(desk) if row["served"]} == {"stays"}
        stack.stop("minio")
        try:
            says(process, "StorageAway")
            assert {row["model_version"] for row in decided(desk) if row["served"]} == {"stays"}
            set_mode(desk, "shadow")
            serves(process, "shadow", "stays")
        finally:
            stack.up("minio")


def test_twenty_reloads_under_ten_thousand_requests_lose_no_decision(
    stack: Stack, desk: Desk, shelf: ArrowFolder, log: Path
) -> None:
    for number in range(2):
        publish(shelf, f"swap-{number}", seed=number)
    artifacts.deploy(shelf, "swap-0", KEY)
    set_mode(desk, "model")
    images = [desk.some_image() for _ in range(20)]
    requests = [asked(images[number % 20], "flagged", str(number), total_flags=1) for number in range(10_000)]
    with scorer(stack, log) as process:
        for number in range(20):
            desk.ask(*requests[500 * number : 500 * (number + 1)])
            version = f"swap-{(number + 1) % 2}"
            shelf.write("latest.json", json.dumps({"version": version}).encode())
            serves(process, "model", version)
        wait_until(lambda: process.metric("scorer_lag") == 0, "all is decided", 60)
        assert process.metric("scorer_failures_total") == 0
    found = desk.rows(
        "SELECT count(*) FILTER (WHERE served), count(DISTINCT inference_request_id), count(DISTINCT model_version)"
        " FROM moderation WHERE inference_request_id = ANY (%s::uuid[])",
        [str(one.request_id) for one in requests],
    )
    assert found == [(10_000, 10_000, 3)]
