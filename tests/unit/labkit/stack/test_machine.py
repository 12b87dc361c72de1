"""What a machine is, said once and known to every command."""

from pathlib import Path

import pytest

from labkit.stack import StackError, machine, secrets


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker/.env of this test alone, and a shell that says nothing."""
    target = tmp_path / ".env"
    target.write_text("PASSWORD=secret\nLAB_PLACE=compose\n")
    target.chmod(0o600)
    note = secrets.note
    monkeypatch.setattr(machine, "SECRETS", target)
    monkeypatch.setattr(secrets, "ensure", lambda: secrets.read(target))
    monkeypatch.setattr(secrets, "note", lambda values: note(values, target))
    monkeypatch.delenv("LAB_PLACE", raising=False)
    monkeypatch.delenv("LAB_PUBLIC_HOST", raising=False)
    return target


def test_a_node_opens_its_pages_to_the_network(own_settings: Path) -> None:
    machine.settle("chameleon", "192.0.2.7")
    assert (machine.place(), machine.public_host()) == ("chameleon", "192.0.2.7")
    told = secrets.read(own_settings)
    assert told["LAB_BIND"] == "0.0.0.0"
    assert told["PASSWORD"] == "secret"
    assert own_settings.stat().st_mode & 0o777 == 0o600


def test_any_other_place_closes_them_again(own_settings: Path) -> None:
    machine.settle("chameleon", "192.0.2.7")
    machine.settle("embedded", machine.LOCAL)
    assert own_settings.read_text().count("LAB_BIND=") == 1
    assert secrets.read(own_settings)["LAB_BIND"] == "127.0.0.1"


def test_the_shell_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.place() == "compose"
    monkeypatch.setenv("LAB_PLACE", "embedded")
    assert machine.place() == "embedded"


@pytest.mark.parametrize("host", ["", "example.org", "192.0.2.7; rm -rf /", "192.0.2.700", "192.0.2.7\nLAB_X=1"])
def test_only_an_address_is_an_address(host: str, own_settings: Path) -> None:
    before = own_settings.read_text()
    with pytest.raises(StackError, match="expected an address"):
        machine.settle("chameleon", host)
    assert own_settings.read_text() == before


def test_there_is_no_other_place() -> None:
    with pytest.raises(StackError, match="There is no place moon"):
        machine.settle("moon", "192.0.2.7")
