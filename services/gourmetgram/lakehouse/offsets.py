"""Positions in the topics: what a table covers and what a run is to cover. Values in, values out: no I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

COVERS: Final = "gourmetgram.covers"
"""The property of a table that says which records it is made from; it changes in the same commit as the rows."""


class Place(NamedTuple):
    """A partition of a topic, written as `topic/partition`."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that this text names."""
        topic, _, partition = text.rpartition("/")
        return cls(topic, int(partition))


Offsets = Mapping[Place, int]
"""The next offset to read at each place: everything before it is covered."""


class HistoryError(RuntimeError):
    """A run must not go on, for it would lose or repeat a part of the history; the message says how to proceed."""


class Superseded(HistoryError):
    """Another run has gone further than this one was to go; there is nothing left to do for it."""


@dataclass(frozen=True)
class Coverage:
    """Which records a table is made from."""

    offsets: Offsets = field(default_factory=dict)
    prints: Mapping[Place, str] = field(default_factory=dict)
    """Fingerprint of the last record before each offset: a topic made anew under the same name has another one."""

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Self:
        """What the properties of a table say; nothing is covered by a table that is new."""
        text = json.loads(properties.get(COVERS, "{}"))
        return cls(
            parse_offsets(text.get("offsets", {})),
            {Place.parse(name): value for name, value in text.get("prints", {}).items()},
        )

    def properties(self) -> dict[str, str]:
        """The same, to be written with the rows."""
        text = {
            "offsets": named(self.offsets),
            "prints": {str(place): self.prints[place] for place in sorted(self.prints)},
        }
        return {COVERS: json.dumps(text, separators=(",", ":"))}

    def moved(self, offsets: Offsets) -> Self:
        """The coverage with other offsets at these places; what stands before them is not known."""
        prints = {place: value for place, value in self.prints.items() if place not in offsets}
        return type(self)({**self.offsets, **offsets}, prints)

    def advanced(self, offsets: Offsets, prints: Mapping[Place, str]) -> Self:
        """The coverage once these places have been read up to here."""
        return type(self)({**self.offsets, **offsets}, {**self.prints, **prints})


def named(offsets: Offsets) -> dict[str, int]:
    """Offsets by the text of their places, as JSON wants them."""
    return {str(place): offsets[place] for place in sorted(offsets)}


def parse_offsets(texts: Mapping[str, int]) -> dict[Place, int]:
    """The opposite of `named`."""
    return {Place.parse(name): int(offset) for name, offset in texts.items()}


def require_not_beyond(table: str, covered: Offsets, ends: Offsets) -> None:
    """Refuse to write what a table already holds in a later state.

    Raises:
        Superseded: the table covers records at or behind these ends: this task was left over, or a second run is ahead.
    """
    for place, end in ends.items():
        if covered.get(place, 0) > end:
            raise Superseded(
                f"{table} covers {place} up to offset {covered[place]}, this run was to end at {end}: a later run has "
                f"been here. Nothing was changed; start a new run for what has come since."
            )


@dataclass(frozen=True)
class Range:
    """What the broker has of a place: offsets from `first` up to, not including, `end`."""

    first: int
    end: int


class Trouble(NamedTuple):
    """What stands between the history and a topic."""

    place: Place
    covered: int
    told: str
    """A sentence for people: the place, and what is wrong with it."""


def trouble(covered: Coverage, ranges: Mapping[Place, Range], found: Mapping[Place, str]) -> list[Trouble]:
    """Where the history cannot go on, at most one for each place; empty when it can.

    Args:
        covered: what has landed.
        ranges: what the broker has.
        found: fingerprints of the records that the broker has right before the covered offsets.
    """
    told = []
    for place, offset in sorted(covered.offsets.items()):
        found_anew = place in found and found[place] != covered.prints.get(place, found[place])
        if sentence := _sentence(place, offset, ranges.get(place), found_anew=found_anew):
            told.append(Trouble(place, offset, sentence))
    return told


def _sentence(place: Place, offset: int, there: Range | None, *, found_anew: bool) -> str:
    if there is None:
        return f"{place} is gone, {offset} of its records have landed"
    if offset > there.end:
        return f"{place} ends at offset {there.end}, but {offset} have landed: it was made anew or lost its end"
    if offset < there.first:
        lost = there.first - offset
        return (
            f"{place} begins at offset {there.first}: {lost} records from offset {offset} on expired before they landed"
        )
    if found_anew:
        return f"{place} has another record at offset {offset - 1} than the one that landed: it was made anew"
    return ""


def starts(covered: Offsets, ranges: Mapping[Place, Range]) -> dict[Place, int]:
    """Where to read on: at what is covered, and at the earliest record where nothing is."""
    return {place: covered.get(place, there.first) for place, there in ranges.items()}
