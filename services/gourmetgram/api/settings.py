"""What the API is told from outside."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings


class ApiSettings(BaseSettings):
    """Environment variables of the API."""

    api_version: Literal["v1", "v2"] = Field(default="v2", description="v1 keeps state only, v2 also writes events")
    api_listen: str = Field(default="127.0.0.1:8000", description="host:port of the API")
    api_workers: int = Field(default=2, ge=1, le=64, description="Processes that answer requests")
    database_url: SecretStr = Field(description="PostgreSQL, as the role api")
    database_connections: int = Field(default=16, ge=1, description="Most connections of one worker to PostgreSQL")
    s3_endpoint: str = Field(description="URL of the object storage")
    s3_access_key: SecretStr = Field(description="User of the object storage")
    s3_secret_key: SecretStr = Field(description="Its secret key")
    s3_bucket: str = Field(default="gourmetgram-images", description="Where photos are kept")
    kafka_bootstrap_servers: str = Field(default="", description="Brokers, host:port,…; only their health is asked")
    live_relay_url: str = Field(default="", description="Figures of outbox_relay, for /live; empty: not in this stack")
    live_consumer_url: str = Field(default="", description="Figures of stream_consumer, for /live; empty: none")
    live_scorer_url: str = Field(default="", description="Figures of risk_scoring_service, for /live; empty: none")

    @model_validator(mode="after")
    def _broker_named(self) -> Self:
        if self.streaming and ":" not in self.kafka_bootstrap_servers:
            raise ValueError("version v2 writes events: set KAFKA_BOOTSTRAP_SERVERS to host:port of the broker")
        return self

    @property
    def streaming(self) -> bool:
        """Whether events are written to the outbox."""
        return self.api_version == "v2"
