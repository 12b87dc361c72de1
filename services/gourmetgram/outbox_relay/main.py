"""Read settings, build the adapters, run the loop until SIGTERM or SIGINT."""

import signal

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.logs import set_up_logging
from gourmetgram.outbox_relay.metrics import Metrics
from gourmetgram.outbox_relay.outbox import Outbox
from gourmetgram.outbox_relay.pace import Pace
from gourmetgram.outbox_relay.publisher import Publisher
from gourmetgram.outbox_relay.relay import Relay
from gourmetgram.outbox_relay.settings import RelaySettings

FIRST_BACKOFF_SECONDS = 0.1


def main() -> None:
    """Publish until told to stop; a batch at hand is finished first."""
    set_up_logging()
    settings = RelaySettings()
    metrics = Metrics()
    relay = build(settings, metrics)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: relay.stop())
    metrics.serve(settings.relay_listen)
    relay.run()


def build(settings: RelaySettings, metrics: Metrics) -> Relay:
    """The one place where the relay's parts meet."""
    url = settings.database_url.get_secret_value()
    return Relay(
        open_outbox=lambda: Outbox.connect(url, settings.relay_silence_seconds),
        open_publisher=lambda: Publisher(settings.kafka_bootstrap_servers, settings.relay_delivery_seconds),
        metrics=metrics,
        pace=Pace(settings.relay_batch_limit, settings.relay_longest_rest_seconds),
        backoff=Backoff(FIRST_BACKOFF_SECONDS, settings.relay_longest_backoff_seconds),
        poll_seconds=settings.relay_poll_seconds,
    )
