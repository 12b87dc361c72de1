"""The heavy steps, as SQL for DuckDB over Arrow data."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from tempfile import gettempdir
from typing import Final

import duckdb
import pyarrow as pa

MEMORY: Final = "512MB"
"""What a step may hold in memory; the rest goes to a temporary folder."""

THREADS: Final = 2


def run(name: str, sources: Mapping[str, object], **parameters: object) -> pa.Table:
    """The result of `name`.sql over Arrow tables and datasets, which it knows by the keys of `sources`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": THREADS,
        "temp_directory": gettempdir(),
    }
    with duckdb.connect(config=config) as database:
        for source, data in sources.items():
            database.register(source, data)
        return database.sql(_text(name), params=parameters or None).to_arrow_table()


@cache
def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text()
