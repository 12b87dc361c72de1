"""Runs notebooks 1 and 9 for the site: `./build_docs.sh --record build/chameleon` then takes their outputs."""

import json
import os
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat

from labkit.book.leaks import secret_settings
from labkit.paths import BUILD, ENV_TEMPLATE
from labkit.runner.results import EVERYTHING_RAN, NotebookResult, RunResult
from labkit.site.record import PORTAL_RUN
from labkit.stack import secrets
from tests.chameleon.place import open_place
from tests.chameleon.portal import MINE
from tests.chameleon.results import Executed
from tests.chameleon.student import DOCKER, student

FOLDER = BUILD / "chameleon"
HOME = "/home/cc"


def main() -> None:
    """Run both, and write what a run of ours would write."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as made,
        student(Path(made)) as me,
        open_place("nothing", me.node_files) as place,
    ):
        place.answer("docker", DOCKER)
        created = place.run(me.create, folder=me.notebooks)
        assert not created.error, created.traceback
        home = next(place.folder.glob(f"{MINE[1]}-*/home"))
        told = secret_settings(secrets.read(home / "lab/docker/.env"), secrets.read(ENV_TEMPLATE))
        deleted = place.run(me.delete, folder=me.notebooks)
        assert not deleted.error, deleted.traceback
        for one in (created, deleted):
            _write(
                one,
                {str(home): HOME, str(me.lab): "~/work", f"hello from {os.uname().nodename}": f"hello from {MINE[1]}"},
            )
        _write_about([created, deleted], told)
    took = " and ".join(f"{sum(one.seconds):.0f} s" for one in (created, deleted))
    print(f"both passed, in {took}; now: ./build_docs.sh --record {FOLDER}")


def _write(one: Executed, names: dict[str, str]) -> None:
    """The executed notebook, with the names that a server of Chameleon would have."""
    text = nbformat.writes(one.notebook)
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    (FOLDER / f"{one.name}.ipynb").write_text(text)


def _write_about(executed: list[Executed], told: dict[str, str]) -> None:
    """What a run of ours says of itself, and the secrets that must not be on the site."""
    results = [NotebookResult(one.name, seconds=sum(one.seconds)) for one in executed]
    started, seconds = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}", sum(one.seconds for one in results)
    about = FOLDER / "run.json"
    RunResult(started, PORTAL_RUN, seconds, results, EVERYTHING_RAN).save(about)
    about.write_text(json.dumps(json.loads(about.read_text()) | {"secrets": told}))


if __name__ == "__main__":
    main()
