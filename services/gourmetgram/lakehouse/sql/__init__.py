"""The heavy steps, as SQL for DuckDB over Arrow data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from tempfile import gettempdir
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

MEMORY: Final = "512MB"
"""What a step may hold in memory; the rest goes to a temporary folder."""

THREADS: Final = 2

AS_WRITTEN: Final = "build_side_probe_side"
"""Of a join, the right side is what is kept in memory. DuckDB takes a dataset for one row, and would keep all of it."""


class Session:
    """Steps that build on each other; each is a file of this folder, and knows sources and earlier steps by name."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    @classmethod
    @contextmanager
    def over(cls, sources: Mapping[str, object]) -> Iterator[Self]:
        """A session over Arrow tables and datasets, which the steps know by their keys."""
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": THREADS,
            "temp_directory": gettempdir(),
        }
        with duckdb.connect(config=config) as database:
            database.execute("SET TimeZone = 'UTC'")
            database.execute("SET enable_progress_bar = false")  # else it is drawn on whatever the output is
            database.execute(f"SET disabled_optimizers = '{AS_WRITTEN}'")
            session = cls(database)
            for source, data in sources.items():
                session.set(source, data)
            yield session

    def set(self, source: str, data: object) -> None:
        """Another Arrow table or dataset for a source, of which the results that come later are made."""
        self._database.register(source, data)

    def keep(self, name: str, filled: tuple[str, str] | None = None, **parameters: object) -> None:
        """Keep the result of `name`.sql under its name, for the steps after it; `filled`: a {{ place }}, its text."""
        text = _text(name)
        if filled:
            text = text.replace(f"{{{{ {filled[0]} }}}}", filled[1])
        self._database.execute(f"CREATE TEMP TABLE {name} AS {text}", parameters or None)

    def define(self, name: str) -> None:
        """Let the steps after it use the result of `name`.sql under its name, without keeping it."""
        self._database.execute(f"CREATE TEMP VIEW {name} AS {_text(name)}")

    def table(self, name: str, **parameters: object) -> pa.Table:
        """The result of `name`.sql."""
        return self._database.sql(_text(name), params=parameters or None).to_arrow_table()

    def batches(self, name: str, rows: int, **parameters: object) -> Iterator[pa.RecordBatch]:
        """The same in batches of so many rows, for a result that need not fit into memory."""
        return iter(self._database.sql(_text(name), params=parameters or None).to_arrow_reader(rows))


def run(name: str, sources: Mapping[str, object], **parameters: Any) -> pa.Table:
    """The result of one step over Arrow tables and datasets."""
    with Session.over(sources) as session:
        return session.table(name, **parameters)


@cache
def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text()
