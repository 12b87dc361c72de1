"""The generator against the running API: what it wrote down is what the database has."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from labkit.stack import Stack
from tests.support.database import Rows
from tests.support.processes import ServiceProcess, wait_until

DEADLINE_SECONDS = 60
RUN_SECONDS = 120
SMALL_HISTORY = {"GENERATOR_HISTORY_USERS": 30, "GENERATOR_HISTORY_IMAGES": 50, "GENERATOR_HISTORY_EVENTS": 2000}


class Generator:
    """Starts generators with one state folder, and reads their ledger."""

    def __init__(self, stack: Stack, photos: Path, folder: Path) -> None:
        self.state = folder / "state"
        self._folder = folder
        self._environment = {
            "API_URL": stack.url("api"),
            "IMPORT_TOKEN": stack.setting("IMPORT_TOKEN"),
            "PHOTOS_DIR": str(photos),
        }
        self._numbers = count(1)

    def process(self, mode: str, **settings: object) -> ServiceProcess:
        own = {"GENERATOR_MODE": mode, "STATE_DIR": str(self.state)} | {k: str(v) for k, v in settings.items()}
        log = self._folder / f"{next(self._numbers)}.log"
        return ServiceProcess("data_generator", log, self._environment | own)

    def run(self, mode: str, **settings: object) -> str:
        with self.process(mode, **settings) as process:
            assert process.wait(RUN_SECONDS) == 0, process.log()
        return process.log()

    def ledger(self) -> list[dict[str, Any]]:
        path = self.state / "ledger.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, process: ServiceProcess, reached: Callable[[list[dict[str, Any]]], bool]) -> None:
        def reached_or_ended() -> bool:
            assert process.runs, process.log()
            return reached(self.ledger())

        wait_until(reached_or_ended, "the ledger has enough", DEADLINE_SECONDS)


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
def generator(running: Stack, photos: Path, tmp_path: Path) -> Generator:
    return Generator(running, photos, tmp_path)


def has(number: int, ledger: list[dict[str, Any]]) -> bool:
    return len(ledger) >= number


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
        with generator.process("poisson", **settings) as process:
            generator.wait_for(process, partial(has, 600 * round_number))
            process.kill()
    before = {line["id"] for line in generator.ledger() if line["kind"] == "user"}
    reached = len(generator.ledger()) + 500
    with generator.process("poisson", **settings) as process:
        generator.wait_for(process, partial(has, reached))
        assert process.stop() == 0, process.log()
    assert "continuing after a restart" in process.log()
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
        with generator.process("poisson", **settings) as process:
            generator.wait_for(process, partial(has, 300))
            process.stop()
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
    with generator.process("history", **settings) as process:
        generator.wait_for(process, lambda ledger: any(line["kind"] == "view" for line in ledger))
        process.kill()
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


@pytest.mark.parametrize("signals", ["real", "none"])
def test_hidden_truth_is_complete_and_private(generator: Generator, signals: str) -> None:
    """The same seed without signals is another world, and fits beside the first one."""
    generator.run("history", **SMALL_HISTORY, GENERATOR_SEED=13, GENERATOR_SIGNALS=signals)
    folder = generator.state / "truth"
    truth = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    assert {line["image_id"] for line in truth} == {
        line["id"] for line in generator.ledger() if line["kind"] == "upload"
    }
    assert 0 < sum(line["harmful"] for line in truth) <= 6
    assert folder.stat().st_mode & 0o077 == 0


def test_a_token_of_another_database_is_explained(generator: Generator) -> None:
    settings = {"GENERATOR_ARRIVAL_RATE": 360_000, "GENERATOR_INITIAL_USERS": 2, "GENERATOR_INITIAL_IMAGES": 1}
    with generator.process("poisson", **settings) as process:
        generator.wait_for(process, partial(has, 5))
        process.stop()
    (tokens,) = generator.state.glob("live-*/tokens.jsonl")
    tokens.write_text(re.sub(r'"token":"[^"]*"', '"token":"unknown"', tokens.read_text()))
    with generator.process("poisson", **settings) as process:
        assert process.wait(30) == 1
    assert "belongs to another database" in process.log()
    assert "Traceback" not in process.log()
