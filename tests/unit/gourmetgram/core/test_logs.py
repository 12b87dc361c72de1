"""Every line of a log is one JSON object, whoever wrote it."""

import json
import os
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from gourmetgram.core.logs import set_up_logging
set_up_logging()
structlog.get_logger("x").info("image_posted", image_id=7, caption="two\\nlines")
logging.getLogger("library").warning("careful with %s", "this")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("library").exception("broken")
    structlog.get_logger("x").exception("own_trouble")
"""


def output(log_format: str) -> str:
    environment = os.environ | {"LOG_FORMAT": log_format}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_json_is_one_object_a_line() -> None:
    own, library, broken, trouble = map(json.loads, output("json").splitlines())
    assert (own["event"], own["image_id"], own["caption"], own["level"]) == ("image_posted", 7, "two\nlines", "info")
    assert (library["event"], library["level"]) == ("careful with this", "warning")
    assert "ZeroDivisionError" in broken["exception"]
    assert "ZeroDivisionError" in trouble["exception"]
    assert own["timestamp"].endswith("Z")


def test_text_is_for_people() -> None:
    first = output("text").splitlines()[0]
    assert "image_posted" in first
    assert "image_id=7" in first
    assert not first.startswith("{")
