"""`python -m gourmetgram.training.large COMMAND`: write the large table, and learn from it where memory is limited."""

import argparse
import dataclasses
import json
import sys
from typing import Final

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings

from gourmetgram.training.large import box

WAYS: Final = "gourmetgram.training.large.ways"


class BoxSettings(BaseSettings):
    """Environment variables of the box."""

    memory_limit: ByteSize = Field(default=ByteSize(2**30), gt=0, description="Memory that a way may have, like 1GiB")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="large-data", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    write = words.add_parser("write", help="make the table have so many rows")
    write.add_argument("--rows", type=int, default=10_000_000)
    words.add_parser("go", help="one of the ways, in a box; prints what became of it as JSON", add_help=False)
    said, options = parser.parse_known_args()
    if said.command == "write":
        _write(said.rows)
    else:
        _go(options)


def _write(rows: int) -> None:
    from gourmetgram.lakehouse.settings import LakehouseSettings
    from gourmetgram.training.errors import TrainingError
    from gourmetgram.training.large.table import write  # much to import, which the box has no need of

    try:
        written = write(LakehouseSettings(), rows)
    except TrainingError as error:
        sys.exit(str(error))
    print(f"{rows:,} rows are there, {written.made:,} of them new: snapshot {written.snapshot_id}")


def _go(options: list[str]) -> None:
    report = box.run([sys.executable, "-m", WAYS, *options], BoxSettings().memory_limit)
    if report.ended == "failed":
        sys.exit(f"{report.complaint}\n\nThe way ended with status {report.status}, and not for lack of memory.")
    print(json.dumps(dataclasses.asdict(report)))


if __name__ == "__main__":
    main()
