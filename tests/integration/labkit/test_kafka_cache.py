"""The first broker writes Java's cache when it is stopped, and the next one starts from it."""

import os
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


@pytest.fixture
def own_stack(short_folder: Path) -> Iterator[Stack]:
    stack = Stack.free(short_folder / "kafka-cache")
    yield stack
    stack.destroy()


def test_the_second_broker_starts_from_what_the_first_recorded(
    own_stack: Stack, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka.Kafka, "stop_seconds", 120)  # however busy this machine is
    own_stack.up("redpanda")
    assert kafka_aot.use(kafka._java()) == []
    own_stack.down()
    (written,) = empty_cache.glob("*.new")
    own_stack.up("redpanda")
    assert f"-XX:AOTCache={written.with_suffix('.aot')}" in (own_stack.home / "processes/redpanda.json").read_text()
    assert not written.exists()


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


def test_brokers_that_find_the_cache_at_the_same_time_all_use_it(
    own_stack: Stack, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka.Kafka, "stop_seconds", 120)
    own_stack.up("redpanda")
    own_stack.down()
    java = kafka._java()
    with ThreadPoolExecutor(4) as pool:
        options = list(pool.map(lambda _: kafka_aot.use(java), range(4)))
    (cache,) = empty_cache.glob("*.aot")
    assert options == [[f"-XX:AOTCache={cache}"]] * 4
