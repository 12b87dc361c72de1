"""The history mode: a week of people, photos and events, imported in batches that may be repeated."""

import asyncio
import time
from typing import Any

import numpy as np
import structlog
from pydantic import SecretStr

from gourmetgram.core.journal import PRIVATE, Journal, read_lines
from gourmetgram.data_generator import batches
from gourmetgram.data_generator.batches import EVENTS, UPLOADS, USERS, Batch
from gourmetgram.data_generator.client import IMPORT_TIMEOUT, ApiClient, Refused, Write
from gourmetgram.data_generator.home import Home, Truth, fingerprint
from gourmetgram.data_generator.ledger import Entry, Ledger, entry
from gourmetgram.data_generator.photos import PhotoShelf
from gourmetgram.data_generator.settings import GeneratorSettings
from gourmetgram.data_generator.world.engagement import KINDS
from gourmetgram.data_generator.world.history import History, Size, build_history
from gourmetgram.data_generator.world.posts import Post

logger = structlog.get_logger()

BATCHES_AT_ONCE = 4
NOT_YET = 0


class NoImportToken(RuntimeError):
    """The history mode has no token."""


def history_size(settings: GeneratorSettings) -> Size:
    """The size that the settings ask for."""
    return Size(
        settings.generator_history_days,
        settings.generator_history_users,
        settings.generator_history_images,
        settings.generator_history_events,
    )


class RefusedBatch(RuntimeError):
    """The API does not take a batch of this history."""


