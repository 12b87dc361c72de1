"""Looking at the processes and the database of a stack from outside."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2

from labkit.stack import Stack


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if condition():
                return
        time.sleep(0.1)
    raise TimeoutError(f"{condition} was not met within {seconds} s")


def processes_of(home: Path) -> list[psutil.Process]:
    """All processes that were started for the stack in this folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(home) in " ".join(process.cmdline()) or process.cwd().startswith(str(home)):
                found.append(process)
    return found


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie that nobody collects does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def ask(stack: Stack, sql: str) -> object:
    connection = psycopg2.connect(
        host="127.0.0.1", port=stack.port("postgres"), user="postgres", dbname="gourmetgram",
        password=stack.setting("POSTGRES_PASSWORD"), connect_timeout=2,
    )  # fmt: skip
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None
