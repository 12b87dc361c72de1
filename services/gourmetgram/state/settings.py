"""What saving and restoring are told from outside: where all stores are, with the rights to read and write there."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class StateSettings(BaseSettings):
    """Environment variables of saving and restoring."""

    database_url: SecretStr = Field(description="PostgreSQL, database gourmetgram, as the superuser")
    catalog_url: SecretStr = Field(description="PostgreSQL, database iceberg_catalog, as the superuser")
    kafka_bootstrap_servers: str = Field(description="Brokers to ask first, host:port,…")
    redis_url: SecretStr = Field(description="Redis, as the user stream_consumer")
    s3_endpoint: str = Field(description="Object storage")
    s3_access_key: SecretStr = Field(description="Its owner's access key")
    s3_secret_key: SecretStr = Field(description="Its owner's secret key")
    s3_buckets: str = Field(description="Buckets to save, separated by commas; the last one carries the archive")
    model_signing_key: SecretStr = Field(description="The key with which this lab signs its models")
    state_dir: Path = Field(default=Path("/state"), description="Folder of the traffic generator")

    @property
    def buckets(self) -> list[str]:
        """The buckets, by name."""
        return self.s3_buckets.split(",")
