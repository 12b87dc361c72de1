import pytest

from gourmetgram.training.large import options, ways
from gourmetgram.training.large.options import Options


def test_each_way_that_is_offered_can_be_gone() -> None:
    assert list(ways.WAYS) == list(options.WAYS)


def test_what_is_not_said_is_as_the_training_does_it() -> None:
    said = options.parser("go").parse_args(["stream"], Options())
    assert (said.batch_rows, said.prefetch, said.columns, said.only_read, said.file) == (
        32_768,
        True,
        None,
        False,
        None,
    )


@pytest.mark.parametrize("wrong", [["fly"], [], ["stream", "--batch-rows", "many"], ["stream", "--fast"]])
def test_what_makes_no_sense_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.parser("go").parse_args(wrong)
    assert "usage: go" in capsys.readouterr().err
