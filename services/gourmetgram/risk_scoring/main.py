"""Read settings, build the adapters, run the loop until SIGTERM or SIGINT."""

import signal

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.logs import set_up_logging
from gourmetgram.core.policy import load
from gourmetgram.risk_scoring.database import Database
from gourmetgram.risk_scoring.metrics import Metrics
from gourmetgram.risk_scoring.requests import DeadLetters, RequestLog
from gourmetgram.risk_scoring.scorer import Scorer
from gourmetgram.risk_scoring.serving import RULES_ALONE
from gourmetgram.risk_scoring.settings import ScorerSettings

FIRST_BACKOFF_SECONDS = 0.05


def main() -> None:
    """Score until told to stop; a batch at hand is finished first."""
    set_up_logging()
    settings = ScorerSettings()
    metrics = Metrics()
    scorer = build(settings, metrics)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scorer.stop())
    metrics.serve(settings.scorer_listen)
    scorer.run()


def build(settings: ScorerSettings, metrics: Metrics) -> Scorer:
    """The one place where the scorer's parts meet."""
    servers, url = settings.kafka_bootstrap_servers, settings.database_url.get_secret_value()
    return Scorer(
        open_log=lambda: RequestLog(servers, settings.scorer_group, settings.scorer_instance),
        open_database=lambda: Database.connect(url),
        dead_letters=DeadLetters(servers),
        policy=load(settings.policy_version),
        serving=lambda: RULES_ALONE,
        metrics=metrics,
        backoff=Backoff(FIRST_BACKOFF_SECONDS, settings.scorer_longest_backoff_seconds),
        batch_limit=settings.scorer_batch_limit,
    )
