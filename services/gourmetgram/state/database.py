"""Rows of PostgreSQL, as COPY writes and reads them, with what sequences have come to."""
# ruff: noqa: S608 - names of tables and columns are those that PostgreSQL has, and quoted

import io
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

import psycopg2
from psycopg2.extensions import cursor as Cursor

from gourmetgram.state.bundle import Damaged, Member, Writer

CHUNK_BYTES: Final = 8 * 2**20
SECRETS: Final = frozenset({"moderator_sessions", "refused_sign_ins"})
"""Tables about people who are logged in; nobody is, after a restore."""

REVISION: Final = "alembic_version"
FORGOTTEN: Final = {"token_hash": "sha256(uuidv7()::text::bytea)"}
"""Columns that hold secrets, and what is saved in their place: a hash of nothing that anybody knows."""

TABLES = """
SELECT c.table_schema, c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position)
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
  AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
GROUP BY 1, 2 ORDER BY 1, 2
"""
TRANSACTIONS = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
LATER = """
DO $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', false);
  WHILE pg_current_xact_id()::text::bigint < {number} LOOP COMMIT; END LOOP;
END $$
"""
"""Uses up the numbers of transactions before one. Images say by number which transaction wrote them, and decisions
which of those they could see: what comes after a restore must have later numbers."""

SEQUENCES = "SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"


class Table(NamedTuple):
    """A table and its columns, without those that PostgreSQL computes."""

    schema: str
    name: str
    columns: list[str]

    @property
    def full_name(self) -> str:
        """Its name in an archive."""
        return f"{self.schema}.{self.name}"

    @property
    def is_of_its_lab(self) -> bool:
        """Whether a restored lab has rows of its own in it."""
        return bool(FORGOTTEN.keys() & set(self.columns))

    @property
    def sql(self) -> str:
        """Its name in a statement."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def listed(self) -> str:
        """Its columns in a statement."""
        return ", ".join(f'"{column}"' for column in self.columns)

    @property
    def selected(self) -> str:
        """What is saved of its columns."""
        return ", ".join(FORGOTTEN.get(column, f'"{column}"') for column in self.columns)


class Database:
    """One database, as the superuser."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url.replace("+psycopg2", "")

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """One transaction, committed at its end."""
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            yield cursor

    def about(self) -> dict[str, Any]:
        """Of each saved table its columns and number of rows, what sequences have come to, and the schema's revision.

        There is no number where rows are a lab's own, such as tokens.
        """
        with self.cursor() as cursor:
            tables = {
                table.full_name: {
                    "columns": table.columns,
                    "rows": None if table.is_of_its_lab else _value(cursor, f"SELECT count(*) FROM {table.sql}"),
                }
                for table in _saved(cursor)
            }
            cursor.execute(SEQUENCES)
            sequences = dict(cursor.fetchall())
            has_revision = any(table.name == REVISION for table in _tables(cursor))
            revision = _value(cursor, f"SELECT version_num FROM {REVISION}") if has_revision else None
            return {"revision": revision, "tables": tables, "sequences": sequences}

    def transactions(self) -> int:
        """The number of the next transaction of the whole server."""
        with self.cursor() as cursor:
            return int(_value(cursor, TRANSACTIONS))

    def pass_transactions(self, number: int) -> None:
        """Let all transactions from now on have later numbers than those of an archive."""
        with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True  # a procedure that commits may be in no transaction
            cursor.execute(LATER.format(number=number))

    def save(self, writer: Writer) -> None:
        """Add all rows, table by table, in pieces."""
        with self.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for table in _saved(cursor):
                pieces = _Pieces(writer, f"postgres/{self.name}/{table.full_name}")
                cursor.copy_expert(f"COPY (SELECT {table.selected} FROM {table.sql}) TO STDOUT", pieces)
                pieces.flush()

    def prepare(self, owner: str, statements: str) -> None:
        """Make tables that their first writer would make, as theirs."""
        with self.cursor() as cursor:
            cursor.execute(f'SET ROLE "{owner}"')
            cursor.execute(statements)

    @contextmanager
    def emptied(self) -> Iterator["Loading"]:
        """Empty all tables, and let rows be loaded in their place; all of it happens, or nothing."""
        with self.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # rows come table by table, in no order of theirs
            tables = [table for table in _tables(cursor) if table.name != REVISION]
            for table in tables:
                cursor.execute(f"DELETE FROM {table.sql}")
            yield Loading(cursor, {table.full_name: table for table in tables})


class Loading:
    """Rows on their way into empty tables."""

    def __init__(self, cursor: Cursor, tables: dict[str, Table]) -> None:
        self._cursor = cursor
        self._tables = tables

    def load(self, member: Member, columns: list[str]) -> None:
        """Rows of one piece of a table."""
        name = member.parts[2]
        if name not in self._tables:
            raise Damaged(f"this lab has no table {name}, and the archive has rows of it")
        if unknown := sorted(set(columns) - set(self._tables[name].columns)):
            raise Damaged(f"the table {name} has no column {', '.join(unknown)} here, and the archive has values of it")
        wanted = self._tables[name]._replace(columns=columns)
        self._cursor.copy_expert(f"COPY {wanted.sql} ({wanted.listed}) FROM STDIN", member.content)

    def insert(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows of this lab's own."""
        self._cursor.executemany(statement, list(rows))

    def go_on_from(self, sequences: dict[str, int]) -> None:
        """Let sequences go on where they were."""
        for name, value in sequences.items():
            self._cursor.execute("SELECT setval(%s::regclass, %s)", (name, value))


class _Pieces(io.RawIOBase):
    """What COPY writes, cut behind a line, as members of an archive."""

    def __init__(self, writer: Writer, name: str) -> None:
        self._writer, self._name, self._number = writer, name, 0
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        if len(self._waiting) >= CHUNK_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        end = self._waiting.rfind(b"\n") + 1
        if end:
            self._writer.add(f"{self._name}/{self._number:06}", bytes(self._waiting[:end]))
            del self._waiting[:end]
            self._number += 1


def _tables(cursor: Cursor) -> list[Table]:
    cursor.execute(TABLES)
    return [Table(*row) for row in cursor.fetchall()]


def _saved(cursor: Cursor) -> list[Table]:
    return [table for table in _tables(cursor) if table.name not in {*SECRETS, REVISION}]


def _value(cursor: Cursor, statement: str) -> Any:
    cursor.execute(statement)
    row = cursor.fetchone()
    return row[0] if row else None


def described(about: dict[str, Any], table: str) -> list[str]:
    """The columns of a table in an archive."""
    columns: list[str] = about["tables"][table]["columns"]
    return columns
