"""What the stream consumer is told from outside."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class ConsumerSettings(BaseSettings):
    """Environment variables of the stream consumer."""

    kafka_bootstrap_servers: str = Field(description="Brokers to ask first, host:port,…")
    redis_url: SecretStr = Field(description="Redis, as the user stream_consumer")
    database_url: SecretStr = Field(description="PostgreSQL, as the role stream_consumer; milestones are written there")
    consumer_group: str = Field(default="gourmetgram-stream-consumer", description="Consumer group at the broker")
    consumer_instance: str = Field(
        default="1", description="Name of this process in its group; two that run side by side have different ones"
    )
    consumer_listen: str = Field(default="127.0.0.1:8002", description="host:port of /metrics")
    consumer_batch_limit: int = Field(default=250, ge=1, le=5000, description="Largest batch, in records")
    consumer_ends_seconds: float = Field(
        default=0.2, gt=0, le=10, description="How often the broker is asked where its topics end"
    )
    consumer_longest_backoff_seconds: float = Field(default=2, gt=0, description="Longest wait after a failure")
    alert_viral_views: int = Field(default=100, ge=1, description="Views in 5 minutes that ask for moderation")
    alert_suspicious_comments: int = Field(default=10, ge=1, description="Comments in 1 minute that do")
    alert_popular_views: int = Field(default=50, ge=1, description="Views in 1 hour that are only logged")
