"""What the relay is told from outside."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings


class RelaySettings(BaseSettings):
    """Environment variables of the relay."""

    database_url: SecretStr = Field(description="PostgreSQL, as the role outbox_relay")
    kafka_bootstrap_servers: str = Field(description="Brokers to ask first, host:port,…")
    relay_listen: str = Field(default="127.0.0.1:8001", description="host:port of /metrics")
    relay_batch_limit: int = Field(default=500, ge=1, le=10_000, description="Largest batch, in rows")
    relay_poll_seconds: float = Field(
        default=0.2, gt=0, le=10, description="Look for rows this often when no notice comes, and for a vacant lead"
    )
    relay_longest_rest_seconds: float = Field(
        default=0.02, ge=0, le=1, description="Longest time that rows may gather while the relay could work"
    )
    relay_delivery_seconds: float = Field(default=10, gt=0, description="Give a batch up when not acknowledged by then")
    relay_silence_seconds: int = Field(
        default=30, gt=0, description="PostgreSQL takes the lead from a relay that is silent this long"
    )
    relay_longest_backoff_seconds: float = Field(default=2, gt=0, description="Longest wait after a failure")

    @model_validator(mode="after")
    def _expired_before_replaced(self) -> Self:
        least = 2 * self.relay_delivery_seconds
        if self.relay_silence_seconds <= least:
            raise ValueError(
                f"expected relay_silence_seconds above {least} (twice relay_delivery_seconds), "
                f"got {self.relay_silence_seconds}: a thawed relay could still send what its successor has sent"
            )
        return self
