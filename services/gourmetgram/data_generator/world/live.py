"""Live traffic without end: what happens next, decided from the seed and what was decided before, nothing else.

Because no decision depends on time, rate or answers, a restarted generator finds where it was by deciding again.
"""

from bisect import bisect
from collections import deque
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import NamedTuple

from gourmetgram.data_generator.world.actions import Action, Deed
from gourmetgram.data_generator.world.people import Person, draw_person
from gourmetgram.data_generator.world.posts import Post, Story, draw_post, draw_story
from gourmetgram.data_generator.world.seeding import pick, shares, stream
from gourmetgram.data_generator.world.texts import draw_comment, draw_reason

MIX = {Deed.VIEW: 0.80, Deed.COMMENT: 0.13, Deed.UPLOAD: 0.03, Deed.FLAG: 0.02, Deed.USER: 0.016, Deed.DELETION: 0.004}
DEEDS = tuple(MIX)
MIX_EDGES = tuple(accumulate(shares(list(MIX.values())).tolist()))
TENDENCY = {Deed.VIEW: "views", Deed.COMMENT: "comments", Deed.FLAG: "flags", Deed.UPLOAD: "uploads"}

FOLLOWING = 0.75
"""Probability of looking at what others have just looked at (the rich get richer), else one browses the newest."""
RECENT_VIEWS = 1000
BROWSED = 150
NOTICE_AFTER = 300.0
"""Mean number of actions until people notice a harmful post (or a brigade finds its post) and complain in comments."""
FLAGS_AFTER = 900.0
"""Mean number of actions from then until people begin to flag a harmful post. A brigade does not wait."""
IN_TROUBLE = 10
"""Posts at a time that draw complaints, and that draw flags; then people turn to newer ones."""
COMMENT_ON_TROUBLE = 0.25
FLAG_ON_TROUBLE = 0.75
FLAG_ON_COMMENT = 0.12
FEWEST_IMAGES = 5
TRIES = 12


class Trouble(NamedTuple):
    """A post that draws complaints and flags, and the numbers of the actions from which on it does."""

    image: int
    complaints_from: int
    flags_from: int

    def begins(self, deed: Deed) -> int:
        """From when on people do this to it."""
        return self.complaints_from if deed is Deed.COMMENT else self.flags_from


