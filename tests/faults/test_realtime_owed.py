"""A request that the broker has not acknowledged is owed, and outlives the process that asked it."""

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from gourmetgram.core import topics
from labkit.stack import Stack
from tests.faults import redis_state
from tests.faults.one_image import decided, upload
from tests.support.database import superuser_rows
from tests.support.processes import wait_until

USUAL_BYTES = 1_048_588
NOTHING_FITS = 10


def limit_requests(stack: Stack, size: int) -> None:
    """Let the topic of requests take records of at most so many bytes."""
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topics.MODERATION_REQUESTS, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": stack.address("redpanda")})
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(10)


def owed_by_upload(stack: Stack, image: int) -> bool:
    """Whether the image's first request is among what is owed, and has been applied with its event."""
    with redis_state.client(stack) as store:
        return bool(store.exists(f"image:{image}:requests")) and redis_state.owed(stack) == 1


def test_it_is_sent_again_by_the_next_process(new_stack: Stack) -> None:
    new_stack.up("stream_consumer", "risk_scoring_service")
    with superuser_rows(new_stack) as rows:
        first = upload(new_stack)
        wait_until(lambda: decided(rows, first), "the first image is decided")
        wait_until(lambda: redis_state.owed(new_stack) == 0, "nothing is owed")
        limit_requests(new_stack, NOTHING_FITS)
        second = upload(new_stack)
        wait_until(lambda: owed_by_upload(new_stack, second), "its request is owed")
        third = upload(new_stack)  # another batch, with which an acknowledgement would leave
        wait_until(lambda: redis_state.owed(new_stack) == 2, "both requests are owed")
        new_stack.kill("stream_consumer")
        limit_requests(new_stack, USUAL_BYTES)
        wait_until(lambda: decided(rows, second) and decided(rows, third), "both are decided")
        wait_until(lambda: redis_state.owed(new_stack) == 0, "nothing is owed any more")
