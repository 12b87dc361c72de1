"""Notebooks 1 and 9 as a student runs them: once, again, and back to nothing."""

import tarfile

from tests.chameleon.place import open_place
from tests.chameleon.portal import EVERYTHING, MINE, NOTHING, PORTS, create, delete, opened, own
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
