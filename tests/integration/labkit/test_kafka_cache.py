"""The first broker writes Java's cache when it is stopped, and the next one starts from it."""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.stack import Stack
from labkit.stack.servers import kafka, kafka_aot


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kafka.jars()  # these stay where they are
    monkeypatch.setattr(kafka_aot, "CACHE", tmp_path)
    return tmp_path / "kafka-aot"


@pytest.fixture(scope="module")
def recorded(short_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """A stack whose broker was the first one, and has been stopped; and the folder with what it has written."""
    folder = tmp_path_factory.mktemp("first")
    stack = Stack.free(short_folder / "kafka-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_aot, "CACHE", folder)
        patch.setattr(kafka.Kafka, "stop_seconds", 120)  # however busy this machine is
        stack.up("redpanda")
        assert kafka_aot.use(kafka._java()) == []
        stack.down()
    yield stack, folder / "kafka-aot"
    stack.destroy()


@pytest.fixture
def cache_to_check(recorded: tuple[Stack, Path], empty_cache: Path) -> Path:
    """A cache that holds what the first broker has written, and that nobody has used."""
    return Path(shutil.copytree(recorded[1], empty_cache))


def test_the_second_broker_starts_from_what_the_first_recorded(
    recorded: tuple[Stack, Path], cache_to_check: Path
) -> None:
    stack, _ = recorded
    (written,) = cache_to_check.glob("*.new")
    stack.up("redpanda")
    assert f"-XX:AOTCache={written.with_suffix('.aot')}" in (stack.home / "processes/redpanda.json").read_text()
    assert not written.exists()


def test_brokers_that_find_the_cache_at_the_same_time_all_use_it(cache_to_check: Path) -> None:
    java = kafka._java()
    with ThreadPoolExecutor(4) as pool:
        options = list(pool.map(lambda _: kafka_aot.use(java), range(4)))
    (cache,) = cache_to_check.glob("*.aot")
    assert options == [[f"-XX:AOTCache={cache}"]] * 4


def test_one_broker_records_and_others_start_without(empty_cache: Path) -> None:
    java = kafka._java()
    (option,) = kafka_aot.use_or_record(java)
    assert option.startswith("-XX:AOTCacheOutput=")
    assert kafka_aot.use_or_record(java) == []


def test_a_recording_that_never_ended_is_tried_again(empty_cache: Path) -> None:
    java = kafka._java()
    first = kafka_aot.use_or_record(java)
    (claim,) = empty_cache.glob("*.recording")
    long_ago = time.time() - kafka_aot.RECORDING_SECONDS - 1
    os.utime(claim, (long_ago, long_ago))
    assert kafka_aot.use_or_record(java) == first


def test_a_cache_that_is_half_written_is_not_used(empty_cache: Path) -> None:
    java = kafka._java()
    (option,) = kafka_aot.use_or_record(java)
    Path(option.partition("=")[2]).write_bytes(bytes(100_000))
    assert kafka_aot.use(java) == []
