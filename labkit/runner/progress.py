"""What a run prints while it goes: plain lines in a log file, a moving line on a terminal."""

from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.table import Table
from rich.text import Text

from labkit.runner.prepare import Prepared
from labkit.runner.results import NotebookResult

TITLE_WIDTH = 72


class Progress:
    """One line per notebook and one per cell."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.console.print(Text(text, style=style))

    def notebook(self, name: str, prepared: Prepared) -> "CellLines":
        """Announce a notebook; the answer prints a line per cell."""
        count = len(prepared.runnable)
        self.say(f"{name}: {count} {'cell' if count == 1 else 'cells'}", "bold")
        for index in prepared.skipped:
            if prepared.notebook.cells[index].cell_type == "code":
                self.say(f"  skipped: {_short(prepared.titles[index])} (belongs to another place)", "dim")
        return CellLines(self, prepared)

    def skipped(self, name: str, reason: str) -> None:
        """Say why a notebook does not run here."""
        self.say(f"{name}: skipped, {reason}", "dim")

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """A moving line while something runs; nothing where lines cannot move."""
        return self.console.status(Text(text)) if self.console.is_terminal else nullcontext()

    def table(self, results: list[NotebookResult]) -> None:
        """The end of a run: a row per notebook."""
        table = Table(title="", box=None, pad_edge=False, header_style="bold")
        table.add_column("notebook")
        for name in ("cells", "checks passed", "seconds"):
            table.add_column(name, justify="right")
        for result in results:
            table.add_row(Text(result.name, style="" if result.ok else "red"), *result.columns())
        self.console.print()
        self.console.print(table)


class CellLines:
    """Prints the cells of one notebook as they end."""

    def __init__(self, progress: Progress, prepared: Prepared) -> None:
        self._progress, self._prepared = progress, prepared
        self.ended = 0
        self._moving: AbstractContextManager[object] = nullcontext()

    def cell_started(self, index: int) -> None:
        """Show what runs now, on a terminal."""
        self._moving = self._progress.waiting(self._label(index))
        self._moving.__enter__()

    def cell_ended(self, index: int, seconds: float) -> None:
        """Print the line of a cell that passed."""
        self.close()
        self.ended += 1
        self._progress.say(f"  {self._label(index):{TITLE_WIDTH + 8}} {seconds:7.1f} s")

    def cell_failed(self, index: int) -> None:
        """Print the line of the cell at which the notebook stopped."""
        self.close()
        self._progress.say(f"  {self._label(index):{TITLE_WIDTH + 8}}  failed", "red")

    def close(self) -> None:
        """Take the moving line away."""
        self._moving.__exit__(None, None, None)
        self._moving = nullcontext()

    def _label(self, index: int) -> str:
        return f"{self._prepared.position(index):>7}  {_short(self._prepared.titles[index])}"


def _short(title: str) -> str:
    return title if len(title) <= TITLE_WIDTH else title[: TITLE_WIDTH - 1] + "…"
