"""What is wrong with a snippet, and where; and with a package."""

from collections.abc import Iterator
from contextlib import contextmanager


class SnippetError(Exception):
    """A snippet cannot be built; the message says where, what was expected and what came."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class PackageError(Exception):
    """The lab cannot be packed; the message says what is wrong and what to do."""


@contextmanager
def in_file(name: str) -> Iterator[None]:
    """Put the name of a file, and the line when it is known, before an error's message: what editors open on a click.

    Raises:
        SnippetError: as raised inside, with its place.
    """
    try:
        yield
    except SnippetError as error:
        place = name if error.line is None else f"{name}:{error.line}"
        raise SnippetError(f"{place}: {error}") from error
