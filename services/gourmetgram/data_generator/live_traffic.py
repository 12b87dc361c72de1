"""Live traffic: the initial people and images, then one event after another at the wanted rate, for ever."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import structlog

from gourmetgram.data_generator.client import ApiClient
from gourmetgram.data_generator.heartbeat import HEARTBEAT, beat
from gourmetgram.data_generator.home import Home, Truth, fingerprint
from gourmetgram.data_generator.ledger import Ledger
from gourmetgram.data_generator.performer import Performer
from gourmetgram.data_generator.photos import PhotoShelf
from gourmetgram.data_generator.settings import GeneratorSettings
from gourmetgram.data_generator.world.actions import Action
from gourmetgram.data_generator.world.live import LiveWorld

logger = structlog.get_logger()

HEARTBEAT_SECONDS = 2.0
REPORT_SECONDS = 60.0
LATE_SECONDS = 1.0
SAMPLED_ACTIONS = 300
HOUR_SECONDS = 3600.0


class Pace:
    """When the next event is due (monotonic seconds). After an outage it goes on from now, without a rush."""

    def __init__(self, per_hour: float, now: float) -> None:
        self.mean_gap = HOUR_SECONDS / per_hour
        self.due = now

    def wait_before(self, action: Action, now: float) -> float:
        """Seconds to wait before this action."""
        self.due = max(self.due + action.gap * self.mean_gap, now - LATE_SECONDS)
        return max(0.0, self.due - now)


def world_name(settings: GeneratorSettings) -> str:
    """The folder of the live world: other settings, or other code behind the decisions, make another world."""
    wanted = (settings.generator_seed, settings.generator_initial_users, settings.generator_initial_images)
    sample = LiveWorld(*wanted, year=2000).first(sum(wanted[1:]) + SAMPLED_ACTIONS)
    return f"live-{settings.generator_seed}-{fingerprint(wanted, sample)}"


async def run_live(settings: GeneratorSettings, client: ApiClient, stop: asyncio.Event) -> None:
    """Send live traffic until told to stop; what is in flight is finished first."""
    state = settings.state_dir
    home = Home(state, world_name(settings))
    ledger, truth = Ledger(state), Truth(state)
    performer = Performer(client, home, ledger, truth, PhotoShelf(settings.photos_dir))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(report(performer, state / HEARTBEAT, stop))
            world = LiveWorld(
                settings.generator_seed,
                settings.generator_initial_users,
                settings.generator_initial_images,
                home.started.year,
            )
            await send(world, performer, settings, tasks, stop)
    finally:
        (state / HEARTBEAT).unlink(missing_ok=True)
        for closable in (home, ledger, truth):
            closable.close()


async def send(
    world: LiveWorld, performer: Performer, settings: GeneratorSettings, tasks: asyncio.TaskGroup, stop: asyncio.Event
) -> None:
    """Perform the actions of the world, each at its time; those of before a restart are only recalled."""
    free = asyncio.Semaphore(settings.generator_concurrency)
    rate = settings.generator_arrival_rate
    first_traffic = world.initial_users + world.initial_images
    logger.info("live traffic: about %.0f events per hour, seed %d", rate, settings.generator_seed)
    recalled, pace = 0, Pace(rate, time.monotonic())
    for action in world:
        if action.number == first_traffic:
            await performer.all_there(world.initial_users, world.initial_images)
        if performer.recall(action):
            recalled += 1
            continue
        if recalled:
            logger.info("continuing after a restart: %d actions were done before", recalled)
            recalled = 0
        await pause(stop, pace.wait_before(action, time.monotonic()))
        await free.acquire()
        if stop.is_set():
            return
        tasks.create_task(performer.perform(action)).add_done_callback(lambda _: free.release())


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until told to stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


async def report(performer: Performer, heartbeat: Path, stop: asyncio.Event) -> None:
    """A line a minute about what was sent, and a heartbeat file for the health check."""
    seen, retries, said = Counter[str](), 0, time.monotonic()
    while not stop.is_set():
        beat(heartbeat, api=not performer.client.is_down, ready=performer.ready)
        await pause(stop, HEARTBEAT_SECONDS)
        if time.monotonic() - said >= REPORT_SECONDS:
            logger.info(summary(performer.counts - seen, performer.client.retries - retries))
            seen, retries, said = performer.counts.copy(), performer.client.retries, time.monotonic()


def summary(counts: Counter[str], retries: int) -> str:
    """A minute of traffic in one line, such as `last minute: 41 view, 6 comment, 1 upload`."""
    done = ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "nothing"
    return f"last minute: {done}" + (f"; {retries} requests repeated" if retries else "")
