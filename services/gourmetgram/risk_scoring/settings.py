"""What the risk scoring service is told from outside."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class ScorerSettings(BaseSettings):
    """Environment variables of the risk scoring service."""

    kafka_bootstrap_servers: str = Field(description="Brokers to ask first, host:port,…")
    database_url: SecretStr = Field(description="PostgreSQL, as the role risk_scoring")
    scorer_group: str = Field(default="gourmetgram-risk-scoring", description="Consumer group at the broker")
    scorer_instance: str = Field(
        default="1", description="Name of this process in its group; two that run side by side have different ones"
    )
    scorer_listen: str = Field(default="127.0.0.1:8003", description="host:port of /metrics")
    scorer_batch_limit: int = Field(default=100, ge=1, le=1000, description="Most requests decided in one transaction")
    scorer_longest_backoff_seconds: float = Field(default=2, gt=0, description="Longest wait after a failure")
    s3_endpoint: str | None = Field(
        default=None, description="Object storage, http://host:port; without it, rules alone"
    )
    s3_access_key: str = Field(default="", description="User scorer of the object storage")
    s3_secret_key: SecretStr = Field(default=SecretStr(""), description="Its secret")
    models: str = Field(default="s3://gourmetgram-datalake/models/moderation", description="Where models are kept")
    model_signing_key: SecretStr = Field(default=SecretStr(""), description="The lab's key; models are signed with it")
    scorer_deployment_seconds: float = Field(
        default=5, gt=0, description="How often it is looked for another mode or model; SIGHUP looks at once"
    )
    policy_version: str = Field(default="v1", description="Rules to score by: a file in core/policies")
