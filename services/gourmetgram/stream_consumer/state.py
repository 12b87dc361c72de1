"""The counts in Redis: one atomic call applies a batch."""

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gourmetgram.core import topics
from gourmetgram.core.events import Comment, Flag, Upload
from gourmetgram.core.moderation import NAMESPACE, Counts, ModerationRequest
from gourmetgram.core.records import KINDS, TOPICS, Applicable
from gourmetgram.core.windows import ANCHORS, HOUR, MILESTONES, MINUTE, RETAINED, WINDOWS
from gourmetgram.stream_consumer.batch import Ends, Place, Progress
from gourmetgram.stream_consumer.settings import ConsumerSettings

SCRIPT: Final = Path(__file__).with_name("apply.lua").read_text()

FORGET: Final = Path(__file__).with_name("forget.lua").read_text()

SEEN: Final = 2000
"""Event ids remembered per topic and partition; a relay that restarts repeats at most its last batch of 500."""

HOUSEKEEPING: Final = 24 * 3600
"""Seconds after which a key that nothing happens to goes away."""

ANCHORS_AT_ONCE: Final = 200
"""Anchors fired per partition in one call, so that a long absence does not hold Redis up."""

OFFSETS, WATERMARK, OWED = "stream:offsets", "stream:watermark", "stream:owed"
OWN_KEYS: Final = ("stream:*", "image:*", "request:*", "moderation:due:*")

LAYOUT_KEY: Final = "stream:layout"
LAYOUT: Final = 1
"""What the keys mean. Raise it with each change after which older counts would be misread."""

UNMARKED: Final = 1
"""The layout of counts that say nothing about it."""


class Behind(RuntimeError):
    """Redis has applied less than this process believes: it lost its last second, or everything. Resume from there."""


class AnotherLayout(RuntimeError):
    """The counts in Redis were made by another version of the lab, and would be misread."""


class Outcome(msgspec.Struct, frozen=True):
    """What followed from a batch; the texts in `milestones` are members of `stream:owed`."""

    requests: list[ModerationRequest]
    milestones: list[str]
    popular: list[tuple[str, int]]
    watermarks: list[tuple[int, int]]
    owed: int
    duplicates: int
    repeated: int
    late: int
    skipped: int
    more: bool = False


class Step(NamedTuple):
    """One call: where we stand before and after it, what to apply, and which owed entries have arrived."""

    before: Progress
    after: Progress
    events: Sequence[Applicable]
    delivered: Collection[str]
    ends: Ends | None


