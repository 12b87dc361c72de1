"""`python -m tests.bench.lakehouse_run`: a run of the history in a process of its own, a line of JSON for each step."""

import json
import time
from pathlib import Path

from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import WINDOWS


def peak_mib() -> float:
    """The most memory that this process has ever had resident, as the kernel says."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kibibytes) / 1024


def main() -> None:
    """Land, count, publish; tell seconds, what was done, and the peak of memory so far."""
    settings = LakehouseSettings()
    began = time.perf_counter()

    def tell(step: str, amount: int) -> None:
        nonlocal began
        now = time.perf_counter()
        print(json.dumps({"step": step, "seconds": now - began, "amount": amount, "peak": peak_mib()}), flush=True)
        began = now

    run = runs.consume_and_aggregate_events(settings, "bench")
    tell("land", run["landed"]["read"])
    for kind in WINDOWS:
        tell("windows", int(runs.write_windows(settings, run, kind)["days"]))
    tell("publish", len(runs.publish(settings, run)["tables"]))


if __name__ == "__main__":
    main()
