"""Read settings, build the adapters, run the loop until SIGTERM or SIGINT."""

import signal

from gourmetgram.core.backoff import Backoff
from gourmetgram.core.logs import set_up_logging
from gourmetgram.core.policy import load
from gourmetgram.risk_scoring.database import Database, ModeTable
from gourmetgram.risk_scoring.deployment import Deployment
from gourmetgram.risk_scoring.metrics import Metrics
from gourmetgram.risk_scoring.model_folder import ModelFolder
from gourmetgram.risk_scoring.requests import DeadLetters, RequestLog
from gourmetgram.risk_scoring.scorer import Scorer
from gourmetgram.risk_scoring.settings import ScorerSettings

FIRST_BACKOFF_SECONDS = 0.05


def main() -> None:
    """Score until told to stop; a batch at hand is finished first."""
    set_up_logging()
    settings = ScorerSettings()
    metrics = Metrics()
    deployment = build_deployment(settings, metrics)
    scorer = build(settings, metrics, deployment)
    signal.signal(signal.SIGHUP, lambda *_: deployment.look())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scorer.stop())
    metrics.serve(settings.scorer_listen)
    deployment.start()
    scorer.run()


def build_deployment(settings: ScorerSettings, metrics: Metrics) -> Deployment:
    """What knows who decides."""
    url, endpoint = settings.database_url.get_secret_value(), settings.s3_endpoint
    folder = endpoint and ModelFolder.connect(
        endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        settings.models,
        settings.model_signing_key.get_secret_value(),
    )
    return Deployment(
        open_store=lambda: ModeTable.connect(url),
        models=folder or None,
        metrics=metrics,
        seconds=settings.scorer_deployment_seconds,
    )


def build(settings: ScorerSettings, metrics: Metrics, deployment: Deployment) -> Scorer:
    """The one place where the scorer's parts meet."""
    servers, url = settings.kafka_bootstrap_servers, settings.database_url.get_secret_value()
    return Scorer(
        open_log=lambda: RequestLog(servers, settings.scorer_group, settings.scorer_instance),
        open_database=lambda: Database.connect(url),
        dead_letters=DeadLetters(servers),
        policy=load(settings.policy_version),
        serving=deployment.current,
        metrics=metrics,
        backoff=Backoff(FIRST_BACKOFF_SECONDS, settings.scorer_longest_backoff_seconds),
        batch_limit=settings.scorer_batch_limit,
    )
