"""Turns decided actions into requests, once each, and remembers what came of them."""

import asyncio
from collections import Counter
from collections.abc import Callable

import aiohttp
import msgspec
import structlog

from gourmetgram.data_generator.client import ApiClient, Refused, Write
from gourmetgram.data_generator.home import Home, Truth
from gourmetgram.data_generator.ledger import Ledger, entry
from gourmetgram.data_generator.photos import PhotoShelf
from gourmetgram.data_generator.registry import NeverHappened, Registry
from gourmetgram.data_generator.world.actions import Action, Deed

logger = structlog.get_logger()

UNAUTHORIZED, CONFLICT, GONE = 401, 409, 410
MOST_NAMES = 50


class WrongDatabase(RuntimeError):
    """The API does not know the people of this state folder."""


class Performer:
    """Does the actions of one world, and skips those that were done before a restart."""

    def __init__(self, client: ApiClient, home: Home, ledger: Ledger, truth: Truth, shelf: PhotoShelf) -> None:
        self.client, self.home, self.ledger, self.truth, self.shelf = client, home, ledger, truth, shelf
        self.people, self.images, self.comments = Registry(), Registry(), Registry()
        self.counts: Counter[str] = Counter()
        self.ready = False
        self._acknowledged = ledger.acknowledged(home.key(""))
        self._tokens = home.tokens()
        self._refused = home.refused()

    async def all_there(self, people: int, images: int) -> None:
        """Wait until the first people and images of the world are registered (or refused)."""
        wanted = [self.people.get(number) for number in range(people)]
        wanted += [self.images.get(number) for number in range(images)]
        found = await asyncio.gather(*wanted, return_exceptions=True)
        missing = sum(isinstance(result, NeverHappened) for result in found)
        logger.info("%d of %d people and images are there", len(found) - missing, len(found))
        self.ready = True

    def recall(self, action: Action) -> bool:
        """Whether the action is over since before a restart; if so, what came of it is known again."""
        if action.deed is Deed.USER and action.actor in self._tokens:
            return self._recall_person(action)
        if action.number in self._refused:
            self._forget(action)
            return True
        key = self.home.key(action.number)
        if key not in self._acknowledged or action.deed is Deed.USER:
            return False
        self._learn(action, self._acknowledged.pop(key))
        return True

    def _recall_person(self, action: Action) -> bool:
        user, token = self._tokens[action.actor]
        self.people.set(action.actor, (user, token))
        if self.home.key(action.number) not in self._acknowledged:  # killed between the two files
            self.ledger.record([entry(Deed.USER, user, None, user, self.home.key(action.number))])
        return True

    def _learn(self, action: Action, resource: int | None) -> None:
        if action.deed is Deed.UPLOAD and action.image is not None:
            self.images.set(action.image, resource)
        elif action.deed is Deed.COMMENT:
            self.comments.set(action.number, resource)

    def _forget(self, action: Action) -> None:
        if action.deed is Deed.USER:
            self.people.fail(action.actor)
        elif action.deed is Deed.UPLOAD and action.image is not None:
            self.images.fail(action.image)
        elif action.deed is Deed.COMMENT:
            self.comments.fail(action.number)

    async def perform(self, action: Action) -> None:
        """Do it, and write down that it was acknowledged or refused.

        Raises:
            WrongDatabase: the API does not know this person's token.
        """
        try:
            await (self._register(action) if action.deed is Deed.USER else self._write(action))
        except NeverHappened:
            self._give_up(action, 0)
        except Refused as error:
            self._refusal(action, error)
        else:
            self.counts[action.deed] += 1

    def _refusal(self, action: Action, error: Refused) -> None:
        if error.status == UNAUTHORIZED:
            raise WrongDatabase(
                f"the API refuses the token of a person it should know: {error}. The folder {self.home.folder} belongs "
                "to another database. Remove the folder, or reset the lab with ./lab reset"
            ) from error
        if error.status == GONE:
            self.counts["too late"] += 1
        else:
            self.counts["refused"] += 1
            logger.warning("%s number %d was refused: %s", action.deed, action.number, error)
        self._give_up(action, error.status)

    def _give_up(self, action: Action, status: int) -> None:
        self.home.keep_refused(action.number, status)
        self._forget(action)

    async def _register(self, action: Action) -> None:
        """Register a person; a name that somebody else took gets a number behind it."""
        key, person = self.home.key(action.number), action.person
        assert person is not None, "a USER action brings its person"  # noqa: S101
        for attempt in range(1, MOST_NAMES + 1):
            suffix = "" if attempt == 1 else f"_{attempt}"
            body = {
                "username": person.username + suffix,
                "country_of_residence": person.country,
                "year_of_birth": person.year_of_birth,
                "tos_version_accepted": 1,
                "is_test_account": person.is_test_account,
            }
            try:
                answer = await self.client.write(Write("POST", "/users/", key + suffix, json=msgspec.json.encode(body)))
                break
            except Refused as error:
                if error.status != CONFLICT or attempt == MOST_NAMES:
                    raise
        self.truth.person(answer["id"], person.persona.name)
        self.home.keep_token(action.actor, answer["id"], answer["token"])
        self.ledger.record([entry(Deed.USER, answer["id"], None, answer["id"], key)])
        self.people.set(action.actor, (answer["id"], answer["token"]))

    async def _write(self, action: Action) -> None:
        """Send a write of a registered person."""
        user, token = await self.people.get(action.actor)
        image = await self.images.get(action.image) if action.image is not None and action.post is None else None
        comment = await self.comments.get(action.comment) if action.comment is not None else None
        key = self.home.key(action.number)
        answer = await self.client.write(self._request(action, key, token, image, comment))
        resource = image if action.deed is Deed.DELETION else answer.get("id")
        if action.post is not None:
            image = resource
            self.truth.image(answer["id"], action.post.story, action.post.harmful)
        self.ledger.record([entry(action.deed, resource, image, user, key)])
        self._learn(action, resource)

    def _request(self, action: Action, key: str, token: str, image: int | None, comment: int | None) -> Write:
        if action.deed is Deed.UPLOAD:
            return Write("POST", "/upload/", key, token, form=self._form(action))
        if action.deed is Deed.VIEW:
            return Write("POST", f"/images/{image}/view", key, token)
        if action.deed is Deed.DELETION:
            return Write("DELETE", f"/images/{image}", key, token)
        if action.deed is Deed.COMMENT:
            return Write("POST", "/comments/", key, token, _json(image_id=image, content=action.text))
        target = {"image_id": image} if comment is None else {"comment_id": comment}
        return Write("POST", "/flags/", key, token, _json(**target, reason=action.text))

    def _form(self, action: Action) -> Callable[[], aiohttp.FormData]:
        """Makes the form of an upload anew for each try; aiohttp can send a form only once."""
        post = action.post
        assert post is not None, "an UPLOAD action brings its post"  # noqa: S101
        path = self.shelf.path(post.category, post.photo)
        content = path.read_bytes()

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("caption", post.caption)
            data.add_field("category", post.category)
            data.add_field("file", content, filename=path.name, content_type="image/jpeg")
            return data

        return form


def _json(**body: object) -> bytes:
    return msgspec.json.encode(body)
