"""The memory that making the training data takes does not grow with its rows."""

import pytest

from gourmetgram.lakehouse.settings import LakehouseSettings
from labkit.stack import Stack
from tests.bench.lakehouse_process import run
from tests.support.lakehouse import environment, own_settings
from tests.support.training_bulk import plant

EVENTS_PER_IMAGE = 4
MOST_MIB = 1200
"""Half a gigabyte is DuckDB's, some 300 MiB are the libraries, and the rest is a chunk of rows in several forms."""


def peak(stack: Stack, settings: LakehouseSettings, images: int) -> float:
    """Of a process that makes three rows of each image, in MiB."""
    plant(stack, settings, images, EVENTS_PER_IMAGE)
    steps = {one["step"]: one for one in run("training", environment(settings))}
    assert steps["transform"]["amount"] == steps["load"]["amount"] == 3 * images
    return max(float(one["peak"]) for one in steps.values())


@pytest.mark.timeout(600)
def test_ten_times_the_rows_take_as_much_memory(new_stack: Stack) -> None:
    new_stack.up("postgres", "minio-init", "topics-init")
    less = peak(new_stack, own_settings(new_stack, "less"), 33_333)
    more = peak(new_stack, own_settings(new_stack, "more"), 333_333)
    print(f"peak of memory: {less:.0f} MiB for 100,000 rows, {more:.0f} MiB for 1,000,000")
    assert more < MOST_MIB
