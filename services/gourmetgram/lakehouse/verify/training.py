"""Checks of the training data: rows, anchors, images, empty and impossible values, labels."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from gourmetgram.core.windows import ANCHORS, LABEL_HORIZON, MINUTE
from gourmetgram.lakehouse.files import microseconds
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.sql import Session
from gourmetgram.lakehouse.tables import TRAINING_SCHEMA
from gourmetgram.lakehouse.training_data import eligibility
from gourmetgram.lakehouse.training_data.contracts import check_training
from gourmetgram.lakehouse.training_data.data_contract import ContractBroken
from gourmetgram.lakehouse.training_data.rows import SCHEMA
from gourmetgram.lakehouse.verify.checks import Check, level_for
from gourmetgram.lakehouse.verify.sources import BATCH, READAHEAD, Sources, Training


def checks(sources: Sources, training: Training, settings: LakehouseSettings) -> Iterator[Check]:
    """All that need no other rows to compare with."""
    until = microseconds(training.complete_until)
    anchors = pa.table({"anchor_minutes": pa.array(ANCHORS, pa.int32())})
    with Session.over({"training": training.rows, "anchors": anchors}) as session:
        (rows,) = session.table("verify_rows", minute=MINUTE, complete_until=until).to_pylist()
        (labels,) = session.table("verify_labels", horizon=LABEL_HORIZON, complete_until=until).to_pylist()
    yield from _rows(rows)
    yield _images(sources, training, until)
    yield from _values(training, labels)
    yield _balance(labels, settings)


def _rows(found: dict[str, Any]) -> Iterator[Check]:
    yield Check(
        name="training data, rows",
        level="error",
        passed=found["found"] > 0 and not found["wrong"],
        found=f"{found['found']} rows about {found['images']} images; {found['wrong']} of them lack an anchor",
        expected=f"{found['expected']} rows: of each image one for each anchor up to which all has landed",
    )
    yield Check(
        name="training data, duplicates",
        level="error",
        passed=not found["repeated"],
        found=f"{found['repeated']} rows repeat the image and anchor of another one",
        expected="none",
    )


def _images(sources: Sources, training: Training, until: int) -> Check:
    images, users = sources.raw_of(training, "images"), sources.raw_of(training, "users")
    if images is None or users is None:
        return no_copy("training data, images")
    facts = {"images": images, "users": users, "deleted": sources.deleted_for(training)}
    with Session.over({**facts, "events": sources.events_of(training), "training": training.rows}) as session:
        session.keep("posts")
        session.keep("eligibility", ("rules", eligibility.cases()), complete_until=until)
        session.keep("eligible")
        (found,) = session.table("verify_images").to_pylist()
    return Check(
        name="training data, images",
        level="error",
        passed=not (found["missing"] or found["extra"]),
        found=f"{found['missing']} eligible images are missing, {found['extra']} others are there",
        expected=f"exactly the {found['eligible']} images that the rules of eligibility keep",
    )


def no_copy(name: str) -> Check:
    """What cannot be checked, for what the rows were made from is no longer there."""
    found = "the copy of the application's tables that the rows were made from has expired; nothing to compare with"
    return Check(name=name, level="warning", passed=False, found=found, expected="a copy that is still there")


def _values(training: Training, labels: dict[str, Any]) -> Iterator[Check]:
    """Each batch is looked at twice: are values missing, and are they possible?"""
    nulls = dict.fromkeys(SCHEMA.names, 0)
    broken = None
    for batch in training.rows.to_batches(batch_size=BATCH, batch_readahead=READAHEAD):
        rows = pa.Table.from_batches([batch]).cast(SCHEMA).combine_chunks()
        for name in SCHEMA.names:
            nulls[name] += rows[name].null_count
        for one in rows.to_batches():
            broken = broken or _broken(one)
    labels_empty = {one.name: nulls[one.name] for one in TRAINING_SCHEMA.fields if not one.required}
    empty = {name: count for name, count in nulls.items() if count and name not in labels_empty}
    yield Check(
        name="training data, empty values",
        level="error",
        passed=not (empty or labels["missing"] or labels["early"]),
        found="; ".join(f"{count} of {name}" for name, count in {**empty, **labels_empty}.items())
        + f"; {labels['missing']} labels are missing after 24 h, {labels['early']} are there before",
        expected="only labels may be empty: `label` before 24 h had passed, the other where nobody has looked",
    )
    yield Check(
        name="training data, ranges",
        level="error",
        passed=broken is None,
        found=broken or "all values are as agreed",
        expected="all values as training_data/contracts.py has them",
    )


def _broken(rows: pa.RecordBatch) -> str | None:
    try:
        check_training(rows)
    except ContractBroken as error:
        return str(error).partition("\n")[2].strip()
    return None


def _balance(labels: dict[str, Any], settings: LakehouseSettings) -> Check:
    labelled, positives = labels["labelled"], labels["positives"]
    share = positives / max(labelled, 1)
    least, most = settings.verify_least_positives, settings.verify_most_positives
    return Check(
        name="training data, class balance",
        level=level_for(labelled),
        passed=0 < positives < labelled and least <= share <= most,
        found=f"{positives} of {labelled} rows with a label are flagged later: {share:.1%}",
        expected=f"both kinds, and {least:.1%} to {most:.1%} flagged",
    )
