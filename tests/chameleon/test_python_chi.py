"""The unmodified python-chi, from a notebook, against the whole of the look-alike."""

from pathlib import Path

from tests.chameleon import small_notebooks
from tests.chameleon.place import run_notebooks
from tests.chameleon.small_notebooks import CREATE, DELETE, write


def test_a_node_is_made_used_and_deleted(tmp_path: Path) -> None:
    """About half a minute, most of which python-chi waits."""
    notebooks = [write(tmp_path / "create.ipynb", *CREATE), write(tmp_path / "delete.ipynb", *DELETE)]
    result = run_notebooks(notebooks)
    create, delete = result.notebooks
    assert (create.error, delete.error) == ("", "")
    assert (len(create.seconds), len(delete.seconds)) == (len(CREATE), len(DELETE))
    assert "from Chameleon's Jupyter" in create.text
    assert [one["argv"] for one in result.commands if one["argv"][0] != "sudo"] == [
        ["apt-get", "install", "-y", "docker.io"],
        ["usermod", "-aG", "docker", "cc"],
        ["sg", "docker", "-c", "docker ps"],
        ["docker", "ps"],
    ]
    assert [(one["node"], one["status"]) for one in result.sessions] == [("node-data-student", 0)]
    project = result.cloud["by_project"]["CHI-251409"]
    assert project == result.before["by_project"]["CHI-251409"] | {
        "groups": {"default": [], "allow-ssh": [22], "allow-22": [22], "allow-8888": [8888]}
    }
    assert result.damage == []
    done = [one["what"] for one in result.cloud["audit"] if one["who"] == "student"]
    assert done == [
        *("lease created", "key pair created", "server created", "floating IP allocated", "floating IP attached"),
        *("security group created", "rule for port 22 added"),
        *("security group created", "rule for port 8888 added"),
        *("server deleted", "floating IP released", "lease deleted"),
    ]


def test_every_request_of_python_chi_is_one_that_the_look_alike_knows(tmp_path: Path) -> None:
    """What it does not know is answered by FastAPI, which no client understands."""
    looks = (
        small_notebooks.BEGIN,
        "lease.list_leases(); lease.show_leases()",
        "server.list_servers(); server.list_flavors(reservable=True); server.list_keypair()",
        "network.list_floating_ips(); network.list_security_groups(); network.list_networks(); network.list_ports()",
        "from chi import image; image.list_images(); context.check_credentials(); context.get_project_name()",
    )
    result = run_notebooks([write(tmp_path / "looks.ipynb", *looks)], scenario="everything")
    assert [one.error for one in result.notebooks] == [""]
    # python-chi asks for a network by its name as if it were an id, before it looks for the name
    assert {one["path"] for one in result.requests if one["status"] >= 400} == {"/network/v2.0/networks/sharednet1"}
