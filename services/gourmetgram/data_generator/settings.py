"""Settings of the generator: each an environment variable with a default and one line of help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gourmetgram.data_generator.world.posts import Signals

Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]


class Mode(StrEnum):
    """What the generator does."""

    POISSON = "poisson"
    SIMULATE_VIRAL = "simulate_viral"
    HISTORY = "history"


class GeneratorSettings(BaseSettings):
    """Where the generator reaches the API, and what it sends."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    api_url: str = Field(default="http://127.0.0.1:8000", description="Address of the GourmetGram API")
    import_token: SecretStr | None = Field(
        default=None, description="Token with scope import; the history mode needs it"
    )
    photos_dir: Path = Field(default=Path("/photos"), description="Folder of photos")
    state_dir: Path = Field(default=Path("/state"), description="Folder that survives restarts")

    log_format: Literal["text", "json"] = Field(default="text", description="Lines for people, or JSON")

    generator_mode: Mode = Field(default=Mode.POISSON, description="poisson, simulate_viral or history")
    generator_seed: int = Field(default=42, description="One seed, one world")
    generator_arrival_rate: float = Field(default=3000.0, gt=0, description="Live events per hour")
    generator_initial_users: Size = Field(default=50, description="People registered before live traffic starts")
    generator_initial_images: Size = Field(default=40, description="Images uploaded before live traffic starts")
    generator_concurrency: Size = Field(default=32, description="Most requests in flight at once")

    generator_target_image_id: int | None = Field(default=None, description="Image of the burst; empty: a new one")
    generator_burst_views: Count = Field(default=110, description="Views of the burst")
    generator_burst_comments: Count = Field(default=8, description="Comments of the burst")
    generator_burst_flags: Count = Field(default=2, description="Flags of the burst, sent before all else")

    generator_history_days: float = Field(default=7.0, gt=0, description="Length of the history in days; it ends now")
    generator_history_users: Size = Field(default=1200, description="People of the history")
    generator_history_images: Size = Field(default=4000, description="Images of the history")
    generator_history_events: Count = Field(default=300_000, description="Events of the history")
    generator_signals: Signals = Field(
        default=Signals.REAL, description="real; or none: a history in which nothing tells who will be flagged"
    )
