"""`python -m gourmetgram.setup.airflow init`: prepare Airflow's database and its login file; runs to its end.

`… healthy scheduler` (or `dag_processor`) succeeds when Airflow says that this part of it is alive.
"""

import json
import os
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

import psycopg2


def init(home: Path, database_url: str, password: str) -> None:
    """Bring the tables up to this version of Airflow, and write down who may log in."""
    _write_private(home / "simple_auth_manager_passwords.json.generated", json.dumps({"admin": password}))
    note = home / "migrated"
    known = f"{version('apache-airflow')} {_revision(database_url)}"
    if not note.exists() or note.read_text() != known:  # to ask Airflow itself takes as long as to migrate
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
        note.write_text(f"{version('apache-airflow')} {_revision(database_url)}")


def is_healthy(url: str, part: str) -> bool:
    """Whether a part of Airflow has given a sign of life to the database lately."""
    with urlopen(f"{url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310 - the address is ours
        return bool((json.load(answer).get(part) or {}).get("status") == "healthy")


def _revision(database_url: str) -> str:
    """What the database's tables were last migrated to; empty when there are none."""
    with closing(psycopg2.connect(database_url.replace("+psycopg2", ""), connect_timeout=5)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT to_regclass('public.alembic_version')")
        if cursor.fetchone() == (None,):
            return ""
        cursor.execute("SELECT string_agg(version_num, ',') FROM alembic_version")
        return str((cursor.fetchone() or ("",))[0])


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)


def main(arguments: list[str]) -> int:
    """Do what the arguments say; returns the exit status."""
    match arguments:
        case ["init"]:
            home, url = Path(os.environ["AIRFLOW_HOME"]), os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
            init(home, url, os.environ["AIRFLOW_ADMIN_PASSWORD"])
            return 0
        case ["healthy", part]:
            return int(not is_healthy(os.environ["AIRFLOW_URL"], part))
    print(f"expected `init` or `healthy PART`, got {' '.join(arguments) or 'nothing'}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
