"""Read settings, build the adapters, run the loop until SIGTERM or SIGINT."""

import signal

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.logs import set_up_logging
from gourmetgram.stream_consumer.consumer import Parts, StreamConsumer
from gourmetgram.stream_consumer.event_log import EndsWatcher, EventLog
from gourmetgram.stream_consumer.metrics import Metrics
from gourmetgram.stream_consumer.milestones import Milestones
from gourmetgram.stream_consumer.publisher import Publisher
from gourmetgram.stream_consumer.settings import ConsumerSettings
from gourmetgram.stream_consumer.state import Store

FIRST_BACKOFF_SECONDS = 0.05


def main() -> None:
    """Consume until told to stop; a batch at hand is finished first."""
    set_up_logging()
    settings = ConsumerSettings()
    metrics = Metrics()
    parts = build(settings)
    backoff = Backoff(FIRST_BACKOFF_SECONDS, settings.consumer_longest_backoff_seconds)
    consumer = StreamConsumer(parts, metrics, backoff, settings.consumer_batch_limit)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stop())
    metrics.serve(settings.consumer_listen)
    consumer.run()
    for part in (parts.publisher, parts.milestones, parts.ends):
        part.close()


def build(settings: ConsumerSettings) -> Parts:
    """The one place where the consumer's parts meet."""
    servers = settings.kafka_bootstrap_servers
    return Parts(
        open_log=lambda: EventLog(servers, settings.consumer_group, settings.consumer_instance),
        open_store=lambda: Store.connect(settings),
        publisher=Publisher(servers),
        milestones=Milestones(settings.database_url.get_secret_value(), settings.consumer_longest_backoff_seconds),
        ends=EndsWatcher(servers, settings.consumer_ends_seconds),
    )
