"""What the lakehouse is told from outside."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class LakehouseSettings(BaseSettings):
    """Environment variables of everything that reads or writes the history."""

    kafka_bootstrap_servers: str = Field(description="Brokers to ask first, host:port,…")
    catalog_url: SecretStr = Field(description="PostgreSQL database of the Iceberg catalog, as the role lakehouse")
    database_url: SecretStr = Field(
        description="The application's database, as the role lakehouse, which may only read"
    )
    s3_endpoint: str = Field(description="Object storage, http://host:port")
    s3_access_key: str = Field(description="User lakehouse of the object storage")
    s3_secret_key: SecretStr = Field(description="Its secret")
    warehouse: str = Field(default="s3://gourmetgram-datalake/warehouse", description="Where tables keep their files")
    raw_snapshots: str = Field(
        default="s3://gourmetgram-datalake/raw", description="Where snapshots of the application's tables go"
    )
    keep_raw_hours: float = Field(default=7 * 24, ge=0, description="Age at which upkeep deletes such a snapshot")
    models: str = Field(default="s3://gourmetgram-datalake/models/moderation", description="Where models are kept")
    training_chunk_rows: int = Field(
        default=131_072, ge=1, le=1_000_000, description="Rows of training data in memory at a time"
    )
    land_chunk_records: int = Field(
        default=200_000, ge=1, le=5_000_000, description="Most records in one commit; memory grows with it"
    )
    keep_snapshots_hours: float = Field(default=7 * 24, ge=0, description="Age at which upkeep lets a snapshot go")
    orphan_grace_hours: float = Field(
        default=24,
        ge=0,
        description="Age at which upkeep deletes a file that no table names; tasks are quicker",
    )
    verify_history_hours: float = Field(default=3, gt=0, description="Age of the history at which a check fails")
    verify_training_hours: float = Field(default=26, gt=0, description="Age of the training data at which one fails")
    verify_sample_images: int = Field(default=20, ge=1, le=10_000, description="Images whose rows a check recomputes")
    verify_least_positives: float = Field(default=0.005, ge=0, le=1, description="Least share of flagged rows")
    verify_most_positives: float = Field(default=0.5, ge=0, le=1, description="Greatest share of flagged rows")
    verify_drift: float = Field(default=0.25, gt=0, description="Stability index at which a feature has drifted")
