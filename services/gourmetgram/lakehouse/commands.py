"""What `python -m gourmetgram.lakehouse` can do: each command is a function, and prints for people."""

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from gourmetgram.lakehouse import losses, parity, parity_job, runs, search, tables, verify
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.lineage import lineage, mermaid, picture
from gourmetgram.lakehouse.lineage import told as chain_told
from gourmetgram.lakehouse.offsets import Coverage
from gourmetgram.lakehouse.publishing import latest
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS
from gourmetgram.lakehouse.topic_log import TopicLog
from gourmetgram.lakehouse.training_data import steps
from gourmetgram.lakehouse.verify.checks import require_sound


def run(settings: LakehouseSettings, _: Namespace) -> None:
    """Land what has come, count it, publish the tables."""
    _print_set(runs.run_once(settings)["tables"])


def status(settings: LakehouseSettings, _: Namespace) -> None:
    """Say how far the history has come, what it lacks, and which tables readers use."""
    catalog = open_catalog(settings)
    events = tables.ensure(catalog, EVENTS)[EVENTS]
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


def accept_loss(settings: LakehouseSettings, _: Namespace) -> None:
    """Write down what the topics have lost, and read on from what is there."""
    all_tables = tables.ensure(open_catalog(settings))
    with TopicLog.open(settings.kafka_bootstrap_servers) as topics:
        accepted = losses.accept(all_tables, topics, datetime.now(UTC))
    for one in accepted:
        print(one.told)
    print(
        f"{len(accepted)} losses accepted; the next run reads on from what is there" if accepted else "nothing is lost"
    )


def training_data(settings: LakehouseSettings, _: Namespace) -> None:
    """Make the training data anew from the published history."""
    made = steps.run_once(settings, f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}")
    print(f"{made['rows']} rows in snapshot {made['snapshot']} of {made['table']}")


def compare(settings: LakehouseSettings, _: Namespace) -> None:
    """Compute the features of every decision anew from the history; fail if a single value differs."""
    report = parity_job.check(settings)
    _print_lines(parity.told(report))
    parity.require_equal(report)


def verify_pipeline(settings: LakehouseSettings, _: Namespace) -> None:
    """Ask whether history and training data are plausible."""
    checks = verify.verify(settings)
    _print_lines(verify.told(checks))
    require_sound(checks)


def trace(settings: LakehouseSettings, arguments: Namespace) -> None:
    """Say where a decision, an image or a model comes from."""
    chain = lineage(settings, arguments.kind, arguments.identity)
    print(picture(chain) if arguments.svg else mermaid(chain) if arguments.mermaid else chain_told(chain))


def find_image(settings: LakehouseSettings, arguments: Namespace) -> None:
    """Look through every file for the id of an image."""
    found = search.find_image(settings, arguments.image)
    _print_lines(search.told(found) if arguments.paths else search.summed_up(found))
    if search.gone(found):
        print(f"of image {arguments.image} nothing is left" + (" but the records above" if found else ""))


def _print_set(snapshots: Mapping[str, int]) -> None:
    _print_table(("table", "snapshot"), [(name, str(snapshot)) for name, snapshot in sorted(snapshots.items())])


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _print_lines(lines: Iterable[str]) -> None:
    print("\n".join(lines))
