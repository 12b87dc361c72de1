"""The engine ends and starts again, as it does when the machine is restarted: all services come back by themselves."""

import os
import subprocess
import time

import psutil
import pytest

from labkit.stack import Stack
from tests.compose import account, engine
from tests.compose.account import Account
from tests.support.processes import wait_until

PROGRAM = os.environ.get("LAB_ENGINE", "")
BACK_SECONDS = 240

pytestmark = pytest.mark.skipif(
    not PROGRAM, reason="LAB_ENGINE names no program that starts (`up`) and stops (`down`) the engine"
)


def running(platform: Stack) -> set[str]:
    return {one.name for one in platform.ps() if one.state == "running"}


def are_well(platform: Stack, names: set[str]) -> bool:
    return {one.name for one in platform.ps() if one.state == "running" and "starting" not in one.detail} >= names


def test_after_a_restart_of_the_engine_everything_goes_on(platform: Stack) -> None:
    platform.up("data_generator", GENERATOR_ARRIVAL_RATE=60_000)
    names = running(platform)
    platform.stop("data_generator")
    before = Account.of(platform)
    platform.up("data_generator", GENERATOR_ARRIVAL_RATE=60_000)
    engines = [one for one in psutil.process_iter() if one.name() == "dockerd"]
    subprocess.run([PROGRAM, "down"], check=True)
    psutil.wait_procs(engines, timeout=60)
    assert not engine.answers()
    subprocess.run([PROGRAM, "up", "python:3.12-slim"], check=True, capture_output=True)
    began = time.monotonic()
    wait_until(lambda: are_well(platform, names), "all services are back, and well", BACK_SECONDS)
    print(f"{len(names)} services are back {time.monotonic() - began:.0f} s after the engine")
    written = account.ledger(platform).total()
    time.sleep(10)
    assert account.ledger(platform).total() > written + 50, "people go on"
    platform.stop("data_generator")
    after = Account.of(platform)
    acknowledged = account.grown(before.ledger, after.ledger)
    assert sum(acknowledged.values()) > 50
    assert account.grown(before.stored, after.stored) == acknowledged
    events, _ = account.events(platform, before.ends)
    assert len(events) == sum(count for kind, count in acknowledged.items() if kind != "user")
