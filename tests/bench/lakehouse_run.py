"""A run in a process of its own: a line of JSON for each step, with seconds, what was done, and the peak of memory.

`python -m tests.bench.lakehouse_run history` lands, counts and publishes; `... training` makes the training data.
"""

import json
import sys
import time

from gourmetgram.core.memory import peak
from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import WINDOWS
from gourmetgram.lakehouse.training_data import steps as training_steps


class Steps:
    """Tells what each step has taken."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def tell(self, step: str, amount: int) -> None:
        """A step has ended."""
        now, cpu = time.perf_counter(), time.process_time()
        spent = {"seconds": now - self._began, "cpu": cpu - self._cpu, "peak": peak() / 2**20}
        line = {"step": step, "amount": amount, **spent}
        print(json.dumps(line), flush=True)
        self._began, self._cpu = now, cpu


def history(settings: LakehouseSettings, steps: Steps) -> None:
    """Land, count, publish."""
    run = runs.consume_and_aggregate_events(settings, "bench")
    steps.tell("land", run["landed"]["read"])
    for kind in WINDOWS:
        steps.tell("windows", int(runs.write_windows(settings, run, kind)["days"]))
    steps.tell("publish", len(runs.publish(settings, run)["tables"]))


def training(settings: LakehouseSettings, steps: Steps) -> None:
    """Extract, transform, load."""
    run = training_steps.extract_data(settings, "bench")
    steps.tell("extract", 0)
    run = training_steps.transform_features(settings, run)
    steps.tell("transform", run["rows"])
    steps.tell("load", int(training_steps.load_iceberg(settings, run)["rows"]))


if __name__ == "__main__":
    {"history": history, "training": training}[sys.argv[1]](LakehouseSettings(), Steps())
