"""Starts `tests.bench.lakehouse_run`, whose memory is then its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from labkit.paths import ROOT

Step = dict[str, Any]


def run(what: str, variables: Mapping[str, str]) -> list[Step]:
    """Run `history` or `training` to its end; of each step `step`, `amount`, `seconds`, `cpu`, and `peak` in MiB."""
    argv = [sys.executable, "-m", "tests.bench.lakehouse_run", what]
    everything = os.environ | dict(variables) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, env=everything, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
