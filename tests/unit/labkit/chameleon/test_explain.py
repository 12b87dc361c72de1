import logging

import pytest

from labkit.chameleon import ChameleonError, usual_causes


def refused_lease() -> None:
    logging.getLogger("chi.lease").error("not enough hosts available")
    raise ValueError("Unable to make lease")


def no_address() -> None:
    try:
        raise OSError("No more IP addresses available on network public")
    except OSError as error:
        raise RuntimeError("it failed") from error


def test_the_reason_that_python_chi_only_logs_is_heard() -> None:
    with pytest.raises(ChameleonError) as raised, usual_causes("reserve a machine"):
        refused_lease()
    said = str(raised.value)
    assert said.startswith("✗ Could not reserve a machine: no machines left.\n")
    assert "→ Look into the flavor calendar" in said
    assert "  not enough hosts available\n  ValueError: Unable to make lease" in said


def test_errors_behind_errors_are_told_innermost_first() -> None:
    with pytest.raises(ChameleonError) as raised, usual_causes("get an address"):
        no_address()
    said = str(raised.value)
    assert said.splitlines()[0] == "✗ Could not get an address: no floating IP left."
    assert said.index("OSError") < said.index("RuntimeError")


def test_an_unknown_error_says_so_and_where_to_ask() -> None:
    with pytest.raises(ChameleonError, match="none of the usual causes") as raised, usual_causes("log in"):
        raise KeyError("strange")
    assert "KeyError: 'strange'" in str(raised.value)
    assert "help" in str(raised.value)


def test_jupyter_shows_the_message_alone() -> None:
    assert ChameleonError("one\ntwo")._render_traceback_() == ["one\ntwo"]


def test_afterwards_the_log_is_as_before() -> None:
    logger = logging.getLogger("chi")
    before = (list(logger.handlers), logger.propagate)
    with usual_causes("do nothing"):
        pass
    with pytest.raises(ChameleonError), usual_causes("fail"):
        raise ValueError("x")
    assert (list(logger.handlers), logger.propagate) == before
