"""The generator against the running API: what it wrote down is what the database has."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from labkit.stack import Stack

DEADLINE_SECONDS = 60
RUN_SECONDS = 120
SMALL_HISTORY = {"GENERATOR_HISTORY_USERS": 30, "GENERATOR_HISTORY_IMAGES": 50, "GENERATOR_HISTORY_EVENTS": 2000}


class Generator:
    """Starts generators with one state folder, and reads their ledger."""

    def __init__(self, stack: Stack, photos: Path, state: Path) -> None:
        self.state = state
        self.environment = os.environ | {
            "API_URL": stack.url("api"),
            "IMPORT_TOKEN": stack.setting("IMPORT_TOKEN"),
            "PHOTOS_DIR": str(photos),
            "STATE_DIR": str(state),
        }
        self.running: list[subprocess.Popen[str]] = []

    def start(self, mode: str, **settings: object) -> subprocess.Popen[str]:
        environment = self.environment | {"GENERATOR_MODE": mode} | {k: str(v) for k, v in settings.items()}
        command = [sys.executable, "-m", "gourmetgram.data_generator"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.running.append(process)
        return process

    def run(self, mode: str, **settings: object) -> str:
        process = self.start(mode, **settings)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == 0, output
        return output

    def ledger(self) -> list[dict[str, Any]]:
        path = self.state / "ledger.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, process: subprocess.Popen[str], reached: Callable[[list[dict[str, Any]]], bool]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not reached(self.ledger()):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, Counter(line["kind"] for line in self.ledger())
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[str], sig: signal.Signals) -> str:
        process.send_signal(sig)
        return process.communicate(timeout=10)[0]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for service in ("extract_photos", "transform_photos"):
        command = [sys.executable, "-m", f"gourmetgram.setup.{service}"]
        subprocess.run(command, env=os.environ | {"PHOTOS_DIR": str(folder)}, check=True)
    return folder


@pytest.fixture(scope="session")
def running(stack: Stack) -> Stack:
    stack.up("api_v1")
    return stack


@pytest.fixture
def generator(running: Stack, photos: Path, tmp_path: Path) -> Iterator[Generator]:
    made = Generator(running, photos, tmp_path / "state")
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def rows(running: Stack) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    host, port = running.address("postgres").split(":")
    connection = psycopg2.connect(
        host=host, port=port, dbname="gourmetgram", user="postgres", password=running.setting("POSTGRES_PASSWORD")
    )
    connection.autocommit = True

    def select(sql: str, *values: object) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    yield select
    connection.close()


def has(count: int, ledger: list[dict[str, Any]]) -> bool:
    return len(ledger) >= count


Rows = Callable[..., list[tuple[Any, ...]]]


def assert_rows_equal_ledger(rows: Rows, ledger: list[dict[str, Any]]) -> None:
    """What these people did, according to the database and according to the ledger."""
    users = [line["id"] for line in ledger if line["kind"] == "user"]
    assert len({line["key"] for line in ledger}) == len(ledger), "every write stands in the ledger once"
    for table, kind in (("images", "upload"), ("comments", "comment"), ("flags", "flag")):
        found = sorted(row[0] for row in rows(f"SELECT id FROM {table} WHERE user_id = ANY(%s)", users))
        assert found == sorted(line["id"] for line in ledger if line["kind"] == kind), table
    views = Counter(line["image_id"] for line in ledger if line["kind"] == "view")
    assert dict(rows("SELECT id, views FROM images WHERE user_id = ANY(%s) AND views > 0", users)) == dict(views)
    deleted = rows("SELECT id FROM images WHERE user_id = ANY(%s) AND deleted_at IS NOT NULL", users)
    assert sorted(row[0] for row in deleted) == sorted(line["id"] for line in ledger if line["kind"] == "deletion")


def test_a_burst_is_exact_and_flags_come_first(generator: Generator, rows: Rows) -> None:
    image = burst_image(generator.run("simulate_viral"))
    assert rows("SELECT views FROM images WHERE id = %s", image) == [(110,)]
    ((flags, last_flag),) = rows("SELECT count(*), max(created_at) FROM flags WHERE image_id = %s", image)
    ((comments, first),) = rows("SELECT count(*), min(created_at) FROM comments WHERE image_id = %s", image)
    assert (flags, comments) == (2, 8)
    assert last_flag < first
    kinds = [line["kind"] for line in generator.ledger() if line["image_id"] == image]
    assert kinds[:3] == ["upload", "flag", "flag"]
    assert_rows_equal_ledger(rows, generator.ledger())


def test_a_second_burst_on_the_same_image_adds_to_it(generator: Generator, rows: Rows) -> None:
    sizes = {"GENERATOR_BURST_VIEWS": 12, "GENERATOR_BURST_COMMENTS": 3, "GENERATOR_BURST_FLAGS": 5}
    image = burst_image(generator.run("simulate_viral", **sizes))
    again = burst_image(generator.run("simulate_viral", **sizes, GENERATOR_TARGET_IMAGE_ID=image))
    assert again == image
    assert rows("SELECT views FROM images WHERE id = %s", image) == [(24,)]
    assert rows("SELECT count(*) FROM flags WHERE image_id = %s", image) == [(10,)]
    assert_rows_equal_ledger(rows, generator.ledger())


def burst_image(output: str) -> int:
    found = re.search(r"^viral image id: (\d+)$", output, re.MULTILINE)
    assert found, output
    return int(found[1])


def test_live_traffic_continues_after_a_kill_with_the_same_people(generator: Generator, rows: Rows) -> None:
    settings = {"GENERATOR_ARRIVAL_RATE": 3_600_000, "GENERATOR_INITIAL_USERS": 20, "GENERATOR_INITIAL_IMAGES": 15}
    for round_number in range(1, 4):
        process = generator.start("poisson", **settings)
        generator.wait_for(process, partial(has, 600 * round_number))
        generator.stop(process, signal.SIGKILL)
    before = {line["id"] for line in generator.ledger() if line["kind"] == "user"}
    process = generator.start("poisson", **settings)
    reached = len(generator.ledger()) + 500
    generator.wait_for(process, partial(has, reached))
    output = generator.stop(process, signal.SIGTERM)
    assert process.returncode == 0, output
    assert "continuing after a restart" in output
    ledger = generator.ledger()
    users = {line["id"] for line in ledger if line["kind"] == "user"}
    assert before <= users
    assert len(users) - len(before) < 60, "no second set of initial people"
    assert before & {line["user_id"] for line in ledger[-300:]}, "people of before the kill go on"
    assert_rows_equal_ledger(rows, ledger)


def test_the_same_seed_decides_the_same(generator: Generator, rows: Rows, tmp_path: Path) -> None:
    """Two worlds of one seed on one database: only ids, times and (taken) names differ."""
    settings = {"GENERATOR_ARRIVAL_RATE": 3_600_000, "GENERATOR_SEED": 7}
    told = []
    for name in ("first", "second"):
        generator.state = tmp_path / name
        generator.environment["STATE_DIR"] = str(generator.state)
        process = generator.start("poisson", **settings)
        generator.wait_for(process, partial(has, 300))
        generator.stop(process, signal.SIGTERM)
        users = [line["id"] for line in generator.ledger() if line["kind"] == "user"]
        told.append(
            rows("SELECT caption, category FROM images WHERE user_id = ANY(%s) ORDER BY caption, category", users)
        )
    common = min(len(part) for part in told)
    assert common >= 40
    shared = Counter(told[0]) & Counter(told[1])
    assert shared.total() == common


def test_a_history_is_exact_and_importing_it_again_changes_nothing(generator: Generator, rows: Rows) -> None:
    generator.run("history", **SMALL_HISTORY, GENERATOR_SEED=11)
    counts = Counter(line["kind"] for line in generator.ledger())
    assert (counts["user"], counts["upload"]) == (30, 50)
    assert counts["view"] + counts["comment"] + counts["flag"] == 2000
    assert_history(rows, generator.ledger())
    generator.run("history", **SMALL_HISTORY, GENERATOR_SEED=11)
    (progress,) = generator.state.glob("history-*")
    (progress / "done").unlink()
    (progress / "batches.jsonl").unlink()
    generator.run("history", **SMALL_HISTORY, GENERATOR_SEED=11)
    assert Counter(line["kind"] for line in generator.ledger()) == counts
    assert_history(rows, generator.ledger())


def test_a_history_that_was_killed_is_completed(generator: Generator, rows: Rows) -> None:
    settings = SMALL_HISTORY | {"GENERATOR_HISTORY_EVENTS": 40_000, "GENERATOR_SEED": 12}
    process = generator.start("history", **settings)
    generator.wait_for(process, lambda ledger: any(line["kind"] == "view" for line in ledger))
    generator.stop(process, signal.SIGKILL)
    generator.run("history", **settings)
    counts = Counter(line["kind"] for line in generator.ledger())
    assert counts["view"] + counts["comment"] + counts["flag"] == 40_000
    assert_history(rows, generator.ledger())


def assert_history(rows: Rows, ledger: list[dict[str, Any]]) -> None:
    """Imported rows equal the ledger; comments and flags have no id there, so they are counted by image and person."""
    users = [line["id"] for line in ledger if line["kind"] == "user"]
    images = rows("SELECT id, source, views FROM images WHERE user_id = ANY(%s)", users)
    assert sorted(row[0] for row in images) == sorted(line["id"] for line in ledger if line["kind"] == "upload")
    assert {row[1] for row in images} == {"import"}
    views = Counter(line["image_id"] for line in ledger if line["kind"] == "view")
    assert {row[0]: row[2] for row in images if row[2]} == dict(views)
    for table, kind in (("comments", "comment"), ("flags", "flag")):
        found = Counter(rows(f"SELECT image_id, user_id FROM {table} WHERE user_id = ANY(%s)", users))
        assert found == Counter((line["image_id"], line["user_id"]) for line in ledger if line["kind"] == kind)


def test_hidden_truth_is_complete_and_private(generator: Generator) -> None:
    generator.run("history", **SMALL_HISTORY, GENERATOR_SEED=13)
    folder = generator.state / "truth"
    truth = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    assert {line["image_id"] for line in truth} == {
        line["id"] for line in generator.ledger() if line["kind"] == "upload"
    }
    assert 0 < sum(line["harmful"] for line in truth) <= 6
    assert folder.stat().st_mode & 0o077 == 0


def test_a_token_of_another_database_is_explained(generator: Generator) -> None:
    settings = {"GENERATOR_ARRIVAL_RATE": 360_000, "GENERATOR_INITIAL_USERS": 2, "GENERATOR_INITIAL_IMAGES": 1}
    process = generator.start("poisson", **settings)
    generator.wait_for(process, partial(has, 5))
    generator.stop(process, signal.SIGTERM)
    (tokens,) = generator.state.glob("live-*/tokens.jsonl")
    tokens.write_text(re.sub(r'"token":"[^"]*"', '"token":"unknown"', tokens.read_text()))
    process = generator.start("poisson", **settings)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "belongs to another database" in output
    assert "Traceback" not in output
