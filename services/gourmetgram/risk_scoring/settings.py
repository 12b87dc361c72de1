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
    policy_version: str = Field(default="v1", description="Rules to score by: a file in core/policies")