class Import:
    """One import: what was answered so far, and what is still to send."""

    def __init__(self, settings: GeneratorSettings, client: ApiClient, home: Home, history: History) -> None:
        self.client, self.home, self.history = client, home, history
        self.token = needed(settings.import_token)
        self.shelf = PhotoShelf(settings.photos_dir)
        self.ledger, self.truth = Ledger(settings.state_dir), Truth(settings.state_dir)
        self.users = np.full(len(history.people), NOT_YET)
        self.images = np.full(len(history.posts), NOT_YET)
        self.user_number = {person.username: number for number, person in enumerate(history.people)}
        self.progress = Journal(home.folder / "batches.jsonl", PRIVATE)
        self.done = {line["batch"]: line["answer"] for line in read_lines(self.progress.path)}
        # A kill between ledger and progress leaves lines of a batch that will be sent, and answered, once more.
        self.known_keys = set() if home.is_new else set(self.ledger.acknowledged(""))
        for batch in (*batches.split(USERS, len(self.users)), *batches.split(UPLOADS, len(self.images))):
            if batch.name in self.done:
                self.learn(batch, self.done[batch.name])

    def learn(self, batch: Batch, answer: dict[str, Any]) -> None:
        """Take the ids of users and images from an answer."""
        for username, user in answer.get(USERS, {}).items():
            self.users[self.user_number[username]] = user
        if batch.part == UPLOADS:
            for ref, image in answer["images"].items():
                self.images[int(ref)] = image

    async def send_part(self, part: str, count: int) -> None:
        """Send the batches of a part that are not yet acknowledged, a few at once, and say how far it is."""
        left = [batch for batch in batches.split(part, count) if batch.name not in self.done]
        free, sent, began = asyncio.Semaphore(BATCHES_AT_ONCE), count - sum(b.stop - b.start for b in left), time.time()
        step = max(1, len(left) // 5)

        async def send(position: int, batch: Batch) -> None:
            nonlocal sent
            async with free:
                await self.send_batch(batch)
            sent += batch.stop - batch.start
            if position % step == step - 1 or sent == count:
                logger.info("history: %d of %d %s, %.0f s", sent, count, part, time.time() - began)

        async with asyncio.TaskGroup() as tasks:
            for position, batch in enumerate(left):
                tasks.create_task(send(position, batch))

    async def send_batch(self, batch: Batch) -> None:
        """Send one batch until it is acknowledged; then ledger first, progress last."""
        body = await asyncio.to_thread(self.body, batch)
        request = Write("POST", "/import/events", self.home.key(batch.name), self.token, body, timeout=IMPORT_TIMEOUT)
        try:
            answer = await self.client.write(request)
        except Refused as error:
            raise RefusedBatch(
                f"batch {batch.name} was refused: {error}. If the database holds a history of this seed, choose "
                "another GENERATOR_SEED or reset the lab with ./lab reset"
            ) from error
        self.learn(batch, answer)
        self.ledger.record(line for line in self.lines(batch) if line["key"] not in self.known_keys)
        kept = {} if batch.part == EVENTS else answer
        self.progress.append([{"batch": batch.name, "answer": kept}])

    def body(self, batch: Batch) -> bytes:
        """The JSON of a batch."""
        if batch.part == USERS:
            return batches.users_body(self.history, batch)
        if batch.part == UPLOADS:
            return batches.uploads_body(self.history, batch, self.photo)
        return batches.events_body(self.history, batch, self.images.tolist())

    def photo(self, post: Post) -> bytes:
        """The photo of a post, small enough for an import."""
        return self.shelf.small(self.shelf.path(post.category, post.photo))

    def lines(self, batch: Batch) -> list[Entry]:
        """The ledger lines of an acknowledged batch: one for each user, upload and event."""
        rows = range(batch.start, batch.stop)
        if batch.part == USERS:
            ids = self.users.tolist()
            return [entry("user", ids[row], None, ids[row], self.home.key(f"user-{row}")) for row in rows]
        users, images, uploader = self.users, self.images, self.history.uploader
        if batch.part == UPLOADS:
            return [
                entry(
                    "upload",
                    int(images[row]),
                    int(images[row]),
                    int(users[uploader[row]]),
                    self.home.key(f"upload-{row}"),
                )
                for row in rows
            ]
        events = self.history.events
        return [
            entry(
                KINDS[events.kind[row]], None, int(images[events.image[row]]), int(users[events.person[row]]),
                self.history.event_id(row),
            )
            for row in rows
        ]  # fmt: skip

    def tell_truth(self) -> None:
        """Write the hidden truth about what was imported."""
        for user, person in zip(self.users.tolist(), self.history.people, strict=True):
            self.truth.person(user, person.persona.name)
        for image, post in zip(self.images.tolist(), self.history.posts, strict=True):
            self.truth.image(image, post.story, post.harmful)

    def close(self) -> None:
        """Give the files back."""
        for closable in (self.ledger, self.truth, self.progress, self.home):
            closable.close()


def needed(token: SecretStr | None) -> str:
    """The import token."""
    if token is None:
        raise NoImportToken("expected IMPORT_TOKEN for the history mode, found none; ./lab writes it to docker/.env")
    return token.get_secret_value()


async def run_history(settings: GeneratorSettings, client: ApiClient) -> None:
    """Import the history of this seed, or what is missing of it."""
    size, began = history_size(settings), time.monotonic()
    needed(settings.import_token)  # before anything is built or written
    sort = fingerprint(settings.generator_seed, size, settings.generator_signals)
    home = Home(settings.state_dir, f"history-{settings.generator_seed}-{sort}")
    # People of another seed or size are other people, so they get other names.
    scope, signals = f"h{sort[:4]}x", settings.generator_signals
    history = build_history(settings.generator_seed, home.started, size, scope, signals)
    work = Import(settings, client, home, history)
    done = home.folder / "done"
    try:
        if done.exists():
            logger.info("history: this one is imported already (%s)", home.folder)
            return
        logger.info(
            "history: %.0f days, %d people, %d images, %d events", size.days, size.users, size.images, size.events
        )
        for part, count in ((USERS, size.users), (UPLOADS, size.images), (EVENTS, size.events)):
            await work.send_part(part, count)
        work.tell_truth()
        done.touch()
        logger.info("history: complete after %.0f s", time.monotonic() - began)
    finally:
        work.close()
