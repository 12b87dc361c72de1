"""The stream consumer once more, in plain Python: lists, loops and no cleverness, to compare Redis with."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from gourmetgram.core.events import Deletion, Flag, Upload
from gourmetgram.core.moderation import Counts, ModerationRequest, Trigger, request_id
from gourmetgram.core.records import KINDS, TOPICS, Applicable
from gourmetgram.stream_consumer.batch import Place
from gourmetgram.stream_consumer.state import Step

MINUTE = 60_000_000
WINDOWS = {
    "views_5min": ("view", 5 * MINUTE),
    "views_1hr": ("view", 60 * MINUTE),
    "comments_5min": ("comment", 5 * MINUTE),
    "comments_1hr": ("comment", 60 * MINUTE),
    "flags_5min": ("flag", 5 * MINUTE),
    "flags_1hr": ("flag", 60 * MINUTE),
}
KEPT = 65 * MINUTE


def text(time: int) -> str:
    """Seconds with six decimals."""
    return f"{time // 10**6}.{time % 10**6:06d}"


@dataclass
class Limits:
    """The numbers that may differ between runs."""

    viral: int = 100
    suspicious: int = 10
    popular: int = 50
    milestones: tuple[int, ...] = (10, 100, 1000)
    anchors_at_once: int = 200
    seen: int = 2000

    def rules(self) -> dict[str, Any]:
        """The same for a Store."""
        return {
            "viral_views": self.viral,
            "suspicious_comments": self.suspicious,
            "popular_views": self.popular,
            "milestones": self.milestones,
            "anchors_at_once": self.anchors_at_once,
            "seen": self.seen,
        }


@dataclass
class Followed:
    """What one batch led to."""

    requests: list[ModerationRequest] = field(default_factory=list)
    milestones: list[str] = field(default_factory=list)
    popular: list[tuple[str, int]] = field(default_factory=list)
    duplicates: int = 0
    repeated: int = 0
    late: int = 0
    skipped: int = 0
    more: bool = False


class Model:
    """Everything that has been applied. Images are in one partition each."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.windows: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
        self.totals: Counter[tuple[int, str]] = Counter()
        self.metadata: dict[int, dict[str, str]] = {}
        self.deleted: dict[int, int] = {}
        self.requests: dict[str, ModerationRequest] = {}
        self.due: dict[int, dict[str, int]] = defaultdict(dict)
        self.owed: dict[str, int] = {}
        self.positions: dict[Place, int] = {}
        self.watermarks: dict[int, int] = {}
        self.seen: dict[Place, dict[str, int]] = defaultdict(dict)

    def apply(self, step: Step) -> Followed:
        """Apply a batch event by event, then let time pass."""
        self._now = Followed()
        self._touched: set[tuple[int, str, int]] = set()
        for partition in step.after.partitions:
            self.watermarks.setdefault(partition, 0)
            for topic in range(len(TOPICS)):
                self.positions.setdefault((topic, partition), 0)
        for one in step.events:
            self._event(one)
        for place, position in step.after.positions.items():
            self.positions[place] = max(self.positions[place], position)
        for partition in step.after.partitions:
            self._advance(partition, step.after.watermark(partition, step.ends) or 0)
        self._clean_up(step)
        return self._now

    def _event(self, one: Applicable) -> None:
        place = (one.topic, one.partition)
        event = one.event
        if one.offset < self.positions[place]:
            self._now.repeated += 1
            return
        self.positions[place] = one.offset + 1
        if str(event.event_id) in self.seen[place]:
            self._now.duplicates += 1
            return
        self.seen[place][str(event.event_id)] = one.offset
        if isinstance(event, Deletion):
            self._delete(one)
        elif event.is_test or event.image_id in self.deleted:
            self._now.skipped += 1
        elif isinstance(event, Upload):
            self._upload(one, event)
        elif not (isinstance(event, Flag) and event.comment_id is not None):
            self._engagement(one)

    def _delete(self, one: Applicable) -> None:
        image = one.event.image_id
        self.deleted[image] = one.at
        self.metadata.pop(image, None)
        for kind in KINDS:
            self.windows.pop((image, kind), None)
            self.totals.pop((image, kind), None)
        gone = [id_ for id_, request in self.requests.items() if request.image_id == image]
        for id_ in gone:
            del self.requests[id_]
            self.owed.pop(f"{one.partition}/request/{id_}", None)
        self.due[one.partition] = {
            member: time for member, time in self.due[one.partition].items() if not member.startswith(f"{image}/")
        }
        self._touched = {touched for touched in self._touched if touched[0] != image}

    def _upload(self, one: Applicable, event: Upload) -> None:
        self.metadata[event.image_id] = {
            "user_id": str(event.user_id),
            "uploaded_at": text(one.at),
            "caption_length": str(event.caption_length),
            "category": event.category,
        }
        if not event.imported:
            self._ask(one, "upload", "0", one.at)
            for minutes in (5, 30):
                self.due[one.partition][f"{event.image_id}/{minutes}"] = one.at + minutes * MINUTE

    def _engagement(self, one: Applicable) -> None:
        event, kind = one.event, one.event.type
        self.totals[event.image_id, kind] += 1
        total = self.totals[event.image_id, kind]
        if event.imported:
            return
        if kind == "view" and total in self._limits.milestones:
            member = f"{one.partition}/milestone/{event.image_id}/{total}/{one.at}"
            self.owed[member] = one.at
            self._now.milestones.append(member)
        late = one.at <= self.watermarks[one.partition] - KEPT
        if late:
            self._now.late += 1
        else:
            self.windows[event.image_id, kind][str(event.event_id)] = one.at
            self._touched.add((event.image_id, kind, one.partition))
            self._alert(one)
        if kind == "flag" and total in {2**power for power in range(20)}:
            newest = max([*self.windows[event.image_id, kind].values(), one.at if late else 0])
            self._ask(one, "flagged", str(total), newest)

    def _alert(self, one: Applicable) -> None:
        image, kind = one.event.image_id, one.event.type
        newest = max(self.windows[image, kind].values())

        def lifted_to(threshold: int, length: int) -> bool:
            inside = self._count(image, kind, newest - length, newest)
            return inside == threshold and newest - length < one.at

        if kind == "view" and lifted_to(self._limits.viral, 5 * MINUTE):
            self._ask(one, "viral", str(one.event.event_id), newest)
        if kind == "view" and lifted_to(self._limits.popular, 60 * MINUTE):
            self._now.popular.append((str(image), self._limits.popular))
        if kind == "comment" and lifted_to(self._limits.suspicious, MINUTE):
            self._ask(one, "suspicious", str(one.event.event_id), newest)

    def _count(self, image: int, kind: str, start: int, end: int) -> int:
        return sum(1 for time in self.windows.get((image, kind), {}).values() if start < time <= end)

    def _ask(self, one: Applicable, trigger: Trigger, key: str, as_of: int) -> None:
        self._ask_about(one.event.image_id, one.partition, trigger, key, as_of)

    def _ask_about(self, image: int, partition: int, trigger: Trigger, key: str, instant: int) -> None:
        as_of = self._countable(image, partition, instant)
        counts = {name: self._count(image, kind, as_of - length, as_of) for name, (kind, length) in WINDOWS.items()}
        later = sum(1 for time in self.windows.get((image, "flag"), {}).values() if time > as_of)
        request = ModerationRequest(
            request_id=request_id(image, trigger, key),
            image_id=image,
            trigger=trigger,
            key=key,
            as_of=as_of,
            counts=Counts(**counts, total_flags=self.totals[image, "flag"] - later),
            partition=partition,
            offsets={name: self.positions[topic, partition] for topic, name in enumerate(TOPICS)},
        )
        self.requests[str(request.request_id)] = request
        self.owed[f"{partition}/request/{request.request_id}"] = as_of
        self._now.requests.append(request)

    def _countable(self, image: int, partition: int, instant: int) -> int:
        """Not so long ago that events of the last hour may be gone, unless the image is younger than all that is."""
        border = self.watermarks[partition] - KEPT
        uploaded = self.metadata.get(image, {}).get("uploaded_at", "0.000000")
        is_young = int(uploaded.replace(".", "")) > border
        return instant if is_young else max(instant, border + 60 * MINUTE)

    def _advance(self, partition: int, target: int) -> None:
        """Fire the anchors that are due, the earliest first, and let stream time pass."""
        target = max(target, self.watermarks[partition])
        due = sorted((time, member) for member, time in self.due[partition].items() if time <= target)
        for time, member in due[: self._limits.anchors_at_once]:
            del self.due[partition][member]
            image, minutes = member.split("/")
            if int(image) not in self.deleted:
                self._ask_about(int(image), partition, "anchor", minutes, time)
        if len(due) >= self._limits.anchors_at_once:
            self._now.more = True
            target = max(self.watermarks[partition], due[self._limits.anchors_at_once - 1][0])
        self.watermarks[partition] = target

    def _clean_up(self, step: Step) -> None:
        for image, kind, partition in self._touched:
            border = self.watermarks[partition] - KEPT
            events = self.windows[image, kind]
            self.windows[image, kind] = {id_: time for id_, time in events.items() if time > border}
        for place, ids in self.seen.items():
            latest = sorted(ids, key=lambda id_: ids[id_])[-self._limits.seen :]
            self.seen[place] = {id_: ids[id_] for id_ in latest}
        for member in step.delivered:
            self.owed.pop(member, None)

    def everything(self) -> dict[str, Any]:
        """What Redis should hold, key by key."""
        keys: dict[str, Any] = {
            "stream:offsets": {f"{TOPICS[topic]}/{number}": str(at) for (topic, number), at in self.positions.items()},
            "stream:watermark": {str(partition): str(time) for partition, time in self.watermarks.items()},
            "stream:owed": self.owed,
        }
        keys |= {f"stream:seen:{TOPICS[topic]}/{number}": ids for (topic, number), ids in self.seen.items()}
        keys |= {f"moderation:due:{partition}": members for partition, members in self.due.items()}
        keys |= {f"image:{image}:{kind}s": events for (image, kind), events in self.windows.items()}
        keys |= {f"image:{image}:total_{kind}s": str(total) for (image, kind), total in self.totals.items() if total}
        keys |= {f"image:{image}:metadata": fields for image, fields in self.metadata.items()}
        keys |= {f"image:{image}:deleted": text(time) for image, time in self.deleted.items()}
        for id_, request in self.requests.items():
            keys[f"request:{id_}"] = frozen(request)
            keys.setdefault(f"image:{request.image_id}:requests", set()).add(id_)
        return {key: value for key, value in keys.items() if value}


def frozen(request: ModerationRequest) -> dict[str, str]:
    """The hash of a request."""
    return {
        "image_id": str(request.image_id),
        "trigger": request.trigger,
        "key": request.key,
        "as_of": text(request.as_of),
        "partition": str(request.partition),
        **{name: str(getattr(request.counts, name)) for name in [*WINDOWS, "total_flags"]},
        **{f"offset:{topic}": str(offset) for topic, offset in request.offsets.items()},
    }
