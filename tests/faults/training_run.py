"""A run of the training data in a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data import steps
from tests.faults.history_run import END_SECONDS, SPAWN

SPAWN.set_forkserver_preload(["gourmetgram.lakehouse.training_data.steps", "tests.faults.training_run"])


def work(settings: LakehouseSettings, run_id: str) -> None:
    """What the process does: a whole run; it ends with status 1 when that fails."""
    steps.run_once(settings, run_id)


@contextmanager
def training(settings: LakehouseSettings, run_id: str) -> Iterator[BaseProcess]:
    """A run that has begun; it is killed at the end when it has not ended."""
    process = SPAWN.Process(target=work, args=(settings, run_id))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(END_SECONDS)
