"""`python -m gourmetgram.lakehouse run|status|accept-loss`: the history without Airflow, and a person's decisions."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pyiceberg.exceptions import CommitFailedException

from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.logs import set_up_logging
from gourmetgram.lakehouse import losses, runs, tables
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.offsets import Coverage, HistoryError
from gourmetgram.lakehouse.publishing import latest
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS
from gourmetgram.lakehouse.topic_log import TopicLog


def run(settings: LakehouseSettings) -> None:
    """Land what has come, count it, publish the tables."""
    _print_set(runs.run_once(settings)["tables"])


def status(settings: LakehouseSettings) -> None:
    """Say how far the history has come, what it lacks, and which tables readers use."""
    catalog = open_catalog(settings)
    events = tables.ensure(catalog)[EVENTS]
    covered = Coverage.of(events.properties).offsets
    with TopicLog.open(settings.kafka_bootstrap_servers) as topics:
        ranges = topics.ranges()
    places = ((str(place), covered.get(place, 0), there.end) for place, there in sorted(ranges.items()))
    rows = [(place, str(landed), str(end), str(end - landed)) for place, landed, end in places]
    _print_table(("topic/partition", "covered", "end", "waiting"), rows)
    for loss in losses.losses(events.properties):
        print(f"accepted {loss['accepted_at']}: {loss['told']}")
    published = latest(catalog.engine)
    print(f"published by run {published.run_id}:" if published else "nothing is published yet")
    _print_set(published.tables if published else {})


def accept_loss(settings: LakehouseSettings) -> None:
    """Write down what the topics have lost, and read on from what is there."""
    all_tables = tables.ensure(open_catalog(settings))
    with TopicLog.open(settings.kafka_bootstrap_servers) as topics:
        accepted = losses.accept(all_tables, topics, datetime.now(UTC))
    for one in accepted:
        print(one.told)
    print(
        f"{len(accepted)} losses accepted; the next run reads on from what is there" if accepted else "nothing is lost"
    )


COMMANDS = {"run": run, "status": status, "accept-loss": accept_loss}


def _print_set(snapshots: Mapping[str, int]) -> None:
    _print_table(("table", "snapshot"), [(name, str(snapshot)) for name, snapshot in sorted(snapshots.items())])


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def main() -> None:
    """Do what the command line says; what goes wrong is said in a paragraph, and the exit status is 1."""
    parser = argparse.ArgumentParser(prog="lakehouse", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__).set_defaults(command=command)
    command = parser.parse_args().command
    set_up_logging()
    try:
        command(LakehouseSettings())
    except (HistoryError, BrokerUnavailable) as error:
        sys.exit(str(error))
    except CommitFailedException as error:
        sys.exit(f"somebody else has written meanwhile; look at `status`, and try again ({error})")


if __name__ == "__main__":
    main()
