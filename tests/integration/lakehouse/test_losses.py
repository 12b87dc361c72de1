"""What the topics have lost stops the history until a person accepts it; then it goes on, nothing twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException

from gourmetgram.core.events import encode
from gourmetgram.core.topics import DELETIONS, VIEWS
from gourmetgram.lakehouse import losses, tables
from gourmetgram.lakehouse.landing import freeze_ends
from gourmetgram.lakehouse.offsets import Coverage, HistoryError, Offsets, Place, parse_offsets
from gourmetgram.lakehouse.tables import EVENTS, WINDOWS
from tests.integration.lakehouse.memory import FolderLake, MemoryLog
from tests.support.events import event
from tests.support.history_recount import History
from tests.support.lakehouse import MINUTE_MICROSECONDS

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOON = 1_794_312_000 * 10**6  # 2026-11-10
PLACE = Place(VIEWS, 1)
BURIED = Place(DELETIONS, 1)


class Platform:
    """Views of image 1, its partition, and a history of them."""

    def __init__(self, lake: FolderLake) -> None:
        self.lake = lake
        self.log = MemoryLog(seed=1)
        self.everything: list[Any] = []
        self._number = 0

    def happen(self, number: int, kind: str = "view", image: int = 1) -> None:
        for _ in range(number):
            self._number += 1
            made = event(kind, self._number, NOON + self._number * MINUTE_MICROSECONDS, image)
            place = Place(made.topic, 1)
            self.log.append(place, str(image).encode(), encode(made))
            self.everything.append(self.log.topics[place][-1])

    def ends(self) -> Offsets:
        return parse_offsets(freeze_ends(self.log))

    def run(self) -> None:
        self.lake.run(self.log, self.ends(), "run")

    def accept(self) -> list[str]:
        return [one.told for one in losses.accept(tables.ensure(self.lake.catalog), self.log, NOW)]

    def expire(self, first: int) -> None:
        """As retention does; what was there is in `everything` still."""
        self.log.firsts[PLACE] = first

    def make_anew(self, *places: Place) -> None:
        """Topics of the same names, with nothing in them."""
        for place in places:
            self.log.topics[place], self.log.firsts[place] = [], 0

    def check(self) -> None:
        """The history is all that there ever was, as far as the test knows of it."""
        expected = History(self.everything)
        assert ids(self.lake.rows(EVENTS)) == ids(expected.rows())
        for kind in WINDOWS:
            assert self.lake.counts(kind) == expected.windows(kind)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(row["event_id"]) for row in rows)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    lake = FolderLake(tmp_path)
    yield Platform(lake)
    lake.close()


def expired(platform: Platform) -> None:
    platform.happen(5)
    platform.expire(13)


def shorter(platform: Platform) -> None:
    platform.make_anew(PLACE)
    platform.happen(4)


def as_long(platform: Platform) -> None:
    platform.make_anew(PLACE)
    platform.happen(10)


def longer(platform: Platform) -> None:
    platform.make_anew(PLACE)
    platform.happen(15)


def without_its_end(platform: Platform) -> None:
    platform.log.topics[PLACE] = platform.log.topics[PLACE][:7]


TROUBLES = {
    expired: "gourmetgram.views/1 begins at offset 13: 3 records from offset 10 on expired before they landed",
    shorter: "gourmetgram.views/1 ends at offset 4, but 10 have landed: it was made anew or lost its end",
    as_long: "gourmetgram.views/1 has another record at offset 9 than the one that landed: it was made anew",
    longer: "gourmetgram.views/1 has another record at offset 9 than the one that landed: it was made anew",
    without_its_end: "gourmetgram.views/1 ends at offset 7, but 10 have landed: it was made anew or lost its end",
}


@pytest.mark.parametrize(("happens", "told"), TROUBLES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_loss_stops_the_history_until_it_is_accepted(
    platform: Platform, happens: Callable[[Platform], None], told: str
) -> None:
    platform.happen(10)
    platform.run()
    happens(platform)
    if happens is expired:
        del platform.everything[10:13]
    before = platform.lake.snapshots()
    for _ in range(2):
        with pytest.raises(HistoryError, match="accept-loss") as refused:
            platform.run()
        assert told in str(refused.value)
    assert platform.lake.snapshots() == before

    assert platform.accept() == [told]

    platform.run()
    platform.check()
    written = losses.losses(platform.lake.catalog.load_table(EVENTS).properties)
    first = platform.log.firsts[PLACE]
    assert written == [
        {"accepted_at": NOW.isoformat(), "place": str(PLACE), "covered": 10, "goes_on_at": first, "told": told}
    ]
    assert platform.accept() == []
    platform.happen(3)
    platform.run()
    platform.check()


def test_every_place_in_trouble_is_named_and_losses_add_up(platform: Platform) -> None:
    platform.happen(10)
    platform.happen(3, "comment", 2)
    platform.run()
    platform.make_anew(PLACE, Place("gourmetgram.comments", 1))
    with pytest.raises(HistoryError) as refused:
        platform.run()
    assert "gourmetgram.views/1 ends at offset 0, but 10" in str(refused.value)
    assert "gourmetgram.comments/1 ends at offset 0, but 3" in str(refused.value)
    assert len(platform.accept()) == 2
    platform.happen(6)
    platform.run()
    platform.make_anew(PLACE)
    assert len(platform.accept()) == 1
    assert len(losses.losses(platform.lake.catalog.load_table(EVENTS).properties)) == 3
    platform.run()
    platform.check()


def test_a_deletion_in_a_topic_made_anew_is_obeyed(platform: Platform) -> None:
    """Its offset is below the one that the windows of before have covered."""
    platform.happen(10)
    platform.happen(4, image=2)
    platform.happen(1, "deletion", 3)
    platform.happen(1, "deletion", 4)
    platform.run()
    platform.make_anew(BURIED)
    platform.accept()
    platform.happen(1, "deletion", 2)
    platform.run()
    platform.check()


def test_windows_that_are_behind_count_later_what_has_landed(platform: Platform) -> None:
    """A deletion has landed, and before its windows were written the topic lost records behind it."""
    platform.happen(10)
    platform.happen(4, image=2)
    platform.run()
    platform.happen(1, "deletion", 2)
    platform.lake.land(platform.log, platform.ends(), "interrupted", 10)
    platform.happen(2, "deletion", 7)
    platform.log.firsts[BURIED] = 3
    platform.accept()
    platform.run()
    platform.check()


def test_accepting_can_be_repeated_when_it_was_interrupted(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.happen(10)
    platform.run()
    platform.make_anew(PLACE)
    loaded = tables.ensure(platform.lake.catalog)
    with monkeypatch.context() as patched:
        patched.setattr(losses, "losses", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            losses.accept(loaded, platform.log, NOW)
    with pytest.raises(HistoryError):
        platform.run()
    assert len(platform.accept()) == 1
    platform.happen(2)
    platform.run()
    platform.check()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_under_way_does_not_undo_what_was_accepted(platform: Platform) -> None:
    platform.happen(10)
    platform.run()
    left_over = platform.lake.landing(chunk=10)
    ends = platform.ends()
    platform.happen(1)
    later = platform.ends()
    platform.make_anew(PLACE)
    platform.accept()
    covered = Coverage.of(platform.lake.catalog.load_table(EVENTS).properties)
    platform.log.topics[PLACE] = [*platform.everything]  # what the leftover run still sees
    with pytest.raises(CommitFailedException):
        left_over.land(platform.log, later, "left over")
    assert ends != later
    assert Coverage.of(platform.lake.catalog.load_table(EVENTS).properties) == covered


def test_topics_that_are_not_there_are_made_first(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.happen(10)
    platform.run()
    before = platform.lake.snapshots()
    monkeypatch.setattr(MemoryLog, "ranges", lambda _: {})
    with pytest.raises(HistoryError, match=r"views/1 is gone, 10 of its records have landed"):
        platform.accept()
    assert platform.lake.snapshots() == before
