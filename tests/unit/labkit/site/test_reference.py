import os
import re

import pytest
import yaml
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from labkit.paths import ROOT, compose_file
from labkit.site import http, services, settings


class Example(BaseSettings):
    """What an example is told."""

    rate: float = Field(default=3000.0, description="Events | per hour")
    password: SecretStr = Field(description="Nobody knows it")
    name: str = Field(default="", description="May be left out")


class Silent(BaseSettings):
    """Says nothing of its fields."""

    rate: int = 3


def rows(page: str) -> dict[str, list[str]]:
    """The rows of all tables, by their first cell."""
    found = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in found}


def test_every_setting_has_a_row() -> None:
    found = rows(settings.page([f"{__name__}:Example"]))
    assert found["RATE"] == ["`float`", "`3000.0`", "Events \\| per hour"]
    assert found["PASSWORD"] == ["`SecretStr`", "none: must be set", "Nobody knows it"]
    assert found["NAME"][1] == "empty"


def test_a_setting_without_help_is_refused() -> None:
    with pytest.raises(ValueError, match="the setting rate has no description"):
        settings.page([f"{__name__}:Silent"])


def test_only_settings_are_taken() -> None:
    with pytest.raises(TypeError, match="expected a class of settings"):
        settings.page(["labkit.paths:ROOT"])


def test_the_site_lists_every_class_of_settings_of_the_services() -> None:
    listed = set(yaml.safe_load((ROOT / "docs/site.yaml").read_text())["settings"])
    sources = (ROOT / "services/gourmetgram").rglob("settings.py")
    declared = {
        f"{'.'.join(file.relative_to(ROOT / 'services').with_suffix('').parts)}:{name}"
        for file in sources
        for name in re.findall(r"^class (\w+)\((?:Base|Lakehouse)Settings\)", file.read_text(), re.M)
    }
    assert listed == declared


def test_every_call_of_the_application_has_a_row() -> None:
    told = yaml.safe_load((ROOT / "docs/site.yaml").read_text())["http"]
    before = dict(os.environ)
    found = rows(http.page(**told))
    assert dict(os.environ) == before
    assert found["POST /comments/"][1:3] == ["yes", "yes"]
    assert found["GET /images/"][1:3] == ["no", "no"]
    assert "415" in found["POST /upload/"][3]
    assert len(found) > 10


def test_every_service_and_port_of_the_compose_file_has_a_row() -> None:
    described = yaml.safe_load(compose_file().read_text())["services"]
    found = rows(services.page(compose_file()))
    assert set(found) == set(described)
    assert found["postgres"] == ["`postgres:18`", "5432", "512m", "PostgreSQL"]
    assert found["adminer"][1] == "5050 (browsers)"
    assert found["adminer"][3] == "left out"
    assert all("$" not in cell for row in found.values() for cell in row)
