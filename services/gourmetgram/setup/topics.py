"""`python -m gourmetgram.setup.topics`: create the topics that are missing, and refuse ones of another shape."""

import os

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAlreadyExistsError
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_random_exponential

from gourmetgram.core import topics


def wanted(names: list[str]) -> list[NewTopic]:
    """How these topics are to be created."""
    settings = {"retention.ms": str(int(topics.RETENTION.total_seconds() * 1000))}
    return [
        NewTopic(name, num_partitions=topics.PARTITIONS, replication_factor=1, topic_configs=settings) for name in names
    ]


def sizes_of(described: list[dict[str, object]]) -> dict[str, int]:
    """How many partitions each topic has; 0 of one that was created a moment ago, and is not known everywhere yet."""
    return {str(one["name"] if "name" in one else one["topic"]): len(list(one["partitions"])) for one in described}  # type: ignore[call-overload]


def misshapen(described: list[dict[str, object]]) -> list[str]:
    """What is wrong with topics that exist already: a sentence each."""
    sizes = sizes_of(described)
    return [
        f"topic {name} has {size} partitions, expected {topics.PARTITIONS}: an image would be in different partitions "
        f"of different topics. Another version of the lab made it: use that one, or begin anew (`./lab reset`)."
        for name, size in sizes.items()
        if name in topics.ALL and size != topics.PARTITIONS
    ]


@retry(
    retry=retry_if_exception_type((KafkaConnectionError, KafkaTimeoutError)),
    stop=stop_after_delay(30),
    wait=wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)
def connect(servers: str) -> KafkaAdminClient:
    """An administration client, once the broker answers."""
    return KafkaAdminClient(bootstrap_servers=servers.split(","))


@retry(
    retry=retry_if_result(lambda described: 0 in sizes_of(described).values()),
    stop=stop_after_delay(20),
    wait=wait_random_exponential(multiplier=0.1, max=1),
    retry_error_callback=lambda state: (
        state.outcome.result() if state.outcome else []
    ),  # still not known: told as it is
)
def describe(admin: KafkaAdminClient) -> list[dict[str, object]]:
    """All our topics, once the broker knows their partitions."""
    described: list[dict[str, object]] = admin.describe_topics(list(topics.ALL))
    return described


def main() -> None:
    """Create what is missing on the broker named by KAFKA_BOOTSTRAP_SERVERS."""
    admin = connect(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    try:
        missing = sorted(set(topics.ALL) - set(admin.list_topics()))
        if missing:
            try:
                admin.create_topics(wanted(missing))
            except TopicAlreadyExistsError:
                print("another topics-init was quicker")
        problems = misshapen(describe(admin))
    finally:
        admin.close()
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{len(topics.ALL)} topics with {topics.PARTITIONS} partitions, {len(missing)} of them new", flush=True)


if __name__ == "__main__":
    main()
