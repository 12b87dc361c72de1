"""Topics that lost records, or were made anew: the history stops with a sentence, and goes on when a person says so."""

from collections.abc import Callable

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from gourmetgram.core.topics import PARTITIONS, VIEWS
from gourmetgram.lakehouse import runs
from gourmetgram.lakehouse.offsets import HistoryError
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import WINDOWS
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.faults.raw_topics import Raw
from tests.support.crowd import EVENT_TOPICS, Crowd
from tests.support.history_recount import History
from tests.support.lakehouse import SERVICES, Tool, counts, landed, own_settings, snapshots
from tests.support.processes import wait_until

BEFORE = 60
"""Records in the partition in question when it was read."""
IMAGE = 7


class Topics:
    """The real topics, views of one image in particular, and what there ever was in them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._admin = AdminClient({"bootstrap.servers": stack.address("redpanda")})
        self._crowd = Crowd(stack.address("redpanda"), seed=3)
        self.everything: list[Raw] = []

    def say(self, number: int) -> None:
        """So many views of one image at least, and all sorts of other events."""
        self._crowd.say(number, ("view",), IMAGE)
        self._crowd.say(20)

    def note(self) -> None:
        """What is there now has landed, whatever becomes of it."""
        self.everything += raw_topics.read(self._stack.address("redpanda"), EVENT_TOPICS)

    def end(self) -> int:
        """The end of the one image's partition."""
        ends = raw_topics.ends(self._stack.address("redpanda"), [VIEWS])
        return max((end, number) for (_, number), end in ends.items())[0]

    @property
    def partition(self) -> int:
        """Where the one image is."""
        ends = raw_topics.ends(self._stack.address("redpanda"), [VIEWS])
        return max((end, number) for (_, number), end in ends.items())[1]

    def expire(self, first: int) -> None:
        """As retention does."""
        place = TopicPartition(VIEWS, self.partition, first)
        for future in self._admin.delete_records([place]).values():
            future.result(30)

    def make_anew(self) -> None:
        """All views are gone; topics-init makes what is missing."""
        for future in self._admin.delete_topics([VIEWS]).values():
            future.result(30)
        wait_until(lambda: VIEWS not in self._admin.list_topics(timeout=10).topics, "the topic is gone")
        self._stack.run("topics-init")
        wait_until(self._is_whole, "the topic is back")

    def _is_whole(self) -> bool:
        known = self._admin.list_topics(timeout=10).topics
        return VIEWS in known and len(known[VIEWS].partitions) == PARTITIONS

    def delete(self) -> None:
        """The topic is away, and nobody makes it."""
        for future in self._admin.delete_topics([VIEWS]).values():
            future.result(30)
        wait_until(lambda: VIEWS not in self._admin.list_topics(timeout=10).topics, "the topic is gone")


@pytest.fixture(scope="module")
def servers(new_stack: Stack) -> Stack:
    new_stack.up(*SERVICES)
    return new_stack


@pytest.fixture
def topics(servers: Stack) -> Topics:
    topics = Topics(servers)
    topics.make_anew()
    topics.say(BEFORE)
    return topics


@pytest.fixture
def settings(servers: Stack, topics: Topics, request: pytest.FixtureRequest) -> LakehouseSettings:
    """A history of what is in the topics."""
    settings = own_settings(servers, request.node.name.replace("[", "_").replace("]", "")[:60], land_chunk_records=50)
    runs.run_once(settings)
    topics.note()
    return settings


def expired(topics: Topics) -> str:
    end = topics.end()
    topics.say(40)
    topics.expire(end + 13)
    return f"begins at offset {end + 13}: 13 records from offset {end} on expired before they landed"


def shorter(topics: Topics) -> str:
    end = topics.end()
    topics.make_anew()
    topics.say(10)
    return f"ends at offset {topics.end()}, but {end} have landed: it was made anew or lost its end"


def longer(topics: Topics) -> str:
    end = topics.end()
    topics.make_anew()
    topics.say(2 * BEFORE)
    return f"has another record at offset {end - 1} than the one that landed: it was made anew"


@pytest.mark.parametrize("happens", [expired, shorter, longer])
def test_what_is_lost_is_told_and_accepted(
    topics: Topics, settings: LakehouseSettings, happens: Callable[[Topics], str]
) -> None:
    sentence = f"{VIEWS}/{topics.partition} {happens(topics)}"
    before, tool = snapshots(settings), Tool(settings)
    with pytest.raises(HistoryError, match=r"\./lab lakehouse accept-loss") as refused:
        runs.run_once(settings)
    assert sentence in str(refused.value)
    by_hand = tool("run")
    assert (by_hand.returncode, by_hand.stderr) == (1, f"{refused.value}\n")
    assert snapshots(settings) == before

    accepted = tool("accept-loss")
    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert sentence in accepted.stdout

    assert tool("run").returncode == 0
    topics.note()
    expected = History(topics.everything)
    assert ids(landed(settings)) == ids(expected.rows())
    for kind in WINDOWS:
        assert counts(settings, kind) == expected.windows(kind)
    assert sentence in tool("status").stdout
    present = snapshots(settings)
    assert "nothing is lost" in tool("accept-loss").stdout
    runs.run_once(settings)
    assert snapshots(settings) == present


def test_a_topic_that_is_away_is_told(topics: Topics, settings: LakehouseSettings, servers: Stack) -> None:
    topics.delete()
    before, tool = snapshots(settings), Tool(settings)
    for command in ("run", "accept-loss"):
        refused = tool(command)
        assert refused.returncode == 1
        assert f"{VIEWS}/0" in refused.stderr
        assert "topics-init" in refused.stderr
    assert snapshots(settings) == before
    servers.run("topics-init")


def test_the_tool_that_the_message_names_is_there(servers: Stack) -> None:
    assert "lakehouse" in servers.file.tools()


def ids(rows: list[dict[str, object]]) -> list[str]:
    return sorted(str(row["event_id"]) for row in rows)


def test_retention_that_takes_only_what_has_landed_is_no_loss(topics: Topics, settings: LakehouseSettings) -> None:
    """Even when the last record that has landed is gone, and with it the proof that the topic is the same."""
    topics.expire(topics.end())
    topics.say(5)
    runs.run_once(settings)
    topics.note()
    assert ids(landed(settings)) == ids(History(topics.everything).rows())
