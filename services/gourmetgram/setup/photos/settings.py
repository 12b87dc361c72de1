"""Settings of the two services that prepare photos."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PhotoSettings(BaseSettings):
    """Where photos come from and go to."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    photos_dir: Path = Field(default=Path("/photos"), description="Folder for the photos")
    food11_zip: Path | None = Field(
        default=None, description="The Food-11 archive; an empty or missing file means none"
    )
    food11_url: str | None = Field(default=None, description="Address of the archive, used when no file is given")
    food11_size: int | None = Field(default=None, gt=0, description="Expected size of the download in bytes")
    food11_sha256: str | None = Field(default=None, description="Expected SHA-256 of the download, hexadecimal")
