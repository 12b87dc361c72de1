"""Says which usual cause an error has, in place of a page of traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labkit.chameleon.causes import HELP, cause_of

LAST = 4
"""So many lines of what a command wrote are told again."""


class ChameleonError(RuntimeError):
    """What went wrong on Chameleon, for the student; its cause is the error itself."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the message, and not the calls that led to it."""
        return [str(self)]


class _Overheard(logging.Handler):
    """Keeps what python-chi logs: for a refused lease it says the reason there, and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def usual_causes(doing: str) -> Iterator[None]:
    """A block that talks to Chameleon; when that fails, it says what it was `doing`, which cause it is, and what to do.

    Raises:
        ChameleonError: in place of whatever was raised.
    """
    overheard, logger = _Overheard(), logging.getLogger("chi")
    logger.addHandler(overheard)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield
    except ChameleonError:
        raise
    except Exception as error:
        told = _of_the_server(doing, error) or _of_the_cloud(doing, [*overheard.lines, *_said(error)])
        raise ChameleonError(told) from error
    finally:
        logger.removeHandler(overheard)
        logger.propagate = propagates


def _said(error: BaseException) -> list[str]:
    """The messages of an error and of those behind it, the innermost first."""
    chain: list[str] = []
    inner: BaseException | None = error
    while inner is not None and len(chain) < 10:  # noqa: PLR2004 - as a guard against a chain that is a ring
        chain.insert(0, f"{type(inner).__name__}: {inner}".strip().rstrip(":"))
        inner = inner.__cause__ or inner.__context__
    return chain


def _of_the_server(doing: str, error: Exception) -> str:
    """What to say when a command on our server has failed; nothing when it was something else."""
    ended: Any = getattr(error, "result", None)
    if not hasattr(ended, "exited"):
        return ""
    last = "\n".join(f"  {line}" for line in (ended.stderr or ended.stdout).rstrip().splitlines()[-LAST:])
    return (
        f"✗ Could not {doing}: on the server, this command ended with status {ended.exited}:\n  {ended.command}\n"
        f"The last it said:\n{last}\n→ Do these lines say what is missing? Then correct it, and run the cell again: it"
        " goes on where it stopped. Else send them to your instructor."
    )


def _of_the_cloud(doing: str, said: list[str]) -> str:
    cause = cause_of("\n".join(said))
    told = "\n".join(f"  {line}" for text in dict.fromkeys(said) for line in text.splitlines())
    if cause is None:
        return (
            f"✗ Could not {doing}. This is none of the usual causes. Chameleon says:\n{told}\n"
            f"→ Run the cell again. If it stays so, send these lines to your instructor, or to {HELP}"
        )
    return f"✗ Could not {doing}: {cause.name}.\n{cause.happened}\n→ {cause.remedy}\nChameleon says:\n{told}"