class LiveWorld:
    """People and posts as they were decided. Iterating decides the next action, for ever."""

    def __init__(self, seed: int, users: int, images: int, year: int) -> None:
        self.rng = stream(seed, "live")
        self.initial_users, self.initial_images, self.year = max(users, 2), max(images, 1), year
        self.people: list[Person] = []
        self.posts: list[Post] = []
        self.owner: list[int] = []
        self.alive: list[int] = []
        self.deleted: set[int] = set()
        self.comments: list[tuple[int, int]] = []
        self.flagged: set[tuple[int, str, int]] = set()
        self.recent: deque[int] = deque(maxlen=RECENT_VIEWS)
        self.trouble: deque[Trouble] = deque(maxlen=BROWSED)
        self.reach: dict[Deed, list[float]] = {deed: [] for deed in TENDENCY}
        self.number = 0

    def __iter__(self) -> Iterator[Action]:
        for _ in range(self.initial_users):
            yield self.register(gap=0.0)
        for _ in range(self.initial_images):
            yield self.upload(gap=0.0)
        while True:
            gap = float(self.rng.exponential())
            yield self.act(DEEDS[min(bisect(MIX_EDGES, self.rng.random()), len(DEEDS) - 1)], gap)

    def first(self, count: int) -> list[Action]:
        """The next `count` actions."""
        return list(islice(self, count))

    def act(self, deed: Deed, gap: float) -> Action:
        """The next action, of this kind if the world allows it, else a view."""
        if deed is Deed.USER:
            return self.register(gap)
        if deed is Deed.UPLOAD:
            return self.upload(gap)
        if deed is Deed.COMMENT:
            return self.comment(gap)
        if deed is Deed.FLAG:
            return self.flag(gap) or self.view(gap)
        if deed is Deed.DELETION and len(self.alive) > FEWEST_IMAGES:
            return self.delete(gap)
        return self.view(gap)

    def register(self, gap: float) -> Action:
        """Somebody joins."""
        person = draw_person(self.rng, "", len(self.people), self.year)
        self.people.append(person)
        for deed, tendency in TENDENCY.items():
            so_far = self.reach[deed][-1] if self.reach[deed] else 0.0
            self.reach[deed].append(so_far + getattr(person.persona, tendency) * float(self.rng.lognormal()) + 1e-9)
        return self.next(Deed.USER, len(self.people) - 1, gap, person=person)

    def upload(self, gap: float) -> Action:
        """Somebody posts a photo; when it is harmful, or a brigade has its eye on it, trouble follows later."""
        owner = self.someone(Deed.UPLOAD)
        post = draw_post(self.rng, draw_story(self.rng, self.people[owner]))
        image = len(self.posts)
        self.posts.append(post)
        self.owner.append(owner)
        self.alive.append(image)
        if post.story in (Story.HARMFUL, Story.BRIGADED):
            self.trouble.append(self.trouble_ahead(image, post.story))
        return self.next(Deed.UPLOAD, owner, gap, image=image, post=post)

    def trouble_ahead(self, image: int, story: Story) -> Trouble:
        """When trouble comes to a new post: complaints first, flags later, unless by a brigade."""
        noticed = self.number + int(self.rng.exponential(NOTICE_AFTER))
        hesitation = 0 if story is Story.BRIGADED else int(self.rng.exponential(FLAGS_AFTER))
        return Trouble(image, noticed, noticed + hesitation)

    def view(self, gap: float) -> Action:
        """Somebody looks at an image."""
        image = self.something()
        self.recent.append(image)
        return self.next(Deed.VIEW, self.someone(Deed.VIEW), gap, image=image)

    def comment(self, gap: float) -> Action:
        """Somebody comments: spammers spam, and where there is trouble people complain."""
        troubled = self.troubled(Deed.COMMENT) if self.rng.random() < COMMENT_ON_TROUBLE else None
        image = self.something() if troubled is None else troubled
        actor = self.someone(Deed.COMMENT)
        mood = "praise" if troubled is None else "complaint"
        mood = "spam" if self.people[actor].persona.name == "spammer" else mood
        self.comments.append((self.number, image))
        text = draw_comment(self.rng, self.posts[image].category, mood)
        return self.next(Deed.COMMENT, actor, gap, image=image, text=text)

    def flag(self, gap: float) -> Action | None:
        """Somebody flags an image or a comment, for good reason or by mistake; nobody flags the same thing twice."""
        for _ in range(TRIES):
            actor = self.someone(Deed.FLAG)
            if self.comments and self.rng.random() < FLAG_ON_COMMENT:
                number, image = self.comments[int(self.rng.integers(len(self.comments)))]
                if image not in self.deleted and self.is_new_flag(actor, "comment", number):
                    reason = draw_reason(self.rng, "comment")
                    return self.next(Deed.FLAG, actor, gap, comment=number, image=image, text=reason)
                continue
            troubled = self.troubled(Deed.FLAG) if self.rng.random() < FLAG_ON_TROUBLE else None
            image = self.something() if troubled is None else troubled
            if actor != self.owner[image] and self.is_new_flag(actor, "image", image):
                reason = draw_reason(self.rng, "mistaken" if troubled is None else "harmful")
                return self.next(Deed.FLAG, actor, gap, image=image, text=reason)
        return None

    def delete(self, gap: float) -> Action:
        """An owner takes an image down."""
        image = self.alive.pop(int(self.rng.integers(len(self.alive))))
        self.deleted.add(image)
        return self.next(Deed.DELETION, self.owner[image], gap, image=image)

    def someone(self, deed: Deed) -> int:
        """A person by how much the persona tends to the deed."""
        reach = self.reach[deed]
        return min(bisect(reach, float(self.rng.random()) * reach[-1]), len(reach) - 1)

    def something(self) -> int:
        """An image to look at: what others look at, else one of the newest by its appeal."""
        if self.recent and self.rng.random() < FOLLOWING:
            image = self.recent[int(self.rng.integers(len(self.recent)))]
            if image not in self.deleted:
                return image
        newest = min(len(self.alive), BROWSED)
        for _ in range(TRIES):
            image = self.alive[-1 - int(self.rng.integers(newest))]
            appeal = self.posts[image].appeal
            if self.rng.random() < appeal / (1 + appeal):
                break
        return image

    def troubled(self, deed: Deed) -> int | None:
        """A post that is so far in its trouble that people do this to it, if there is one."""
        begun = [one.image for one in self.trouble if one.begins(deed) <= self.number and one.image not in self.deleted]
        return pick(self.rng, begun[-IN_TROUBLE:]) if begun else None

    def is_new_flag(self, actor: int, kind: str, target: int) -> bool:
        """Whether this person has not flagged this before; remembers it."""
        key = (actor, kind, target)
        known = key in self.flagged
        self.flagged.add(key)
        return not known

    def next(
        self, deed: Deed, actor: int, gap: float, *, image: int | None = None, comment: int | None = None,
        text: str = "", person: Person | None = None, post: Post | None = None,
    ) -> Action:  # fmt: skip
        """The action with the next number."""
        action = Action(self.number, deed, actor, image, comment, text, person, post, gap)
        self.number += 1
        return action