class Store:
    """Redis, as the user stream_consumer. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis, rules: Mapping[str, Any]) -> None:
        self._client = client
        self._rules = rules
        self._call = ScriptCall(client, SCRIPT)

    @classmethod
    def connect(cls, settings: ConsumerSettings) -> Self:
        """A client that connects when first asked, and leaves trying again to its caller."""
        url = settings.redis_url.get_secret_value()
        client = redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=3, retry=Retry(NoBackoff(), 0))
        return cls(client, rules(settings))

    def apply(self, step: Step, meanwhile: Callable[[], None] = lambda: None) -> Outcome:
        """Apply a batch atomically; `meanwhile` is called while Redis is at work on it.

        Raises:
            Behind: nothing was applied; resume from `positions()`.
        """
        reply = self._call(msgspec.msgpack.encode(self._message(step)), meanwhile)
        answer = msgspec.msgpack.decode(reply)
        if "behind" in answer:
            raise Behind(
                f"{answer['behind']}: Redis has applied up to offset {answer['stored']}, expected {answer['expected']}"
            )
        return msgspec.convert(answer, Outcome, strict=False)

    def _message(self, step: Step) -> dict[str, Any]:
        return {
            "topics": TOPICS,
            "kinds": KINDS,
            "partitions": [
                (
                    partition,
                    _by_topic(step.before.positions, partition),
                    step.after.watermark(partition, step.ends),
                    _by_topic(step.after.positions, partition),
                )
                for partition in step.after.partitions
            ],
            "records": [_packed(one) for one in step.events],
            "delivered": list(step.delivered),
            "rules": self._rules,
        }

    def require_layout(self) -> None:
        """Mark the counts as ours, if nobody else's are there.

        Raises:
            AnotherLayout: they are to be deleted, or read by the version that made them.
        """
        stored: Any = self._client.get(LAYOUT_KEY)
        found = int(stored or (UNMARKED if self._client.exists(OFFSETS) else LAYOUT))
        if found != LAYOUT:
            raise AnotherLayout(
                f"The counts in Redis are of layout {found}, expected {LAYOUT}: another version of the lab made "
                f"them. Stop the stream consumer, run forget-counts, start it again: it counts anew from the topics."
            )
        self._client.set(LAYOUT_KEY, LAYOUT)

    def positions(self, partitions: Collection[int]) -> dict[Place, int]:
        """The next offset to apply in each topic of these partitions; 0 where nothing was applied yet."""
        places = [(topic, partition) for partition in sorted(partitions) for topic in range(len(TOPICS))]
        stored = self._client.hmget(OFFSETS, [_field(place) for place in places]) if places else []
        return {place: int(value or 0) for place, value in zip(places, stored, strict=True)}

    def skip_to(self, place: Place, offset: int) -> None:
        """Give up on the records before this offset, which the broker no longer has."""
        self._client.hset(OFFSETS, _field(place), offset)

    def owed(self, partitions: Collection[int]) -> list[str]:
        """What these partitions owe, oldest first: members that begin with the number of their partition."""
        members: list[Any] = self._client.zrange(OWED, 0, -1)
        return [member for member in map(bytes.decode, members) if int(member.split("/", 1)[0]) in partitions]

    def request(self, request_id: str) -> ModerationRequest | None:
        """The frozen request of this id, or None when its image has been deleted since."""
        found: dict[Any, Any] = self._client.hgetall(f"request:{request_id}")
        fields = {name.decode(): value.decode() for name, value in found.items()}
        return _thawed(request_id, fields) if fields else None

    def forget_everything(self) -> int:
        """Delete all counts, offsets and requests; return how many keys there were.

        All at once: a consumer that runs would otherwise count anew what is deleted a moment later.
        """
        return int(self._client.register_script(FORGET)(args=OWN_KEYS))

    def close(self) -> None:
        """Close the connections."""
        self._call.close()
        self._client.close()


class ScriptCall:
    """A script, called over a connection of its own: between question and answer there is time for other work."""

    def __init__(self, client: redis.Redis, script: str) -> None:
        self._client = client
        self._script = script
        self._sha = sha1(script.encode(), usedforsecurity=False).hexdigest()
        pool = client.connection_pool
        self._connection: Any = pool.connection_class(**pool.connection_kwargs)  # connects when it is first used

    def __call__(self, argument: bytes, meanwhile: Callable[[], None]) -> Any:
        """What the script answers, as bytes."""
        try:
            self._connection.send_command("EVALSHA", self._sha, 0, argument)
            meanwhile()
            try:
                return self._connection.read_response()
            except redis.exceptions.NoScriptError:  # Redis was started anew
                self._client.script_load(self._script)
                self._connection.send_command("EVALSHA", self._sha, 0, argument)
                return self._connection.read_response()
        except BaseException:
            self._connection.disconnect()  # an answer that is still on its way must not be taken for the next one
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()


def rules(settings: ConsumerSettings) -> dict[str, Any]:
    """The numbers that the script goes by. None of them is written in it."""
    return {
        "namespace": str(NAMESPACE),
        "windows": WINDOWS,
        "anchors": ANCHORS,
        "milestones": MILESTONES,
        "longest": max(window.length for window in WINDOWS),
        "retained": RETAINED,
        "housekeeping": HOUSEKEEPING,
        "tombstone": int(topics.RETENTION.total_seconds()) + HOUSEKEEPING,
        "seen": SEEN,
        "anchors_at_once": ANCHORS_AT_ONCE,
        "viral_views": settings.alert_viral_views,
        "viral_length": 5 * MINUTE,
        "suspicious_comments": settings.alert_suspicious_comments,
        "suspicious_length": MINUTE,
        "popular_views": settings.alert_popular_views,
        "popular_length": HOUR,
    }


def _by_topic(positions: Mapping[Place, int], partition: int) -> list[int]:
    return [positions[topic, partition] for topic in range(len(TOPICS))]


def _field(place: Place) -> str:
    return f"{TOPICS[place[0]]}/{place[1]}"


def _packed(one: Applicable) -> tuple[object, ...]:
    event = one.event
    where = (one.topic, one.partition, one.offset)
    return (*where, str(event.event_id), event.image_id, one.at, event.is_test, event.imported, _detail(event))


def _detail(event: object) -> dict[str, object] | None:
    match event:
        case Upload():
            return {
                "user_id": event.user_id,
                "caption_length": event.caption_length,
                "category": event.category,
            }
        case Flag() | Comment():
            return {"on_comment": isinstance(event, Flag) and event.comment_id is not None}
    return None


def _thawed(request_id: str, fields: Mapping[str, str]) -> ModerationRequest:
    """A request out of its hash, in which `as_of` stands in seconds."""
    seconds, _, fraction = fields["as_of"].partition(".")
    whole = {
        "request_id": request_id,
        "image_id": fields["image_id"],
        "trigger": fields["trigger"],
        "key": fields["key"],
        "as_of": int(seconds + fraction),
        "partition": fields["partition"],
        "counts": {name: fields[name] for name in Counts.__struct_fields__},
        "offsets": {topic: fields[f"offset:{topic}"] for topic in TOPICS},
    }
    return msgspec.convert(whole, ModerationRequest, strict=False)
