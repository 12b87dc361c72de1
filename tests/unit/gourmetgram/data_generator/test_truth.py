"""What graders are told of the simulation's truth."""

import json
from pathlib import Path

import pytest

from gourmetgram.data_generator import truth
from gourmetgram.data_generator.home import Truth


def test_each_image_is_told_once_with_its_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Truth(tmp_path)
    kept.image(7, "harmful", True)
    kept.image(9, "viral", False)
    kept.image(7, "harmful", True)  # the answer to its upload was lost, so it was sent again
    kept.close()
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    truth.main()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [{"image_id": 7, "harmful": True}, {"image_id": 9, "harmful": False}]
