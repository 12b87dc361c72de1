"""What `from labkit import lab` says to the person in front of it."""

import pytest

from labkit.notebook import Lab
from labkit.stack import secrets


def links(place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("LAB_PLACE", place)
    monkeypatch.setenv("LAB_PORT_OFFSET", "100")
    monkeypatch.setenv("LAB_PUBLIC_HOST", "192.0.2.7")
    Lab().links()
    return capsys.readouterr().out.splitlines()


def test_links_are_whole_addresses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = links("compose", monkeypatch, capsys)
    assert "Live view        http://192.0.2.7:8100/live" in said
    assert "Review queue     http://192.0.2.7:8100/moderation" in said
    assert "Adminer          http://192.0.2.7:5150" in said
    assert not any("only with Docker" in line for line in said)


def test_what_needs_docker_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = {line[:16].strip(): line for line in links("embedded", monkeypatch, capsys)}
    assert said["Adminer"].endswith("(only with Docker)")
    assert said["Review queue"].endswith("/moderation")


def test_logins_are_shown_to_who_asks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("password" in line for line in links("chameleon", monkeypatch, capsys))
    Lab().links(logins=True)
    said = {line[:16].strip(): line for line in capsys.readouterr().out.splitlines()}
    told = secrets.read()
    assert said["Adminer"].endswith(f"user student  password {told['STUDENT_DB_PASSWORD']}")
    assert said["JupyterLab"].endswith(f"token {told['JUPYTER_TOKEN']}")
    assert said["Jupyter (host)"].split() == [
        "Jupyter",
        "(host)",
        "http://192.0.2.7:8888",
        "token",
        told["NOTEBOOK_TOKEN"],
    ]
    assert said["API"].split() == ["API", "http://192.0.2.7:8100"]


def test_only_a_node_has_a_jupyter_for_everybody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any("Jupyter (host)" in line for line in links("compose", monkeypatch, capsys))
