"""`python -m gourmetgram.training.large COMMAND`: write the large table, and learn from it where memory is limited."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Final

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings

from gourmetgram.training.large import box, options

WAYS: Final = "gourmetgram.training.large.ways"

MIB: Final = 2**20


class BoxSettings(BaseSettings):
    """Environment variables of the box."""

    memory_limit: ByteSize = Field(default=ByteSize(2**30), gt=0, description="Memory that a way may have, like 1GiB")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="large-data", description=__doc__)
    parser.add_argument("--json", action="store_true", help="all that was measured of a way, for programs")
    words = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    write = words.add_parser("write", help="make the table have so many rows")
    write.add_argument("--rows", type=int, default=10_000_000)
    words.add_parser("go", help="learn from it, in a box; see `go --help`", add_help=False)
    said, rest = parser.parse_known_args()
    if said.command == "go":
        options.parser("large-data go").parse_args(rest)  # what is wrong with them is said before anything starts
        _go(rest, as_json=said.json)
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    else:
        _write(said.rows)


def _write(rows: int) -> None:
    from gourmetgram.lakehouse.settings import LakehouseSettings
    from gourmetgram.training.errors import TrainingError
    from gourmetgram.training.large.table import write  # much to import, which the box has no need of

    try:
        written = write(LakehouseSettings(), rows)
    except TrainingError as error:
        sys.exit(str(error))
    print(f"{rows:,} rows are there, {written.made:,} of them new: snapshot {written.snapshot_id}")


def _go(arguments: list[str], *, as_json: bool) -> None:
    report = box.run([sys.executable, "-m", WAYS, *arguments], BoxSettings().memory_limit)
    if report.ended == "failed":
        sys.exit(f"{report.complaint}\n\nThe way ended with status {report.status}, and not for lack of memory.")
    results = [said["result"] for _, said in report.said if "result" in said]
    result: dict[str, float] = results[-1] if results else {}  # who died has none
    print(json.dumps(dataclasses.asdict(report) | {"result": result}) if as_json else "\n".join(_told(report, result)))


def _told(report: box.Report, result: dict[str, float]) -> Iterator[str]:
    """For people."""
    most = max((taken for _, taken in report.memory), default=0)
    yield f"ended: {report.ended} (status {report.status}) after {report.seconds:.1f} s"
    yield f"most memory: {most / MIB:,.0f} MiB, of {report.limit / MIB:,.0f} MiB that it might have"
    for name, seconds in result.items():
        if name.endswith("_seconds"):
            yield f"{name.removesuffix('_seconds')}: {result['rows'] / seconds:,.0f} rows/s"


if __name__ == "__main__":
    main()
