"""Notebooks 1 and 9 as a student runs them: once, again, and back to nothing."""

import subprocess
import tarfile
from pathlib import Path

from labkit.paths import ROOT
from tests.chameleon.place import open_place
from tests.chameleon.portal import (
    DOCKER_COMES,
    EVERYTHING,
    MINE,
    NOTHING,
    PORTS,
    SOFTWARE,
    create,
    delete,
    opened,
    own,
    without,
)
from tests.chameleon.student import DOCKER, MODEL, Student


def test_from_nothing_to_a_running_lab_and_back_to_nothing(me: Student) -> None:
    with open_place("nothing", me.node_files) as place:
        place.answer("docker", DOCKER)
        made = create(place, me)
        assert not made.error, made.traceback
        assert own(place) == EVERYTHING
        assert made.text.count("✓") == 4
        assert "Jupyter answers" in made.text
        address = next(one["address"] for one in place.cloud()["floating_ips"] if one["description"] == MINE[1])
        assert f"http://{address}:8888" in made.text
        assert opened(place) == PORTS
        print(f"1_create_server: {sum(made.seconds):.0f} s")

        again = create(place, me)
        assert not again.error, again.traceback
        assert "Found existing lease" in again.text
        assert "the lab is on the server already" in again.text
        assert own(place) == EVERYTHING

        deleted = delete(place, me)
        assert not deleted.error, deleted.traceback
        assert own(place) == NOTHING
        assert deleted.text.count("✓") == 5
        print(f"9_delete: {sum(deleted.seconds):.0f} s")
        saved = sorted((me.lab / "work").glob("gourmetgram-student-*.tar.gz"))
        with tarfile.open(saved[-1]) as archive:
            names = archive.getnames()
        assert "my-lab/notebooks/2_application.ipynb" in names
        assert f"my-lab/{MODEL}" in names
        assert not any(name.endswith(".env") for name in names)

        once_more = delete(place, me)
        assert not once_more.error, once_more.traceback
        assert "servers       none" in once_more.text
        assert place.result().damage == []
        assert {"apt-get", "docker", "usermod", "systemctl"} <= {one["argv"][0] for one in place.result().commands}


def test_the_lab_is_cloned_from_a_repository_at_a_revision(me: Student, tmp_path: Path) -> None:
    bare, url = tmp_path / "lab.git", f"file://{tmp_path / 'lab.git'}"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    revision = subprocess.run(
        ["git", "-C", bare, "rev-parse", "HEAD~1"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with open_place("at_once", me.node_files) as place:
        chosen = {"lab_url": url, "lab_revision": revision}
        made = place.run(without(me, DOCKER_COMES), chosen, me.notebooks)
        assert not made.error, made.traceback
        assert f"the lab is on the server, in ~/lab: {revision}, from {url}" in made.text
        home = next(place.folder.glob(f"{MINE[1]}-*/home"))
        assert (home / "lab/.git/HEAD").read_text().strip() == revision
        wrong = place.run(without(me, DOCKER_COMES), chosen | {"lab_revision": "no-such"}, me.notebooks)
        assert "the lab is on the server already" in wrong.text


def test_a_revision_that_is_not_there_leaves_nothing_half_made(me: Student, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, tmp_path / "lab.git"], check=True)
    with open_place("at_once", me.node_files) as place:
        chosen = {"lab_url": f"file://{tmp_path / 'lab.git'}", "lab_revision": "no-such"}
        failed = place.run(without(me, DOCKER_COMES), chosen, me.notebooks)
        assert "Could not bring the lab to the server: on the server, this command ended with status" in failed.error
        assert "no-such" in failed.error
        made = place.run(without(me, DOCKER_COMES), folder=me.notebooks)
        assert not made.error, made.traceback
        assert "this copy of it" in made.text


def test_a_lease_is_extended(me: Student) -> None:
    with open_place("at_once", me.node_files) as place:
        notebook = without(me, SOFTWARE, end="## More time", written=("more_hours = 0", "more_hours = 2"))
        made = place.run(notebook, folder=me.notebooks)
        assert "1 of 4 checks of 1_create_server failed" in made.error  # its Jupyter was never started
        (lease,) = (one for one in place.cloud()["leases"] if one["name"] == MINE[0])
        assert round((lease["ends"] - lease["starts"]) / 3600) == 10
