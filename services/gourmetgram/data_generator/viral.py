"""A burst on one image: flags first, then views and comments. Ends when the last write is acknowledged."""

import asyncio
from collections.abc import Sequence

import structlog

from gourmetgram.data_generator.client import ApiClient
from gourmetgram.data_generator.home import Home, Truth, fingerprint
from gourmetgram.data_generator.ledger import Ledger
from gourmetgram.data_generator.performer import Performer
from gourmetgram.data_generator.photos import PhotoShelf
from gourmetgram.data_generator.settings import GeneratorSettings
from gourmetgram.data_generator.world.actions import Action
from gourmetgram.data_generator.world.burst import BurstSize, plan_burst

logger = structlog.get_logger()

DONE = "done"
LINE = "=" * 60


def burst_size(settings: GeneratorSettings) -> BurstSize:
    """The size that the settings ask for."""
    return BurstSize(settings.generator_burst_views, settings.generator_burst_comments, settings.generator_burst_flags)


def open_burst(settings: GeneratorSettings) -> tuple[int, Home]:
    """Number and folder of the burst: one that was killed half way and is wanted again goes on, else a new one."""
    wanted = fingerprint(settings.generator_seed, burst_size(settings), settings.generator_target_image_id)
    for run in range(1, 1 << 30):
        taken = sorted((settings.state_dir).glob(f"burst-{run}-*"))
        if not taken:
            return run, Home(settings.state_dir, f"burst-{run}-{wanted}")
        if taken[0].name.endswith(wanted) and not (taken[0] / DONE).exists():
            return run, Home(settings.state_dir, taken[0].name)
    raise AssertionError("unreachable: the numbers do not run out")


async def run_viral(settings: GeneratorSettings, client: ApiClient) -> int:
    """Send the burst; its image id is printed, and returned."""
    run, home = open_burst(settings)
    ledger, truth = Ledger(settings.state_dir), Truth(settings.state_dir)
    performer = Performer(client, home, ledger, truth, PhotoShelf(settings.photos_dir))
    target, size = settings.generator_target_image_id, burst_size(settings)
    burst = plan_burst(settings.generator_seed, run, size, home.started.year, upload=target is None)
    try:
        if target is not None:
            performer.images.set(0, target)
        await perform_all(performer, burst.people, settings.generator_concurrency)
        await perform_all(performer, burst.upload, 1)
        image: int = await performer.images.get(0)
        logger.info("burst %d on image %d: %d flags, then %d views and %d comments", run, image, *_sizes(size))
        await perform_all(performer, burst.flags, settings.generator_concurrency)
        await perform_all(performer, burst.engagement, settings.generator_concurrency)
        (home.folder / DONE).touch()
    finally:
        for closable in (home, ledger, truth):
            closable.close()
    lost = performer.counts["refused"] + performer.counts["too late"]
    if lost:
        raise SystemExit(f"{lost} writes of the burst on image {image} were refused; see the lines above")
    print(f"{LINE}\nviral image id: {image}\n{LINE}", flush=True)
    return image


def _sizes(size: BurstSize) -> tuple[int, int, int]:
    return size.flags, size.views, size.comments


async def perform_all(performer: Performer, actions: Sequence[Action], concurrency: int) -> None:
    """Perform the actions that are not yet done, several at once, and wait for the last."""
    free = asyncio.Semaphore(concurrency)

    async def one(action: Action) -> None:
        async with free:
            await performer.perform(action)

    async with asyncio.TaskGroup() as tasks:
        for action in actions:
            if not performer.recall(action):
                tasks.create_task(one(action))
