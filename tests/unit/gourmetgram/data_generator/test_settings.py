from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from gourmetgram.data_generator.heartbeat import HEARTBEAT, beat, unhealthy_because
from gourmetgram.data_generator.settings import GeneratorSettings, Mode


def test_every_setting_has_one_line_of_help() -> None:
    for name, field in GeneratorSettings.model_fields.items():
        assert "\n" not in (field.description or "\n"), name


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_TARGET_IMAGE_ID", "")
    monkeypatch.setenv("GENERATOR_MODE", "simulate_viral")
    settings = GeneratorSettings()
    assert settings.generator_target_image_id is None
    assert settings.generator_mode is Mode.SIMULATE_VIRAL


@pytest.mark.parametrize(
    ("name", "value"), [("MODE", "steady"), ("ARRIVAL_RATE", "0"), ("BURST_FLAGS", "-1"), ("SIGNALS", "some")]
)
def test_a_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GENERATOR_{name}", value)
    with pytest.raises(ValidationError, match=f"generator_{name.lower()}"):
        GeneratorSettings()


def test_health_says_what_is_wrong(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert unhealthy_because(tmp_path, now) == "the generator has not started"
    beat(tmp_path / HEARTBEAT, api=True, ready=True)
    assert unhealthy_because(tmp_path, datetime.now(UTC)) is None
    assert "sign of life" in str(unhealthy_because(tmp_path, now + timedelta(minutes=5)))
    beat(tmp_path / HEARTBEAT, api=False, ready=True)
    assert "API does not answer" in str(unhealthy_because(tmp_path, datetime.now(UTC)))
    beat(tmp_path / HEARTBEAT, api=True, ready=False)
    assert "not all there" in str(unhealthy_because(tmp_path, datetime.now(UTC)))
